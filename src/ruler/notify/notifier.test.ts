import assert from 'node:assert/strict'
import { test } from 'node:test'

import { silentLogger } from '#/platform/telemetry/logger.ts'
import { Metrics } from '#/platform/telemetry/metrics.ts'
import { realWorld } from '#/platform/world/real-world.ts'
import { fakePost } from '#/ruler/send/testing-post.ts'
import type { OutgoingAlert } from './alert.ts'
import { Notifier } from './notifier.ts'
import { parseRelabelRules } from './relabel.ts'

const start = Date.UTC(2026, 0, 1)

function setUp(urls = ['http://am/']) {
  const receiver = fakePost()
  const metrics = new Metrics()
  const { clock, random } = realWorld()
  const notifier = new Notifier({
    alertmanagersOf: () => urls.map((url) => ({ url, headers: { authorization: 'Bearer x' } })),
    relabelsOf: (tenant) =>
      parseRelabelRules(tenant === 'relabelled' ? [{ action: 'drop', source_labels: ['n'], regex: '2' }] : []),
    capacity: 1000,
    timeoutMs: 1000,
    post: receiver.post,
    world: { clock: { ...clock, nowMs: () => start }, random },
    logger: silentLogger,
    metrics,
  })
  const counts = async (): Promise<string[]> => (await metrics.text()).split('\n').filter((line) => /^[^#]/.test(line))
  return { notifier, receiver, counts }
}

const alert = (n: number, more: Partial<OutgoingAlert> = {}): OutgoingAlert => ({
  labels: [['n', String(n)]],
  annotations: [],
  startsAtMs: start,
  endsAtMs: start + 60_000,
  generatorUrl: 'http://edda/x',
  ...more,
})
const never = 2 ** 31

test('the message that each Alertmanager gets', async () => {
  const { notifier, receiver, counts } = setUp(['http://am/', 'http://other'])
  notifier.send('t', [alert(1)])
  await notifier.stop(never)
  assert.deepEqual(
    receiver.requests.map(({ url }) => url),
    ['http://am/api/v2/alerts', 'http://other/api/v2/alerts'],
  )
  const [request] = receiver.requests
  assert.deepEqual(request?.headers, {
    authorization: 'Bearer x',
    'x-scope-orgid': 't',
    'content-type': 'application/json',
  })
  assert.deepEqual(JSON.parse(Buffer.from(request.body).toString()), [
    {
      labels: { n: '1' },
      annotations: {},
      startsAt: '2026-01-01T00:00:00.000Z',
      endsAt: '2026-01-01T00:01:00.000Z',
      generatorURL: 'http://edda/x',
    },
  ])
  assert.deepEqual(await counts(), [
    'loki_prometheus_notifications_sent_total{user="t",alertmanager="http://am/"} 1',
    'loki_prometheus_notifications_sent_total{user="t",alertmanager="http://other"} 1',
    'loki_prometheus_notifications_queue_length{user="t",alertmanager="http://am/"} 0',
    'loki_prometheus_notifications_queue_length{user="t",alertmanager="http://other"} 0',
  ])
})

test('an alert that comes anew takes the place of itself; one that was resolved long ago is dropped', async () => {
  const { notifier, receiver, counts } = setUp()
  notifier.send('t', [alert(1), alert(2, { endsAtMs: start - 900_000 }), alert(3, { endsAtMs: start - 899_999 })])
  notifier.send('t', [alert(1, { annotations: [['v', 'new']] })])
  await notifier.stop(never)
  const bodies = receiver.requests.map(({ body }) => JSON.parse(Buffer.from(body).toString()) as object[])
  assert.deepEqual(
    bodies.map((batch) =>
      batch.map((one) => ('labels' in one ? [one.labels, 'annotations' in one && one.annotations] : [])),
    ),
    [
      [
        [{ n: '3' }, {}],
        [{ n: '1' }, { v: 'new' }],
      ],
    ],
  )
  assert.ok(
    (await counts()).includes('loki_prometheus_notifications_dropped_total{user="t",alertmanager="http://am/"} 1'),
  )
})

test('alerts leave with the labels that the rules of their tenant give them', async () => {
  const { notifier, receiver } = setUp()
  notifier.send('relabelled', [alert(1), alert(2)])
  notifier.send('relabelled', [alert(2)])
  await notifier.stop(never)
  assert.equal(receiver.requests.length, 1)
  assert.match(Buffer.from(receiver.requests[0]?.body ?? []).toString(), /^\[\{"labels":\{"n":"1"\}[^[]*\]$/)
})

test('alerts that are refused are errors, and dropped', async () => {
  const { notifier, receiver, counts } = setUp()
  receiver.answers.push(400)
  notifier.send('t', [alert(1), alert(2)])
  await notifier.stop(never)
  assert.deepEqual(await counts(), [
    'loki_prometheus_notifications_errors_total{user="t",alertmanager="http://am/"} 2',
    'loki_prometheus_notifications_dropped_total{user="t",alertmanager="http://am/"} 2',
    'loki_prometheus_notifications_queue_length{user="t",alertmanager="http://am/"} 0',
  ])
})

test('a stop does not wait for an Alertmanager that takes nothing', async () => {
  const { notifier, receiver, counts } = setUp()
  receiver.answers.push(...Array<undefined>(100).fill(undefined))
  notifier.send('t', [alert(1)])
  await notifier.stop(0)
  assert.ok(
    (await counts()).includes('loki_prometheus_notifications_dropped_total{user="t",alertmanager="http://am/"} 1'),
  )
})
