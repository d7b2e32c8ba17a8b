import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'

import fc from 'fast-check'

import { silentLogger } from '#/platform/telemetry/logger.ts'
import { realWorld } from '#/platform/world/real-world.ts'
import { SendQueue } from './send-queue.ts'
import { fakePost } from './testing-post.ts'

type Item = { readonly key: number; readonly word: string; readonly isOld?: true }

/** A deadline that never comes. */
const never = 1e9

function setUp({ capacity = 100, maxBatch = 3, deadlineMs = 0 } = {}) {
  const receiver = fakePost()
  const pausesMs: number[] = []
  const counts = { sent: 0, retried: 0, refused: 0, dropped: 0 }
  const add = (name: keyof typeof counts) => (count: number) => void (counts[name] += count)
  const { clock, random } = realWorld()
  const sleep = async (ms: number, signal?: AbortSignal): Promise<void> => {
    if (signal?.aborted === true) return
    pausesMs.push(ms)
    if (ms === never && signal !== undefined) await once(signal, 'abort')
  }
  const queue = new SendQueue<Item>({
    payload: {
      what: 'words',
      headers: { 'content-type': 'text/plain' },
      encode: (items) => Buffer.from(items.map(({ word }) => word).join(' ')),
      keyOf: ({ key }) => key,
      isStale: ({ isOld }) => isOld === true,
    },
    receiver: {
      name: 'r',
      url: 'http://r/',
      headers: { 'x-scope-orgid': 't' },
      timeoutMs: 1000,
      capacity,
      maxBatch,
      deadlineMs,
      minBackoffMs: 30,
      maxBackoffMs: 100,
    },
    post: receiver.post,
    world: {
      clock: { ...clock, sleep },
      random: { ...random, next: () => 1 },
    },
    logger: silentLogger,
    count: { sent: add('sent'), retried: add('retried'), refused: add('refused'), dropped: add('dropped') },
  })
  const sent = (): string[] => receiver.requests.map(({ body }) => Buffer.from(body).toString())
  return { queue, receiver, pausesMs, counts, sent }
}

const item = (key: number, word = String(key)): Item => ({ key, word })
const items = (count: number): Item[] => Array.from({ length: count }, (_, index) => item(index))

/** Lets the queue run as long as it is so; everything here takes a few turns. */
async function turnsWhile(isSo: () => boolean): Promise<void> {
  for (let turn = 0; isSo(); turn++) {
    assert.ok(turn < 1000, 'the queue hangs')
    await Promise.resolve()
  }
}

test('what waits leaves in its order, in batches', async () => {
  const { queue, receiver, counts, pausesMs, sent } = setUp({ deadlineMs: 5000 })
  queue.add(items(4))
  assert.equal(queue.length, 4)
  await queue.drain()
  assert.deepEqual(sent(), ['0 1 2', '3'])
  assert.deepEqual(pausesMs, [])
  assert.deepEqual(receiver.requests[0]?.headers, { 'x-scope-orgid': 't', 'content-type': 'text/plain' })
  assert.deepEqual(counts, { sent: 4, retried: 0, refused: 0, dropped: 0 })
  assert.equal(queue.length, 0)
})

test('a batch that is not full waits for the deadline, if there is one', async () => {
  const patient = setUp({ deadlineMs: 5000 })
  patient.queue.add(items(1))
  assert.deepEqual(patient.pausesMs, [5000])
  await patient.queue.drain()
  const eager = setUp()
  eager.queue.add(items(1))
  await eager.queue.drain()
  assert.deepEqual(eager.pausesMs, [])
})

test('a batch that becomes full leaves before the deadline', async () => {
  const { queue, sent } = setUp({ deadlineMs: never })
  queue.add(items(1))
  queue.add([item(1), item(2), item(3)])
  await turnsWhile(() => queue.length > 1)
  assert.deepEqual(sent(), ['0 1 2'])
  await queue.drain()
  assert.deepEqual(sent(), ['0 1 2', '3'])
})

