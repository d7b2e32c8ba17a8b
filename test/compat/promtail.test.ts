/** What Promtail sends, and Alloy and the Docker driver, which speak as it does; and what it makes of the answers. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import { encodePush } from '#/logs/wire/encode-push.ts'
import { CompatServer } from './compat-server.ts'
import { type Heard, nowNs, pushAs, speak } from './speak.ts'

describe('Promtail', () => {
  let server: CompatServer
  before(async () => {
    server = await CompatServer.start('promtail', [
      '-limits-config.ingestion-rate-mb=1',
      '-limits-config.ingestion-burst-size-mb=1',
    ])
  })
  after(() => server?.[Symbol.asyncDispose]())

  const push = (body: Uint8Array | string, headers: Record<string, string>): Promise<Heard> =>
    speak(server.url, { method: 'POST', path: '/loki/api/v1/push', headers, body })
  const protobuf = {
    'Content-Type': 'application/x-protobuf',
    'User-Agent': 'promtail/3.5.0',
    'X-Scope-OrgID': 'acme',
  }

  test('a batch of many streams, unsorted, with labels as Go quotes them, and metadata', async () => {
    const start = nowNs()
    const streams = Array.from({ length: 500 }, (_, i) => ({
      labels: `{filename="/var/log/a\\"${i}\\".log", job="varlogs"}`,
      entries: [
        { timeNs: start + 2n, line: `second of ${i}` },
        { timeNs: start + 1n, line: `first of ${i}`, metadata: [['trace.id', `t${i}`]] as [string, string][] },
      ],
    }))
    await pushAs(server.url, 'promtail/3.5.0', streams)
    const rows = await server.rows('{job="varlogs"}')
    assert.equal(rows.length, 1000)
    const first = rows.find(({ line }) => line === 'first of 7')!
    assert.deepEqual(first.labels, { filename: '/var/log/a"7".log', job: 'varlogs', service_name: 'varlogs' })
    assert.deepEqual(first.metadata, { detected_level: 'unknown', trace_id: 't7' })
    assert.equal(first.ns, start + 1n)
  })

  test('the same stream several times in one request, its labels in another order', async () => {
    const timeNs = nowNs()
    await pushAs(server.url, 'promtail/3.5.0', [
      { labels: '{a="1", twice="yes"}', entries: [{ timeNs, line: 'one' }] },
      { labels: '{twice="yes", a="1"}', entries: [{ timeNs: timeNs + 1n, line: 'two' }] },
    ])
    const rows = await server.rows('{twice="yes"}')
    assert.deepEqual(
      rows.map(({ line, labels }) => [line, labels['a']]),
      [
        ['one', '1'],
        ['two', '1'],
      ],
    )
  })

  test('what it drops for good has a reason in the first line', async () => {
    const entry = { timeNs: nowNs(), line: 'x' }
    const noLabels = await push(encodePush([{ labels: '{}', entries: [entry] }]), protobuf)
    assert.equal(noLabels.status, 400)
    assert.match(noLabels.text.split('\n')[0]!, /at least one label pair is required per stream/)
    const old = await push(encodePush([{ labels: '{a="old"}', entries: [{ timeNs: 1n, line: 'x' }] }]), {
      ...protobuf,
      'X-Scope-OrgID': 'none',
    })
    // without a file old entries are taken
    assert.equal(old.status, 204)
    const long = await push(
      encodePush([{ labels: '{a="long"}', entries: [{ ...entry, line: 'x'.repeat(300_000) }] }]),
      protobuf,
    )
    assert.equal(long.status, 400)
    assert.match(long.text, /^max entry size '262144' bytes exceeded for stream '\{a="long".*300000' bytes/)
    assert.match(String(long.headers['content-type']), /^text\/plain/)
    const garbage = await push('not snappy', protobuf)
    assert.equal(garbage.status, 400)
    assert.equal((await push(encodePush([]), { ...protobuf, 'X-Scope-OrgID': '' })).status, 401)
  })

  test('a rate that is too high is a 429, which it sends again', async () => {
    const line = 'x'.repeat(200_000)
    const big = (): Buffer =>
      encodePush([
        { labels: '{a="rate"}', entries: Array.from({ length: 5 }, (_, i) => ({ timeNs: nowNs() + BigInt(i), line })) },
      ])
    const headers = { ...protobuf, 'X-Scope-OrgID': 'fast' }
    const heard = [await push(big(), headers), await push(big(), headers)]
    assert.deepEqual(
      heard.map(({ status }) => status),
      [204, 429],
    )
    assert.match(heard[1]!.text, /^ingestion rate limit exceeded for user fast \(limit: 1048576 bytes\/sec\)/)
  })

  test('what has no Content-Type is refused; what has another one is protobuf; JSON may be compressed', async () => {
    const body = encodePush([{ labels: '{a="type"}', entries: [{ timeNs: nowNs(), line: 'x' }] }])
    const { 'Content-Type': _, ...without } = protobuf
    assert.equal((await push(body, without)).status, 400)
    assert.equal((await push(body, { ...protobuf, 'Content-Type': 'application/octet-stream' })).status, 204)
    assert.equal(
      (await push(body, { ...protobuf, 'Content-Type': 'application/x-protobuf; charset=utf-8' })).status,
      204,
    )
  })
})
