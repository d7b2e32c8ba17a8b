/** Totals by keys against a map of label sets, whatever the jobs were, and however little memory there is. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { BadRequest, EddaError } from '#/kernel/errors.ts'
import type { MetricLeaf } from '#/logs/logql/planner/plan.ts'
import { hashBytes } from '#/kernel/byte-table.ts'
import {
  bucketOrder,
  nextKeyHash,
  NO_VALUE_HASH,
  TotalsWriter,
  type KeyedTotals,
} from '#/logs/read/scan/keyed-totals.ts'
import type { DiffsResult } from '#/logs/read/scan/scan-job.ts'
import { keyNames } from '#/series/label-keys.ts'
import { labelsKey, type SeriesLabels } from '#/series/labels.ts'
import { constantSeries, sortedByLabels, type Series } from '#/series/series-set.ts'
import { keepExtremes, type Extremes } from '#/series/top-k.ts'
import { KeyedLeafTotals, TooManyKeys } from './keyed-totals.ts'

const names = ['app', 'user']
const counts = { rows: 0, lineBytes: 0, metadataBytes: 0, passedRows: 0, filteredPages: 0 }

type Job = { readonly isKeyed: boolean; readonly totals: ReadonlyMap<string, number> }

/** `a` or `a/u1`, where either may be missing. */
const series = fc.oneof(
  fc
    .tuple(fc.constantFrom('', 'a', 'b'), fc.oneof(fc.constant(''), fc.nat(60).map(String)))
    .map((parts) => parts.join('/')),
  fc.constantFrom('a/x', 'b/x', '/x', '/'),
)
const job: fc.Arbitrary<Job> = fc.record({
  isKeyed: fc.boolean(),
  totals: fc
    .array(fc.tuple(series, fc.oneof(fc.integer({ min: 1, max: 5 }), fc.constantFrom(127, 128, 2 ** 32, 2 ** 40))), {
      maxLength: 80,
    })
    .map((pairs) => new Map(pairs)),
})

function labelsOf(text: string): SeriesLabels {
  return text.split('/').flatMap((value, i) => (value === '' ? [] : [[names[i]!, value] as const]))
}

function resultOf({ isKeyed, totals }: Job): DiffsResult {
  const all = [...totals].map(([text, total]) => ({ labels: labelsOf(text), total }))
  const base = { kind: 'samples', counts, firstStep: 0, width: 2, valueDiffs: undefined } as const
  if (isKeyed) return { ...base, series: [], rowDiffs: new Float64Array(0), keyed: keyedOf(all) }
  return {
    ...base,
    series: all.map(({ labels }) => labels),
    rowDiffs: Float64Array.from(all.flatMap(({ total }) => [total, -total])),
  }
}

function keyedOf(all: readonly { readonly labels: SeriesLabels; readonly total: number }[]): KeyedTotals {
  const values = all.map(({ labels }) => keyNames(names).map((name) => labels.find(([other]) => other === name)?.[1]))
  const hashOf = (text: string | undefined): number =>
    text === undefined ? NO_VALUE_HASH : hashBytes(Buffer.from(text), 0, Buffer.byteLength(text))
  const { order, buckets } = bucketOrder(
    Uint32Array.from(values, (texts) => texts.reduce((hash, text) => nextKeyHash(hash, hashOf(text)), 0)),
  )
  const writer = new TotalsWriter(0)
  for (const i of order) {
    writer.enter(buckets[i]!)
    for (const text of values[i]!) {
      if (text === undefined) writer.none()
      else writer.value(Buffer.from(text), 0, Buffer.byteLength(text))
    }
    writer.total(all[i]!.total)
  }
  return writer.finish()
}

