/** The best of very many keys, most of which are never held, against a map of all of them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { hashBytes } from '#/kernel/byte-table.ts'
import type { MetricLeaf } from '#/logs/logql/planner/plan.ts'
import { isWanted, sketchBucket, type KeySketch } from '#/logs/read/scan/key-sketch.ts'
import { bucketOrder, hashOfKey, KeyListWriter, TotalsWriter } from '#/logs/read/scan/keyed-totals.ts'
import type { DiffsResult } from '#/logs/read/scan/scan-job.ts'
import { labelsKey, type SeriesLabels } from '#/series/labels.ts'
import { constantSeries, sortedByLabels, type Series } from '#/series/series-set.ts'
import { keepExtremes, type Extremes } from '#/series/top-k.ts'
import { KeyedLeafTotals } from './keyed-totals.ts'

/** Rows by user; '' has none. */
type Job = { readonly totals: ReadonlyMap<string, number>; readonly isRetried: boolean }

const leaf = { measure: 'rows', grouping: { kind: 'by', labels: ['user'] } } as unknown as MetricLeaf
const noDiffs = { kind: 'samples', firstStep: 0, width: 2, series: [], valueDiffs: undefined } as const

function labelsOf(user: string): SeriesLabels {
  return user === '' ? [] : [['user', user]]
}

function putKey(writer: TotalsWriter | KeyListWriter, user: string): void {
  if (user === '') writer.none()
  else writer.value(Buffer.from(user), 0, Buffer.byteLength(user))
}

function hashOf(user: string): number {
  return user === '' ? 0 : hashBytes(Buffer.from(user), 0, Buffer.byteLength(user))
}

/** What a worker thread does. It may list keys that nobody wants. */
function run({ totals, isRetried }: Job, sketch: KeySketch | undefined): DiffsResult {
  const rows = [...totals.values()].reduce((sum, total) => sum + total, 0)
  const counts = { rows, lineBytes: 0, metadataBytes: 0, passedRows: rows, filteredPages: 0 }
  const base = { ...noDiffs, counts, rowDiffs: new Float64Array(0) }
  const users = [...totals.keys()]
  if (sketch === undefined) {
    const { order, buckets } = bucketOrder(Uint32Array.from(users, hashOf))
    const writer = new TotalsWriter(0)
    for (const i of order) {
      writer.enter(buckets[i]!)
      putKey(writer, users[i]!)
      writer.total(totals.get(users[i]!)!)
    }
    return { ...base, keyed: writer.finish() }
  }
  const list = new KeyListWriter(0)
  for (const user of users) {
    const bucket = sketchBucket(hashOf(user))
    if (isWanted(sketch.wanted, bucket) || user.length % 5 === 4) {
      putKey(list, user)
      list.total(totals.get(user)!)
    } else if (sketch.rows !== undefined) sketch.rows[bucket]! += totals.get(user)! * (isRetried ? 2 : 1)
  }
  return { ...base, listed: list.finish(), isPartial: true }
}

type Found = { readonly series: readonly Series[]; readonly passes: number; readonly isSketched: boolean }

async function evaluate(jobs: readonly Job[], keep: Extremes, manyBytes: number): Promise<Found> {
  const shareBytes = 2 ** 26
  let held = 0
  const query = {
    shareBytes,
    concurrency: 2,
    reserve: async (bytes: number) => void (held += bytes),
    release: (bytes: number) => void (held -= bytes),
  }
  const takeMemory = (bytes: number): SharedArrayBuffer => {
    const memory = new SharedArrayBuffer(bytes)
    new Uint8Array(memory).fill(0xa5)
    return memory
  }
  const part = { index: 0, count: 1 }
  const totals = new KeyedLeafTotals(query, leaf, { keep, part, divisor: 1, takeMemory, manyBytes })
  let passes = 0
  let isSketched = false
  const runNext = async (left: Job[]): Promise<void> => {
    for (let job = left.shift(); job !== undefined; job = left.shift()) {
      const sketch = totals.borrowSketch()
      isSketched ||= totals.isSketched
      await Promise.resolve()
      await totals.add(run(job, sketch))
      if (sketch !== undefined) totals.giveBackSketch(sketch)
    }
  }
  do {
    const left = [...jobs]
    await Promise.all([runNext(left), runNext(left)])
    passes++
  } while (totals.asksAgain())
  const series = [...totals.series()].filter((one) => one !== undefined)
  totals.release()
  assert.equal(held, 0)
  return { series: sortedByLabels(series), passes, isSketched }
}

