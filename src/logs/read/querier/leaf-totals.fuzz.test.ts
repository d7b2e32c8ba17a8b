/** Range functions by jobs, segments and sliding windows against their definitions: filter the samples of a window, sort, fold. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { MetricLeaf } from '#/logs/logql/planner/plan.ts'
import { CellTable } from '#/logs/read/scan/cell-table.ts'
import { MAX_EXACT_VALUES } from '#/logs/read/scan/range/distinct.ts'
import { rangeFolds } from '#/logs/read/scan/range/index.ts'
import type { Sample } from '#/logs/read/scan/range/sample.ts'
import type { CellsResult } from '#/logs/read/scan/scan-job.ts'
import { Segments } from '#/logs/read/scan/segments.ts'
import { SeriesSlots } from '#/logs/read/scan/series-slots.ts'
import { StepGrid, type StepWindow } from '#/logs/read/scan/step-grid.ts'
import type { SeriesLabels } from '#/series/labels.ts'
import { leafTotals } from './leaf-totals.ts'

type Point = { readonly series: string; readonly time: number; readonly value: number; readonly text: string }
type Naive = (values: readonly number[], context: { times: readonly number[]; end: number; range: number }) => number

const isNumber = (value: number): boolean => !Number.isNaN(value)
const totalOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0)
const meanOf: Naive = (values) =>
  values.every(Number.isFinite) ? values.reduce((sum, value) => sum + value / values.length, 0) : totalOf(values)
const varianceOf: Naive = (values, context) => {
  const mean = meanOf(values, context)
  return meanOf(
    values.map((value) => (value - mean) ** 2),
    context,
  )
}
const extremeOf =
  (pick: (...values: number[]) => number): Naive =>
  (values) =>
    values.some(isNumber) ? pick(...values.filter(isNumber)) : NaN
const quantileOf =
  (q: number): Naive =>
  (values) => {
    if (q < 0 || q > 1) return q < 0 ? -Infinity : Infinity
    const sorted = [...values.filter((value) => !isNumber(value)), ...values.filter(isNumber).toSorted((a, b) => a - b)]
    const rank = q * (sorted.length - 1)
    const lower = Math.floor(rank)
    const upper = Math.min(sorted.length - 1, lower + 1)
    return sorted[lower]! * (1 - (rank - lower)) + sorted[upper]! * (rank - lower)
  }
const counterOf: Naive = (values, { times, end, range }) => {
  if (values.length < 2) return 0
  let delta = values.at(-1)! - values[0]!
  for (let i = 1; i < values.length; i++) if (values[i]! < values[i - 1]!) delta += values[i - 1]!
  const sampled = times.at(-1)! - times[0]!
  const average = sampled / (values.length - 1)
  let toStart = times[0]! - (end - range)
  let toEnd = end - times.at(-1)!
  if (toStart >= average * 1.1) toStart = average / 2
  if (toEnd >= average * 1.1) toEnd = average / 2
  if (delta > 0 && values[0]! >= 0) toStart = Math.min(toStart, sampled * (values[0]! / delta))
  return (delta * ((sampled + toStart + toEnd) / sampled)) / (range / 1e9)
}

const naive: Readonly<Record<string, Naive>> = {
  rate: (values, { range }) => totalOf(values) / (range / 1e9),
  sum_over_time: totalOf,
  avg_over_time: meanOf,
  min_over_time: extremeOf(Math.min),
  max_over_time: extremeOf(Math.max),
  stdvar_over_time: varianceOf,
  stddev_over_time: (values, context) => Math.sqrt(varianceOf(values, context)),
  first_over_time: (values) => values[0]!,
  last_over_time: (values) => values.at(-1)!,
  rate_counter: counterOf,
}

type Case = { readonly window: StepWindow; readonly points: readonly Point[]; readonly jobs: readonly number[] }

const DAY_START = 3n * 86_400_000_000_000n
const start = 40_000

function leafOf(op: string, { rangeNs }: StepWindow, parameter?: number): MetricLeaf {
  return { op, parameter, measure: 'value', perSecond: op === 'rate', rangeNs } as MetricLeaf
}

const unlimited = { shareBytes: 1e9, reserve: async () => undefined }

/** Values by series and step; undefined where there is no sample. */
async function evaluate(
  leaf: MetricLeaf,
  { window, points, jobs }: Case,
): Promise<Map<string, (number | undefined)[]>> {
  const totals = leafTotals(unlimited, leaf, window)
  for (const job of new Set(jobs)) {
    const own = points.map((point, position) => ({ ...point, position })).filter((_, i) => jobs[i] === job)
    await totals.add(collect(leaf, window, own))
  }
  return new Map(
    Array.from(totals.series())
      .flatMap((series) => (series ? [series] : []))
      .map(({ labels, values, present }) => [
        labels[0]![1],
        Array.from(values, (value, step) => (present[step] === 1 ? value : undefined)),
      ]),
  )
}

