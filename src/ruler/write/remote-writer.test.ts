import assert from 'node:assert/strict'
import { test } from 'node:test'

import { uncompressSync } from 'snappy'

import { silentLogger } from '#/platform/telemetry/logger.ts'
import { Metrics } from '#/platform/telemetry/metrics.ts'
import { realWorld } from '#/platform/world/real-world.ts'
import { fakePost } from '#/ruler/send/testing-post.ts'
import { encodeWriteProtobuf, type WriteSample } from './encode-write.ts'
import { RemoteWriter } from './remote-writer.ts'
import { parseWriteClients } from './write-clients.ts'

const never = 2 ** 31
const sample = (n: number): WriteSample => ({ labels: [['__name__', `m${n}`]], value: n, timeMs: n })

function setUp(clients: unknown) {
  const receiver = fakePost()
  const metrics = new Metrics()
  const parsed = parseWriteClients(clients)
  const writer = new RemoteWriter({
    clientsOf: () => parsed,
    addsTenant: true,
    post: receiver.post,
    world: realWorld(),
    logger: silentLogger,
    metrics,
  })
  const counts = async (): Promise<string[]> => (await metrics.text()).split('\n').filter((line) => /^[^#]/.test(line))
  return { writer, receiver, counts }
}

test('samples leave in their order, each of them, as remote write 1.0 has them', async () => {
  const { writer, receiver, counts } = setUp({
    prom: { url: 'http://prometheus/api/v1/write', queue_config: { max_samples_per_send: 3 } },
  })
  // the same twice: two samples
  writer.write('t', [sample(0), sample(1), sample(1), sample(2)])
  await writer.stop(never)
  assert.deepEqual(
    receiver.requests.map(({ body }) => uncompressSync(Buffer.from(body))),
    [encodeWriteProtobuf([sample(0), sample(1), sample(1)]), encodeWriteProtobuf([sample(2)])],
  )
  assert.deepEqual(receiver.requests[0]?.headers, {
    'x-scope-orgid': 't',
    'content-type': 'application/x-protobuf',
    'content-encoding': 'snappy',
    'x-prometheus-remote-write-version': '0.1.0',
  })
  assert.deepEqual(await counts(), [
    'loki_ruler_wal_prometheus_remote_storage_samples_total{tenant="t",remote_name="prom"} 4',
    'loki_ruler_wal_samples_appended_total{tenant="t"} 4',
    'loki_ruler_wal_prometheus_remote_storage_samples_pending{tenant="t",remote_name="prom"} 0',
  ])
})

test('samples that are refused have failed; a header of the client goes before the tenant', async () => {
  const { writer, receiver, counts } = setUp({ p: { url: 'http://p', headers: { 'x-scope-orgid': 'own' } } })
  receiver.answers.push(400)
  writer.write('t', [sample(1)])
  await writer.stop(never)
  assert.equal(receiver.requests[0]?.headers['x-scope-orgid'], 'own')
  assert.ok(
    (await counts()).includes(
      'loki_ruler_wal_prometheus_remote_storage_samples_failed_total{tenant="t",remote_name="p"} 1',
    ),
  )
})

test('without a receiver nothing is appended', async () => {
  const { writer, counts } = setUp({})
  writer.write('t', [sample(1)])
  await writer.stop(never)
  assert.deepEqual(await counts(), [])
})