function define(jobs: readonly Job[], keep: Extremes): readonly Series[] {
  const sums = new Map<string, number>()
  for (const { totals } of jobs) for (const [user, total] of totals) sums.set(user, (sums.get(user) ?? 0) + total)
  const all = [...sums].map(([user, total]) => constantSeries(labelsOf(user), 1, total))
  return sortedByLabels(keepExtremes(all, 1, keep))
}

const user = fc.oneof(
  { weight: 1, arbitrary: fc.constant('') },
  { weight: 4, arbitrary: fc.nat(8).map((n) => `often-${n}`) },
  { weight: 8, arbitrary: fc.nat(99_999).map((n) => `u-${n}`) },
)
const total = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 1, max: 3 }) },
  { weight: 1, arbitrary: fc.constantFrom(50, 51, 200, 5000, 2 ** 20) },
)
const job: fc.Arbitrary<Job> = fc.record({
  totals: fc.array(fc.tuple(user, total), { maxLength: 60 }).map((pairs) => new Map(pairs)),
  isRetried: fc.boolean(),
})

test('the best of many keys are the same whether all are held or few', async () => {
  let sketched = 0
  const property = fc.asyncProperty(
    fc.array(job, { maxLength: 12 }),
    fc.integer({ min: 1, max: 6 }),
    fc.constantFrom(1, 400, 100_000),
    async (jobs, k, manyBytes) => {
      const keep = { op: 'topk', k } as const
      const { series, isSketched } = await evaluate(jobs, keep, manyBytes)
      if (isSketched) sketched++
      assert.deepEqual(
        series.map(({ labels, values }) => [labelsKey(labels), values[0]]),
        define(jobs, keep).map(({ labels, values }) => [labelsKey(labels), values[0]]),
      )
    },
  )
  await fc.assert(property, { numRuns: 300 })
  assert.ok(sketched > 0, 'no case had many keys')
})

const jobOf = (pairs: Iterable<readonly [string, number]>): Job => ({ totals: new Map(pairs), isRetried: false })
const keep = { op: 'topk', k: 3 } as const
const often = ['a', 'b', 'c', 'd'].map((name, i) => [name, 1000 + i] as const)
const seldom = (from: number, count: number, rows: number): (readonly [string, number])[] =>
  Array.from({ length: count }, (_, i) => [`u-${from + i}`, rows] as const)

test('one pass is enough when the first jobs have the best keys', async () => {
  const jobs = Array.from({ length: 10 }, (_, i) => jobOf([...often, ...seldom(i * 1000, 1000, 2)]))
  const { series, passes, isSketched } = await evaluate(jobs, keep, 10_000)
  assert.deepEqual(series, define(jobs, keep))
  assert.deepEqual({ passes, isSketched }, { passes: 1, isSketched: true })
})

test('a key that comes late is counted in a second pass, and so is one that is as good as the last', async () => {
  const early = Array.from({ length: 4 }, (_, i) => jobOf([...often, ...seldom(i * 1000, 1000, 2)]))
  for (const rows of [9000, 4008]) {
    // 4 jobs give `b` 4004 rows, `c` 4008, `d` 4012
    const jobs = [...early, jobOf([['bb', rows], ...seldom(9000, 500, 1)])]
    const { series, passes } = await evaluate(jobs, keep, 10_000)
    assert.deepEqual(series, define(jobs, keep))
    assert.equal(passes, 2)
  }
})

test('keys that are too much alike for buckets are all counted', async () => {
  const jobs = [
    jobOf([...often, ...seldom(0, 1000, 1)]),
    ...[1, 2, 3, 4].map((i) => jobOf(seldom(i * 10_000, 10_000, 2000))),
  ]
  const { series, passes, isSketched } = await evaluate(jobs, keep, 10_000)
  assert.deepEqual(series, define(jobs, keep))
  assert.deepEqual({ passes, isSketched }, { passes: 2, isSketched: true })
  const flat = [1, 2, 3, 4].map((i) => jobOf(seldom(i * 1000, 1000, 3)))
  assert.equal((await evaluate(flat, keep, 10_000)).isSketched, false)
})

test('the hash of a key is that of its values', () => {
  const list = new KeyListWriter(0)
  for (const name of ['', 'x', 'u-17', 'ü'.repeat(100)]) {
    const start = list.sizeBytes
    putKey(list, name)
    assert.equal(hashOfKey(list.finish(), start, 1), hashOf(name))
  }
})
