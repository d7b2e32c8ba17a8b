/** Fluent Bit's and Fluentd's outputs for Loki, and Logstash's: JSON with times as text. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { gzipSync } from 'node:zlib'

import { CompatServer } from './compat-server.ts'
import { type Heard, nowNs, speak } from './speak.ts'

describe('Fluent Bit, Fluentd, Logstash', () => {
  let server: CompatServer
  before(async () => {
    server = await CompatServer.start('fluent')
  })
  after(() => server?.[Symbol.asyncDispose]())

  const push = (value: unknown, headers: Record<string, string>, isGzip = false): Promise<Heard> => {
    const text = typeof value === 'string' ? value : JSON.stringify(value)
    return speak(server.url, {
      method: 'POST',
      path: '/loki/api/v1/push',
      headers: {
        'Content-Type': 'application/json',
        'X-Scope-OrgID': 'acme',
        ...(isGzip ? { 'Content-Encoding': 'gzip' } : {}),
        ...headers,
      },
      body: isGzip ? gzipSync(text) : text,
    })
  }

  for (const isGzip of [false, true]) {
    test(`Fluent Bit: a stream object for each record, with the same labels${isGzip ? ', gzipped' : ''}`, async () => {
      const start = nowNs()
      const job = isGzip ? 'fluent-bit-gzip' : 'fluent-bit'
      const streams = Array.from({ length: 100 }, (_, i) => ({
        stream: { job, kubernetes_pod: 'p1' },
        values: [
          [String(start + BigInt(i)), `{"log":"line ${i}","n":${i}}`, ...(i === 5 ? [{ trace_id: 'abc' }] : [])],
        ],
      }))
      const { status } = await push({ streams }, { 'User-Agent': 'Fluent-Bit', Connection: 'close' }, isGzip)
      assert.ok(status >= 200 && status <= 205, `${status}`)
      const rows = await server.rows(`{job="${job}"} | json | n >= 0`)
      assert.equal(rows.length, 100)
      assert.deepEqual([rows[5]?.metadata['trace_id'], rows[5]?.ns], ['abc', start + 5n])
      const series = await speak(server.url, {
        path: `/loki/api/v1/series?match[]=${encodeURIComponent(`{job="${job}"}`)}`,
        headers: { 'X-Scope-OrgID': 'acme' },
      })
      assert.equal((JSON.parse(series.text) as { data: unknown[] }).data.length, 1)
    })
  }

  test('Fluent Bit drops a 400 and repeats all else, so that bad data is a 400', async () => {
    for (const bad of [
      '{"streams":[{"stream":{"job":"x"},"values":[["not a time","x"]]}]}',
      '{"streams":[{"stream":{"job":"x"},"values":[["1","x"',
      '{"streams":[{"stream":{"a b":"x"},"values":[["1712000000000000000","x"]]}]}',
    ]) {
      const { status, text } = await push(bad, { 'User-Agent': 'Fluent-Bit' })
      assert.equal(status, 400, bad)
      assert.ok(text.length > 1)
    }
  })

  test('Fluentd: key=value lines, a label per thread', async () => {
    const values = [[String(nowNs()), 'agent="fluentd" message="a \\"quoted\\" one"']]
    const body = { streams: [{ stream: { job: 'fluentd', fluentd_thread: 'flush_thread_0' }, values }] }
    assert.equal((await push(body, { 'User-Agent': 'Ruby' }, true)).status, 204)
    const rows = await server.rows('{job="fluentd", fluentd_thread=~".+"} | logfmt | message=`a "quoted" one`')
    assert.equal(rows.length, 1)
  })

  test('Logstash: times as text, 204 and nothing else is a success', async () => {
    const values = [[String(nowNs()), 'from logstash']]
    const body = { streams: [{ stream: { job: 'logstash', _type: 'doc' }, values }] }
    assert.equal((await push(body, { 'User-Agent': 'loki-logstash' })).status, 204)
    assert.equal((await server.rows('{job="logstash"}')).length, 1)
  })
})
