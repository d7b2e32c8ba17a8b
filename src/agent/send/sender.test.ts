import assert from 'node:assert/strict'
import { test } from 'node:test'

import { silentLogger } from '#/platform/telemetry/logger.ts'
import { realWorld } from '#/platform/world/real-world.ts'
import { Sender } from './sender.ts'
import type { PushAnswer } from './transport.ts'

/** A sender whose pauses are noted and not waited for. */
function senderThatHears(answers: readonly (PushAnswer | Error)[], chance: number) {
  const pausesMs: number[] = []
  const done: number[] = []
  const real = realWorld()
  const sleep = async (ms: number): Promise<void> => void pausesMs.push(ms)
  const world = { ...real, clock: { ...real.clock, sleep }, random: { ...real.random, next: () => chance } }
  let at = 0
  const push = async (): Promise<PushAnswer> => {
    const one = answers[at++] ?? answered(204)
    if (one instanceof Error) throw one
    return one
  }
  const transport = { push, close: () => Promise.resolve() }
  const options = { transport, maxPending: 2, minBackoffMs: 100, maxBackoffMs: 1000 }
  const sender = new Sender(options, world, silentLogger, (sequence) => done.push(sequence))
  const send = (sequence: number): void =>
    sender.enqueue({ sequence, lines: 10, bytes: 100, body: async () => Buffer.alloc(0) })
  return { sender, pausesMs, done, send }
}

const answered = (status: number, retryAfterSeconds?: number): PushAnswer => ({
  status,
  message: '',
  retryAfterSeconds,
})

test('pauses double up to the longest, between half and all of it', async () => {
  for (const [chance, factor] of [
    [0, 0.5],
    [1, 1],
  ] as const) {
    const { sender, pausesMs, done, send } = senderThatHears(Array(6).fill(answered(500)), chance)
    send(1)
    await sender.drained()
    assert.deepEqual(
      pausesMs,
      [100, 200, 400, 800, 1000, 1000].map((ms) => ms * factor),
    )
    assert.deepEqual(done, [1])
  }
})

test('the server says how long to wait, within reason', async () => {
  const { sender, pausesMs, send } = senderThatHears([answered(429, 30), answered(503, 1e9), answered(429, 0)], 0)
  send(1)
  await sender.drained()
  assert.deepEqual(pausesMs, [30_000, 300_000, 200])
})

test('what is tried again and what is not', async () => {
  for (const status of [401, 403, 404, 405, 408, 425, 429, 500, 502, 503, 504, 599]) {
    const { sender, pausesMs, send } = senderThatHears([answered(status)], 0)
    send(1)
    await sender.drained()
    assert.equal(pausesMs.length, 1, String(status))
    assert.deepEqual([sender.counts.sentLines, sender.counts.droppedLines], [10, 0])
  }
  for (const status of [400, 402, 409, 413, 422]) {
    const { sender, pausesMs, done, send } = senderThatHears([answered(status)], 0)
    send(1)
    await sender.drained()
    assert.equal(pausesMs.length, 0, String(status))
    assert.deepEqual([sender.counts.sentLines, sender.counts.droppedLines], [0, 10])
    assert.deepEqual(done, [1])
  }
})

test('batches keep their order while the first is tried again; room comes with answers', async () => {
  const { sender, done, send } = senderThatHears([new Error('refused'), answered(500), answered(204)], 0)
  send(1)
  send(2)
  await sender.hasRoom()
  assert.ok(done.length >= 1)
  send(3)
  await sender.drained()
  assert.deepEqual(done, [1, 2, 3])
})

test('stopping ends waiting and leaves the batch unanswered', async () => {
  const { sender, done, send } = senderThatHears(Array(1e6).fill(answered(500)), 0)
  send(1)
  const waiting = sender.drained()
  await sender.stop()
  await waiting
  assert.deepEqual(done, [])
  assert.equal(sender.pending, 1)
})
