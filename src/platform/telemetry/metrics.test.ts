import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { Metrics, requestSeconds } from './metrics.ts'

const linesOf = async (metrics: Metrics, start: string): Promise<string[]> =>
  (await metrics.text()).split('\n').filter((line) => line.startsWith(start))

describe('Metrics', () => {
  it('counts and shows the text of the exposition format', async () => {
    const metrics = new Metrics()
    const lines = metrics.counter({ name: 'edda_lines_total', help: 'Lines.', labels: ['tenant'] })
    lines.inc({ tenant: 'a"b' }, 3)
    lines.inc({ tenant: 'c' })
    assert.deepEqual(await linesOf(metrics, 'edda_lines_total'), [
      String.raw`edda_lines_total{tenant="a\"b"} 3`,
      'edda_lines_total{tenant="c"} 1',
    ])
    assert.match(metrics.contentType, /^text\/plain; version=0\.0\.4/)
  })

  it('asks collectors at every scrape', async () => {
    const metrics = new Metrics()
    let value = 1
    metrics.gauge({ name: 'edda_depth', help: 'Depth.', collect: (gauge) => gauge.set(value) })
    metrics.collectedCounter({ name: 'edda_seen_total', help: 'Seen.', value: () => value * 10 })
    assert.deepEqual(await linesOf(metrics, 'edda_'), ['edda_depth 1', 'edda_seen_total 10'])
    value = 2
    assert.deepEqual(await linesOf(metrics, 'edda_'), ['edda_depth 2', 'edda_seen_total 20'])
  })

  it('sorts durations into buckets', async () => {
    const metrics = new Metrics()
    const seconds = metrics.histogram({ name: 'edda_s', help: 'S.', labels: ['op'], buckets: requestSeconds })
    seconds.observe({ op: 'get' }, 0.02)
    assert.deepEqual(await linesOf(metrics, 'edda_s_count'), ['edda_s_count{op="get"} 1'])
    assert.deepEqual(await linesOf(metrics, 'edda_s_bucket{le="0.01"'), ['edda_s_bucket{le="0.01",op="get"} 0'])
    assert.deepEqual(await linesOf(metrics, 'edda_s_bucket{le="0.025"'), ['edda_s_bucket{le="0.025",op="get"} 1'])
  })

  it('refuses a second metric of the same name, but only in one registry', () => {
    const metrics = new Metrics()
    metrics.counter({ name: 'edda_x_total', help: 'X.' })
    assert.throws(() => metrics.gauge({ name: 'edda_x_total', help: 'X.' }), /edda_x_total is declared once/)
    new Metrics().counter({ name: 'edda_x_total', help: 'X.' })
  })

  it('knows the process and the build', async () => {
    const metrics = new Metrics()
    metrics.addProcessMetrics({ version: '1.2.3', revision: 'abc', branch: 'main' })
    const [info] = await linesOf(metrics, 'loki_build_info')
    assert.equal(
      info,
      `loki_build_info{version="1.2.3",revision="abc",branch="main",goversion="node ${process.version}"} 1`,
    )
    assert.equal((await linesOf(metrics, 'process_resident_memory_bytes ')).length, 1)
  })
})
