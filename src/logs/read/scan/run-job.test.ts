import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BadRequest, Cancelled } from '#/kernel/errors.ts'
import { parseExpr } from '#/logs/logql/parser/parse-expr.ts'
import { makePlan } from '#/logs/logql/planner/make-plan.ts'
import { parseLabels } from '#/logs/model/labels.ts'
import type { HeadPageColumns } from '#/logs/store/log-page.ts'
import { enableLinearRegex } from '#/platform/regex/linear.ts'
import { LabelIndexBuilder } from '#/storage/index/label-index-builder.ts'
import { labelsOfSet } from './label-sets.ts'
import { runScanJob } from './run-job.ts'
import { sampleLeaf, type DiffsResult, type RowsResult, type ScanJob, type ScanPart } from './scan-job.ts'

enableLinearRegex()

type TestRow = readonly [stream: string, time: number, line: string, level?: string]
const SECOND = 1e9

function partOf(rows: readonly TestRow[], wanted?: (stream: string) => boolean): ScanPart {
  const index = new LabelIndexBuilder()
  const ordinals = rows.map(([stream]) => index.add(stream, parseLabels(stream)))
  const lines = rows.map(([, , line]) => Buffer.from(line))
  const metas = rows.map(([, , , level]) =>
    level === undefined ? Buffer.alloc(0) : Buffer.from([0, level.length, ...Buffer.from(level)]),
  )
  const columns: HeadPageColumns = {
    rowCount: rows.length,
    stream: u32(ordinals),
    time: f64(rows.map(([, time]) => time * SECOND)),
    lineStart: u32(starts(lines)),
    lines: u8(Buffer.concat(lines)),
    metaStart: u32(starts(metas)),
    meta: u8(Buffer.concat(metas)),
    metaNames: ['level'],
    minTime: 0,
    maxTime: 0,
  }
  const flags = wanted && u8(Uint8Array.from({ length: index.count }, (_, i) => Number(wanted(index.text(i)))))
  return {
    labels: index.coded(),
    streams: flags,
    pages: [{ data: { kind: 'head', columns }, order: 0, isInside: false, dropped: undefined }],
  }
}

const starts = (parts: readonly Buffer[]): number[] =>
  parts.reduce((all, part) => [...all, all.at(-1)! + part.length], [0])
const u32 = (values: readonly number[]) => fill(new Uint32Array(new SharedArrayBuffer(values.length * 4)), values)
const f64 = (values: readonly number[]) => fill(new Float64Array(new SharedArrayBuffer(values.length * 8)), values)
const u8 = (values: Uint8Array) => fill(new Uint8Array(new SharedArrayBuffer(values.length)), values)
function fill<T extends Uint32Array | Float64Array | Uint8Array>(array: T, values: ArrayLike<number>): T {
  array.set(values)
  return array
}

type JobOptions = {
  readonly from?: number
  readonly to?: number
  readonly maxBytes?: number
  readonly stepCount?: number
}

function jobOf(query: string, parts: readonly ScanPart[], options: JobOptions = {}): ScanJob {
  const plan = makePlan(parseExpr(query))
  assert(plan.kind !== 'scalar')
  const { from = 0, to = 86_400e9, maxBytes = 1e9, stepCount = 3 } = options
  const selection = plan.kind === 'logs' ? plan.selection : plan.leaves[0]!
  const { stages, needed } = selection
  const base = { kind: 'scan', key: query, stages, needed, nowNs: 0n, day: 0, from, to, parts } as const
  if (plan.kind === 'logs') return { ...base, task: { kind: 'rows', limit: 10, direction: 'forward' } }
  const leaf = plan.leaves[0]!
  const window = { startNs: 10_000_000_000n, stepNs: 10_000_000_000n, stepCount, rangeNs: leaf.rangeNs }
  return { ...base, task: { kind: 'samples', leaf: sampleLeaf(leaf), window, maxBytes } }
}

const run = (job: ScanJob) => runScanJob(job, () => undefined)

/** Series as label text → values of all steps. */
function seriesOf(job: ScanJob): Readonly<Record<string, readonly number[]>> {
  const { series, rowDiffs, valueDiffs, width, firstStep } = run(job) as DiffsResult
  assert.equal(firstStep, 0)
  return Object.fromEntries(
    series.map((labels, slot) => {
      const diffs = (valueDiffs ?? rowDiffs).subarray(slot * width, slot * width + width - 1)
      let sum = 0
      return [labels.map(([name, value]) => `${name}=${value}`).join(), Array.from(diffs, (diff) => (sum += diff))]
    }),
  )
}

const rows: readonly TestRow[] = [
  ['{app="a"}', 1, 'one', 'info'],
  ['{app="b"}', 10, 'three'],
  ['{app="a"}', 11, 'error'],
  ['{app="a", level="x"}', 30, 'error four', 'warn'],
]