function collect(leaf: MetricLeaf, window: StepWindow, points: readonly (Point & { position: number })[]): CellsResult {
  const grid = new StepGrid(window, 3)
  const segments = new Segments(window)
  const series = new SeriesSlots()
  const collector = rangeFolds.get(leaf.op)!.collect()
  const table = new CellTable(series, collector, { op: leaf.op, firstSegment: 0, width: segments.count, maxBytes: 1e9 })
  const sample: Sample = { value: 0, text: '', time: 0, position: 0 }
  for (const point of points) {
    grid.locate(point.time)
    if (grid.enterStep >= grid.leaveStep) continue
    Object.assign(sample, { ...point, time: point.time - start })
    const labels: SeriesLabels = [['s', point.series]]
    table.add(series.of(labels), segments.of(grid.enterStep, grid.leaveStep), sample)
  }
  return { ...table.finish(), counts: { rows: 0, lineBytes: 0, metadataBytes: 0, passedRows: 0, filteredPages: 0 } }
}

/** The same, by definition. `fold` gets the samples of a window in order. */
function define({ window, points }: Case, fold: (points: readonly Point[], end: number) => number) {
  const result = new Map<string, (number | undefined)[]>()
  for (const series of new Set(points.map((point) => point.series))) {
    const own = points.filter((point) => point.series === series).toSorted((a, b) => a.time - b.time)
    const values = Array.from({ length: window.stepCount }, (_, step) => {
      const end = start + step * Number(window.stepNs)
      const inside = own.filter(({ time }) => time > end - Number(window.rangeNs) && time <= end)
      return inside.length === 0 ? undefined : fold(inside, end)
    })
    if (values.some((value) => value !== undefined)) result.set(series, values)
  }
  return result
}

function assertClose(actual: number | undefined, expected: number | undefined, tolerance: number): void {
  const isClose = Object.is(actual, expected) || Math.abs(actual! - expected!) <= tolerance || actual === expected
  assert(isClose, `${actual} is ${expected} within ${tolerance}`)
}

const value = fc.oneof(
  { weight: 10, arbitrary: fc.integer({ min: -5, max: 20 }) },
  { weight: 10, arbitrary: fc.double({ min: -1e6, max: 1e6, noNaN: true }) },
  { weight: 1, arbitrary: fc.constantFrom(NaN, Infinity, -Infinity) },
)
const point = fc.record({
  series: fc.constantFrom('a', 'b'),
  time: fc.integer({ min: start - 1200, max: start + 1500 }),
  value,
  text: fc.constantFrom('x', 'y', 'z', 'w', 'longer text 1', 'longer text 2'),
})
const anyCase: fc.Arbitrary<Case> = fc
  .record({
    step: fc.integer({ min: 1, max: 200 }),
    stepCount: fc.integer({ min: 1, max: 40 }),
    range: fc.oneof(fc.integer({ min: 1, max: 1000 }), fc.integer({ min: 1, max: 12 })),
    isMultiple: fc.boolean(),
    points: fc.array(fc.tuple(point, fc.integer({ min: 0, max: 3 })), { maxLength: 60 }),
  })
  .map(({ step, stepCount, range, isMultiple, points }) => ({
    window: {
      startNs: DAY_START + BigInt(start),
      stepNs: stepCount === 1 ? 0n : BigInt(step),
      stepCount,
      rangeNs: BigInt(isMultiple ? (range % 12) * step + step : range),
    },
    points: points.map(([one]) => one),
    jobs: points.map(([, job]) => job),
  }))

