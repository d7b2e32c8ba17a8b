import assert from 'node:assert/strict'
import { test } from 'node:test'

import { uncompressSync } from 'snappy'

import { silentLogger } from '#/platform/telemetry/logger.ts'
import { realWorld } from '#/platform/world/real-world.ts'
import { fakePost } from '#/ruler/send/testing-post.ts'
import { encodeWriteProtobuf, type WriteSample } from './encode-write.ts'
import { parseWriteClients } from './write-clients.ts'
import { WriteQueue } from './write-queue.ts'

function setUp({ capacity = 100, maxBatch = 3 } = {}) {
  const receiver = fakePost()
  const counts = { sent: 0, retried: 0, failed: 0, dropped: 0 }
  const { clock, random } = realWorld()
  const pausesMs: number[] = []
  const add = (name: keyof typeof counts) => (count: number) => void (counts[name] += count)
  const queue = new WriteQueue({
    url: 'http://prometheus/api/v1/write',
    headers: { 'x-scope-orgid': 't' },
    timeoutMs: 1000,
    capacity,
    maxBatch,
    deadlineMs: 5000,
    minBackoffMs: 30,
    maxBackoffMs: 100,
    post: receiver.post,
    clock: { ...clock, sleep: async (ms, signal) => void (signal?.aborted === true || pausesMs.push(ms)) },
    random: { ...random, next: () => 1 },
    logger: silentLogger,
    count: { sent: add('sent'), retried: add('retried'), failed: add('failed'), dropped: add('dropped') },
  })
  return { queue, receiver, counts, pausesMs }
}

const sample = (n: number): WriteSample => ({ labels: [['__name__', `m${n}`]], value: n, timeMs: n })
const samples = (count: number): WriteSample[] => Array.from({ length: count }, (_, index) => sample(index))
const bodies = ({ requests }: ReturnType<typeof fakePost>): Buffer[] =>
  requests.map(({ body }) => uncompressSync(Buffer.from(body)) as Buffer)

test('samples wait for company, then leave in their order', async () => {
  const { queue, receiver, counts, pausesMs } = setUp()
  queue.add(samples(4))
  await queue.drain()
  assert.deepEqual(bodies(receiver), [
    encodeWriteProtobuf([sample(0), sample(1), sample(2)]),
    encodeWriteProtobuf([sample(3)]),
  ])
  assert.deepEqual(pausesMs, [])
  assert.deepEqual(receiver.requests[0]?.headers, {
    'x-scope-orgid': 't',
    'content-type': 'application/x-protobuf',
    'content-encoding': 'snappy',
    'x-prometheus-remote-write-version': '0.1.0',
  })
  assert.equal(counts.sent, 4)
})

test('a batch that is not full waits for the deadline', async () => {
  const { queue, pausesMs } = setUp()
  queue.add(samples(1))
  assert.deepEqual(pausesMs, [5000])
  await queue.drain()
})

test('5xx, 429 and silence are tried again, in order; 4xx is the end', async () => {
  const { queue, receiver, counts, pausesMs } = setUp()
  receiver.answers.push(500, 429, undefined, 204, 400)
  queue.add(samples(6))
  await queue.drain()
  assert.equal(receiver.requests.length, 5)
  assert.deepEqual(pausesMs, [30, 60, 100])
  assert.deepEqual(counts, { sent: 3, retried: 9, failed: 3, dropped: 0 })
})

test('beyond the capacity the oldest go', async () => {
  const { queue, receiver, counts } = setUp({ capacity: 2, maxBatch: 2 })
  queue.add(samples(5))
  await queue.drain()
  assert.deepEqual(bodies(receiver), [encodeWriteProtobuf([sample(3), sample(4)])])
  assert.equal(counts.dropped, 3)
})

test('clients as Prometheus configures them', () => {
  const [client] = parseWriteClients({
    prom: {
      url: 'http://p/api/v1/write',
      remote_timeout: '7s',
      headers: { 'X-A': 'b' },
      basic_auth: { username: 'u', password: 'p' },
      queue_config: { capacity: 50, max_samples_per_send: 100, batch_send_deadline: '1s', max_shards: 3 },
    },
  })
  assert.deepEqual(client, {
    name: 'prom',
    url: 'http://p/api/v1/write',
    headers: { authorization: 'Basic dTpw', 'X-A': 'b' },
    timeoutMs: 7000,
    capacity: 50,
    maxBatch: 50,
    deadlineMs: 1000,
    minBackoffMs: 30,
    maxBackoffMs: 5000,
  })
  assert.throws(() => parseWriteClients({ p: { url: 'ftp://x' } }), /p\.url: expected an http\(s\) address/)
  assert.throws(() => parseWriteClients({ p: { url: 'http://x', sigv4: {} } }), /p: unknown key sigv4/)
})
