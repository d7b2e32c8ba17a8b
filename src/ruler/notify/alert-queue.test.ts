import assert from 'node:assert/strict'
import { test } from 'node:test'

import { silentLogger } from '#/platform/telemetry/logger.ts'
import { realWorld } from '#/platform/world/real-world.ts'
import { fakePost } from '#/ruler/send/testing-post.ts'
import type { OutgoingAlert } from './alert.ts'
import { AlertQueue } from './alert-queue.ts'

const start = Date.UTC(2026, 0, 1)

function setUp(capacity = 1000) {
  const receiver = fakePost()
  const pausesMs: number[] = []
  const counts = { sent: 0, errors: 0, dropped: 0 }
  const { clock, random } = realWorld()
  const queue = new AlertQueue({
    url: 'http://am/',
    headers: { 'x-scope-orgid': 't' },
    capacity,
    timeoutMs: 1000,
    post: receiver.post,
    clock: { ...clock, nowMs: () => start, sleep: async (ms) => void pausesMs.push(ms) },
    random: { ...random, next: () => 1 },
    logger: silentLogger,
    count: {
      sent: (count) => (counts.sent += count),
      errors: (count) => (counts.errors += count),
      dropped: (count) => (counts.dropped += count),
    },
  })
  const sent = (): string[][] =>
    receiver.requests.map(({ body }) =>
      (JSON.parse(Buffer.from(body).toString()) as { labels: { n: string }; annotations: { v?: string } }[]).map(
        ({ labels, annotations }) => labels.n + (annotations.v ?? ''),
      ),
    )
  return { queue, receiver, pausesMs, counts, sent }
}

const alert = (n: number, more: Partial<OutgoingAlert> = {}): OutgoingAlert => ({
  labels: [['n', String(n)]],
  annotations: [],
  startsAtMs: start,
  endsAtMs: start + 60_000,
  generatorUrl: 'http://edda/x',
  ...more,
})

test('the message that an Alertmanager gets', async () => {
  const { queue, receiver } = setUp()
  queue.add([alert(1)])
  await queue.drained()
  const [request] = receiver.requests
  assert.equal(request?.url, 'http://am/api/v2/alerts')
  assert.deepEqual(request.headers, { 'x-scope-orgid': 't', 'content-type': 'application/json' })
  assert.deepEqual(JSON.parse(Buffer.from(request.body).toString()), [
    {
      labels: { n: '1' },
      annotations: {},
      startsAt: '2026-01-01T00:00:00.000Z',
      endsAt: '2026-01-01T00:01:00.000Z',
      generatorURL: 'http://edda/x',
    },
  ])
})

test('what is not taken is sent again, with longer and longer pauses', async () => {
  const { queue, receiver, pausesMs, counts, sent } = setUp()
  receiver.answers.push(undefined, 503, 429)
  queue.add([alert(1), alert(2)])
  await queue.drained()
  assert.deepEqual(sent(), Array(4).fill(['1', '2']))
  assert.deepEqual(pausesMs, [1000, 2000, 4000])
  assert.deepEqual(counts, { sent: 2, errors: 6, dropped: 0 })
})

test('what is refused is dropped', async () => {
  const { queue, receiver, counts } = setUp()
  receiver.answers.push(400)
  queue.add([alert(1)])
  await queue.drained()
  assert.equal(receiver.requests.length, 1)
  assert.deepEqual(counts, { sent: 0, errors: 1, dropped: 1 })
})

test('batches, a bound, and the newest word of each alert', async () => {
  const { queue, counts, sent } = setUp(300)
  queue.add(Array.from({ length: 301 }, (_, index) => alert(index)))
  queue.add([alert(300, { annotations: [['v', '-new']] })])
  assert.equal(queue.length, 300)
  await queue.drained()
  const all = sent()
  assert.deepEqual(
    all.map((batch) => batch.length),
    [256, 44],
  )
  assert.equal(all[1]?.at(-1), '300-new')
  assert.equal(counts.dropped, 1)
})

test('alerts that nobody would act on are dropped', async () => {
  const { queue, counts, sent } = setUp()
  queue.add([alert(1, { endsAtMs: start - 901_000 }), alert(2, { endsAtMs: start - 1000 })])
  await queue.drained()
  assert.deepEqual(sent(), [['2']])
  assert.equal(counts.dropped, 1)
})

test('what comes at the very end of a run leaves too', async () => {
  const { queue, sent } = setUp()
  queue.add([alert(1)])
  let late = 0
  // one of these turns lies between the end of the loop and the end of its promise
  for (let turn = 0; turn < 40; turn++) {
    await Promise.resolve()
    if (queue.length === 0) queue.add([alert(100 + late++)])
  }
  await queue.drained()
  assert.equal(queue.length, 0)
  assert.equal(sent().flat().length, late + 1)
})