for (const [op, fold] of Object.entries(naive)) {
  test(`${op} is what its definition says`, async () => {
    await fc.assert(
      fc.asyncProperty(anyCase, async (one) => {
        const range = Number(one.window.rangeNs)
        const expected = define(one, (points, end) =>
          fold(
            points.map((each) => each.value),
            { times: points.map(({ time }) => time), end, range },
          ),
        )
        const actual = await evaluate(leafOf(op, one.window), one)
        assert.deepEqual([...actual.keys()].toSorted(), [...expected.keys()].toSorted())
        const largest = Math.max(
          1,
          ...one.points.map((each) => (Number.isFinite(each.value) ? Math.abs(each.value) : 0)),
        )
        const scale = { stdvar_over_time: largest ** 2, stddev_over_time: largest * 1e4 }[op] ?? largest * 60
        const unit = op === 'rate' || op === 'rate_counter' ? 1e9 / range : 1
        for (const [series, values] of expected) {
          for (const [step, each] of values.entries()) {
            const tolerance = 1e-11 * scale * unit * (op === 'rate_counter' ? 1e4 : 1)
            assertClose(actual.get(series)![step], each, tolerance)
          }
        }
      }),
    )
  })
}

test('quantile_over_time is what sorting finds', async () => {
  const q = fc.oneof(fc.double({ min: 0, max: 1, noNaN: true }), fc.constantFrom(0, 0.5, 0.99, 1, -0.1, 1.1))
  await fc.assert(
    fc.asyncProperty(anyCase, q, async (one, parameter) => {
      const fold = quantileOf(parameter)
      const expected = define(one, (points) =>
        fold(
          points.map((each) => each.value),
          { times: [], end: 0, range: 0 },
        ),
      )
      const actual = await evaluate(leafOf('quantile_over_time', one.window, parameter), one)
      assert.deepEqual(new Map(actual), expected)
    }),
  )
})

test('count_distinct_over_time is the size of a set', async () => {
  await fc.assert(
    fc.asyncProperty(anyCase, async (one) => {
      const expected = define(one, (points) => new Set(points.map(({ text }) => text)).size)
      assert.deepEqual(await evaluate(leafOf('count_distinct_over_time', one.window), one), expected)
    }),
  )
})

test('beyond its limit a count of different values is an estimate, in each window on its own', async () => {
  const window: StepWindow = { startNs: DAY_START + BigInt(start), stepNs: 100n, stepCount: 8, rangeNs: 300n }
  // new texts of each segment: windows of three segments pass the limit, and the fifth segment does alone
  const sizes = [10, 20_000, 20_000, 20_000, 90_000, 1000, 10, 10]
  const points = sizes.flatMap((size, segment) =>
    Array.from({ length: size }, (_, i) => {
      const time = start - 50 + segment * 100
      return { series: 'a', time, value: 0, text: `${segment}/${i}`, position: i }
    }),
  )
  const leaf = leafOf('count_distinct_over_time', window)
  const totals = leafTotals(unlimited, leaf, window)
  // the greater part of the fifth segment becomes a sketch
  for (const isTenth of [true, false])
    await totals.add(
      collect(
        leaf,
        window,
        points.filter((_, i) => (i % 10 === 0) === isTenth),
      ),
    )
  const [series] = Array.from(totals.series()).filter((one) => one !== undefined)
  assert(totals.isApproximate)
  const exact = sizes.map((_, step) => sizes.slice(Math.max(0, step - 2), step + 1).reduce((a, b) => a + b))
  for (const [step, count] of exact.entries()) {
    const value = series!.values[step]!
    if (count <= MAX_EXACT_VALUES) assert.equal(value, count)
    else assert(value !== count && Math.abs(value / count - 1) < 0.01, `${value} is about ${count}`)
  }
})

test('samples and series beyond the memory of the query stop it', async () => {
  const window = { startNs: DAY_START + BigInt(start), stepNs: 1n, stepCount: 1, rangeNs: 1000n }
  const leaf = leafOf('quantile_over_time', window, 0.5)
  const points = Array.from({ length: 2000 }, (_, i) => ({
    series: 'a',
    time: start - (i % 900),
    value: i,
    text: '',
    position: i,
  }))
  const poor = { shareBytes: 10_000, reserve: async () => undefined }
  await assert.rejects(leafTotals(poor, leaf, window).add(collect(leaf, window, points)), {
    message:
      'the samples that quantile_over_time must keep need more than the 10000B of memory that a query may use; ' +
      'group by fewer labels, add matchers or filters, or reduce the time range or the number of steps',
  })
  const sums = leafOf('sum_over_time', window)
  const many = points.map((each, i) => ({ ...each, series: `s${i}` }))
  await assert.rejects(
    leafTotals(poor, sums, window).add(collect(sums, window, many)),
    /the 2000 series found so far need more than the 10000B of memory that a query may use/,
  )
})