test('5xx, 429 and silence are tried again, in order, with longer and longer pauses; 4xx is the end', async () => {
  const { queue, receiver, counts, pausesMs, sent } = setUp()
  receiver.answers.push(500, 429, undefined, 503, 204, 400)
  queue.add(items(6))
  await queue.drain()
  assert.deepEqual(sent(), [...Array<string>(5).fill('0 1 2'), '3 4 5'])
  assert.deepEqual(pausesMs, [30, 60, 100, 100])
  assert.deepEqual(counts, { sent: 3, retried: 12, refused: 3, dropped: 0 })
})

test('pauses are short again when a batch was taken', async () => {
  const { queue, receiver, pausesMs } = setUp()
  receiver.answers.push(500, 500, 200, 500)
  queue.add(items(4))
  await queue.drain()
  assert.deepEqual(pausesMs, [30, 60, 30])
})

test('a batch that is sent again does not wait for company once more', async () => {
  const { queue, receiver, pausesMs } = setUp({ deadlineMs: 5000 })
  receiver.answers.push(500)
  queue.add(items(1))
  await turnsWhile(() => queue.length > 0)
  assert.deepEqual(pausesMs, [5000, 30])
})

test('beyond the capacity the oldest go', async () => {
  const { queue, counts, sent } = setUp({ capacity: 2, maxBatch: 2 })
  queue.add(items(5))
  await queue.drain()
  assert.deepEqual(sent(), ['3 4'])
  assert.equal(counts.dropped, 3)
})

test('the newest word of each key, also while an older one is on its way', async () => {
  const { queue, receiver, counts, sent } = setUp({ maxBatch: 2 })
  receiver.answers.push(500)
  queue.add([item(1), item(2), item(3), item(3, 'three')])
  await turnsWhile(() => receiver.requests.length === 0)
  queue.add([item(1, 'one')])
  await queue.drain()
  assert.deepEqual(sent(), ['1 2', '2 three', 'one'])
  assert.deepEqual(counts, { sent: 3, retried: 2, refused: 0, dropped: 0 })
})

test('what nobody would act on is dropped', async () => {
  const { queue, counts, sent } = setUp()
  queue.add([{ ...item(1), isOld: true }, item(2)])
  await queue.drain()
  assert.deepEqual(sent(), ['2'])
  assert.equal(counts.dropped, 1)
})

test('what comes at the very end of a run leaves too', async () => {
  const { queue, sent } = setUp()
  queue.add([item(1)])
  let late = 0
  // one of these turns lies between the end of the loop and the end of its promise
  for (let turn = 0; turn < 40; turn++) {
    await Promise.resolve()
    if (queue.length === 0) queue.add([item(100 + late++)])
  }
  await queue.drain()
  assert.equal(queue.length, 0)
  assert.equal(sent().length, late + 1)
})

test('a stop gives up what is left, and takes nothing any more', async () => {
  const { queue, receiver, counts, sent } = setUp()
  receiver.answers.push(500, 500)
  queue.add(items(4))
  await turnsWhile(() => receiver.requests.length < 2)
  await queue.stop()
  queue.add(items(1))
  assert.deepEqual(sent(), ['0 1 2', '0 1 2'])
  assert.equal(queue.length, 0)
  assert.deepEqual(counts, { sent: 0, retried: 3, refused: 0, dropped: 4 })
})

test('whatever a receiver answers, each item is counted once, and what waits is bounded', async () => {
  const answers = fc.array(fc.constantFrom(200, 400, 429, 500, undefined), { maxLength: 30 })
  const steps = fc.array(fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 0, max: 12 })), { maxLength: 12 })
  const property = fc.asyncProperty(answers, steps, fc.boolean(), async (given, adds, isStopped) => {
    const { queue, receiver, counts } = setUp({ capacity: 7 })
    receiver.answers.push(...given)
    let next = 0
    for (const [count, turns] of adds) {
      queue.add(Array.from({ length: count }, () => item(next++)))
      assert.ok(queue.length <= 7 + 3, `${queue.length} items`)
      for (let turn = 0; turn < turns; turn++) await Promise.resolve()
    }
    if (isStopped) await queue.stop()
    else await queue.drain()
    assert.equal(queue.length, 0)
    assert.equal(counts.sent + counts.refused + counts.dropped, next)
  })
  await fc.assert(property)
})