test('counts entries by window: its start is left out, its end is counted', () => {
  assert.deepEqual(seriesOf(jobOf('sum(count_over_time({app=~".+"}[10s]))', [partOf(rows)])), { '': [2, 1, 1] })
  assert.deepEqual(seriesOf(jobOf('sum by (app) (count_over_time({app=~".+"}[20s]))', [partOf(rows)])), {
    'app=a': [1, 2, 2],
    'app=b': [1, 1, 0],
  })
  assert.deepEqual(seriesOf(jobOf('sum(bytes_over_time({app=~".+"}[10s]))', [partOf(rows)])), { '': [8, 5, 10] })
})

test('groups by metadata, which a label of the stream renames', () => {
  const query = 'sum by (level, level_extracted) (count_over_time({app=~".+"}[10s]))'
  const expected = { 'level=info': [1, 0, 0], '': [1, 1, 0], 'level=x,level_extracted=warn': [0, 0, 1] }
  assert.deepEqual(seriesOf(jobOf(query, [partOf(rows)])), expected)
  const rowByRow = query.replace('}[', '} | app!="none" [')
  assert.deepEqual(seriesOf(jobOf(rowByRow, [partOf(rows)])), expected)
})

test('takes wanted streams and times, and leaves out dropped rows', () => {
  const part = partOf(rows, (stream) => stream.startsWith('{app="a"'))
  const count = 'sum(count_over_time({app=~".+"}[100s]))'
  assert.deepEqual(seriesOf(jobOf(count, [part], { stepCount: 1 })), { '': [1] })
  const marked = { ...part, pages: [{ ...part.pages[0]!, dropped: u8(Uint8Array.of(0b0101)) }] }
  const { rowCount, lines } = run(jobOf('{app=~".+"}', [marked])) as RowsResult
  assert.equal(rowCount, 1)
  assert.equal(Buffer.from(lines).toString(), 'error four')
  const { counts } = run(jobOf('{app=~".+"} |= "error"', [part], { from: 11e9, to: 30e9 })) as RowsResult
  assert.deepEqual(counts, {
    rows: 1,
    lineBytes: 5,
    metadataBytes: 0,
    passedRows: 1,
    filteredPages: 0,
    passedPages: [0],
  })
})

test('rows come with their lines and labels by category', () => {
  const result = run(
    jobOf('{app=~".+"} | json', [partOf([['{app="a"}', 1, '{"x":"1","app":"z"}', 'info']])]),
  ) as RowsResult
  assert.deepEqual([...result.time], [1e9])
  const labels = labelsOfSet(result.labelSets, result.labelSet[0]!).toSorted((a, b) => (a.name < b.name ? -1 : 1))
  assert.deepEqual(labels, [
    { name: 'app', value: 'a', category: 'stream' },
    { name: 'app_extracted', value: 'z', category: 'parsed' },
    { name: 'level', value: 'info', category: 'metadata' },
    { name: 'x', value: '1', category: 'parsed' },
  ])
})

test('a sample with an error fails the query, unless no window sees it or the query asks for it', () => {
  const part = partOf([
    ['{app="a"}', 5, 'plain'],
    ['{app="a"}', 15, '{"x":"1"}'],
  ])
  const query = 'sum by (x) (count_over_time({app="a"} | json [10s]))'
  assert.throws(
    () => run(jobOf(query, [part])),
    (error: Error) => {
      assert(error instanceof BadRequest)
      assert.match(
        error.message,
        /^pipeline error: 'JSONParserErr' for series: '\{__error__="JSONParserErr", .*app="a"\}'\.\nUse a label filter to intentionally skip this error\. \(e\.g \| __error__!="JSONParserErr"\)\.\nTo skip all potential errors you can match empty errors\.\(e\.g __error__=""\)\nThe label filter can also be specified after unwrap\. \(e\.g \| unwrap latency \| __error__="" \)\n$/,
      )
      return true
    },
  )
  assert.deepEqual(seriesOf(jobOf(query.replace('json', 'json | __error__=""'), [part])), { 'x=1': [0, 1, 0] })
  const byError = 'sum by (__error__) (count_over_time({app="a"} | json [10s]))'
  assert.deepEqual(seriesOf(jobOf(byError, [part])), { '__error__=JSONParserErr': [1, 0, 0], '': [0, 1, 0] })
  const sum = 'sum(count_over_time({app="a"} | json [10s]))'
  assert.deepEqual(seriesOf(jobOf(sum, [part])), { '': [1, 1, 0] })
  const early = partOf([
    ['{app="a"}', 2, 'plain'],
    ['{app="a"}', 7, '{"x":"1"}'],
  ])
  assert.deepEqual(seriesOf(jobOf(query.replace('[10s]', '[5s]'), [early])), { 'x=1': [1, 0, 0] })
})

test('series beyond the memory of the query stop it', () => {
  const many = Array.from({ length: 200 }, (_, i): TestRow => [`{app="a", n="${i}"}`, 5, 'x'])
  const job = jobOf('count_over_time({app="a"}[10s])', [partOf(many)], { maxBytes: 20_000 })
  assert.throws(
    () => run(job),
    /the \d+ series found so far need more than the 20000B of memory that a query may use; group by fewer labels/,
  )
})

test('a job stops when nobody waits for it', () => {
  const check = (): never => {
    throw new Cancelled()
  }
  assert.throws(() => runScanJob(jobOf('{app=~".+"}', [partOf(rows)]), check), Cancelled)
})
