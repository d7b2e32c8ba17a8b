import assert from 'node:assert/strict'
import { test } from 'node:test'

import { metricSum } from './process-figures.ts'
import { median, parseRun } from './results.ts'

test('a run of the first shape is read as one of today', () => {
  const run = parseRun(
    '2026-11-22-a146e3e.json',
    JSON.stringify({
      options: { mb: '500', streams: '250' },
      ingest: { 'raw MB of lines': '500.0', 'push p99 ms': '337.0', 'files / blocks': '21 / 18' },
      queries: [{ name: 'newest', wallMs: 23.5, cpuMs: 40, verdict: 'ok, 100' }],
    }),
  )
  assert.equal(run.commit, 'a146e3e')
  assert.equal(run.time, '2026-11-22T0000')
  const [set] = run.sets
  assert.equal(set?.mb, 500)
  assert.deepEqual(set.edda.ingest, { rawMb: 500, pushP99Ms: 337, files: 21, blocks: 18 })
  assert.deepEqual(set.edda.queries[0]?.warm, [{ wallMs: 23.5, cpuMs: 40 }])
})

test('what could not be measured is null in a file and no number again', () => {
  const side = { ingest: { files: null }, queries: [], loads: {} }
  const run = parseRun('x.json', JSON.stringify({ time: 't', sets: [{ set: 'S', mb: 1, streams: 1, edda: side }] }))
  assert.equal(run.sets[0]?.edda.ingest['files'], Number.NaN)
})

test('the median of an even count lies between the two in the middle, of none is no number', () => {
  assert.equal(median([4, 1, 3]), 3)
  assert.equal(median([4, 1, 3, 2]), 2.5)
  assert.equal(median([]), Number.NaN)
})

test('a metric is the sum of its series, and not of one whose name only begins so', () => {
  const text = '# HELP a_sum x\na_sum{kind="x"} 1.5\na_sum{kind="y z"} 2\na_sum_more 40\nb 7\n'
  assert.equal(metricSum(text, 'a_sum'), 3.5)
  assert.equal(metricSum(text, 'b'), 7)
  assert.equal(metricSum(text, 'c'), Number.NaN)
})