async function evaluate(
  jobs: readonly Job[],
  keep: Extremes | undefined,
  shareBytes: number,
  passes: number,
): Promise<Series[]> {
  const found: Series[] = []
  for (let index = 0; index < passes; index++) {
    let held = 0
    const run = {
      shareBytes,
      concurrency: 2,
      reserve: async (bytes: number) => {
        held += bytes
        if (held > shareBytes) throw new BadRequest('too much')
      },
      release: (bytes: number) => void (held -= bytes),
    }
    const leaf = { grouping: { kind: 'by', labels: ['user', 'app', 'user'] } } as unknown as MetricLeaf
    const totals = new KeyedLeafTotals(run, leaf, { keep, part: { index, count: passes }, divisor: 4 })
    // two at a time, as threads come
    for (let i = 0; i < jobs.length; i += 2) {
      await Promise.all(jobs.slice(i, i + 2).map((one) => totals.add(resultOf(one))))
    }
    for (const one of totals.series()) if (one !== undefined) found.push(one)
    totals.release()
    assert.equal(held, 0)
  }
  return found
}

function define(jobs: readonly Job[], keep: Extremes | undefined): Series[] {
  const sums = new Map<string, { labels: SeriesLabels; total: number }>()
  for (const { totals } of jobs) {
    for (const [text, total] of totals) {
      const labels = labelsOf(text)
      const sum = sums.get(labelsKey(labels)) ?? { labels, total: 0 }
      sums.set(labelsKey(labels), { labels, total: sum.total + total })
    }
  }
  const all = [...sums.values()].map(({ labels, total }) => constantSeries(labels, 1, total / 4))
  return keep === undefined ? all : keepExtremes(all, 1, keep)
}

const keep = fc.option(fc.record({ op: fc.constantFrom('topk' as const, 'bottomk' as const), k: fc.nat(8) }), {
  nil: undefined,
})

test('all series, or the best of them, are found, in one pass or in several', async () => {
  const property = fc.asyncProperty(
    fc.array(job, { maxLength: 6 }),
    keep,
    fc.constantFrom(1, 3),
    async (jobs, best, passes) => {
      const found = await evaluate(jobs, best, 2 ** 26, passes)
      const final = best === undefined ? found : keepExtremes(found, 1, best)
      assert.deepEqual(sortedByLabels(final), sortedByLabels(define(jobs, best)))
      if (best !== undefined) assert.ok(found.length <= best.k * passes)
    },
  )
  await fc.assert(property, { numRuns: 200 })
})

test('equal keys of many jobs are put together before memory is short', async () => {
  const totals = new Map(Array.from({ length: 3000 }, (_, i) => [`a/${i}`, 1]))
  const jobs = Array.from({ length: 40 }, () => ({ isKeyed: true, totals }))
  // a job has 76 kB, all of them 3 MB
  const found = await evaluate(jobs, { op: 'topk', k: 3 }, 400_000, 1)
  assert.deepEqual(
    found.map(({ values }) => values[0]),
    [10, 10, 10],
  )
})

test('too many keys for one pass are an error that says so, and fit into several', async () => {
  const jobs = Array.from({ length: 40 }, (_, job) => ({
    isKeyed: true,
    totals: new Map(Array.from({ length: 1000 }, (__, i) => [`a/${job * 1000 + i}`, i === 7 && job === 3 ? 9 : 1])),
  }))
  const best = { op: 'topk', k: 1 } as const
  await assert.rejects(evaluate(jobs, best, 900_000, 1), (error: unknown) => {
    assert.ok(error instanceof TooManyKeys && error.reason instanceof EddaError)
    assert.match(error.reason.message, /^the \d+ series found so far need more than the 900000B of memory/)
    return true
  })
  const found = await evaluate(jobs, best, 900_000, 9)
  assert.deepEqual(keepExtremes(found, 1, best), [
    constantSeries(
      [
        ['app', 'a'],
        ['user', '3007'],
      ],
      1,
      9 / 4,
    ),
  ])
})

test('series that nobody asked to leave out must fit as objects', async () => {
  const totals = new Map(Array.from({ length: 3000 }, (_, i) => [`a/${i}`, 1]))
  await assert.rejects(
    evaluate([{ isKeyed: true, totals }], undefined, 300_000, 1),
    /series found so far need more than/,
  )
})
