/** Results in the window of a block, moved into the steps of a query, are what the query would have found itself. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { dayStartNs } from '#/logs/model/day.ts'
import { DiffTable } from '#/logs/read/scan/diff-table.ts'
import type { DiffsResult } from '#/logs/read/scan/scan-job.ts'
import { Segments } from '#/logs/read/scan/segments.ts'
import { SeriesSlots } from '#/logs/read/scan/series-slots.ts'
import { StepGrid, type StepWindow } from '#/logs/read/scan/step-grid.ts'
import { blockGrid, segmentsInQuery, shiftDiffs } from './block-grid.ts'

const DAY = 20_000

const windows = fc
  .record({
    ahead: fc.integer({ min: -60, max: 160 }),
    step: fc.integer({ min: 1, max: 30 }),
    stepCount: fc.integer({ min: 1, max: 12 }),
    range: fc.integer({ min: 1, max: 70 }),
  })
  .map(({ ahead, step, stepCount, range }): StepWindow => {
    const startNs = dayStartNs(DAY) + BigInt(ahead)
    return { startNs, stepNs: BigInt(step), stepCount, rangeNs: BigInt(range) }
  })
const rows = fc.array(fc.record({ time: fc.integer({ min: 0, max: 100 }), series: fc.nat(2) }), { minLength: 1 })
type Row = { readonly time: number; readonly series: number }

const timesOf = (all: readonly Row[]): { readonly minTime: number; readonly maxTime: number } => ({
  minTime: Math.min(...all.map(({ time }) => time)),
  maxTime: Math.max(...all.map(({ time }) => time)),
})

/** As a job counts them. */
function diffsOf(all: readonly Row[], window: StepWindow): DiffsResult {
  const grid = new StepGrid(window, DAY)
  const slots = new SeriesSlots()
  const { minTime, maxTime } = timesOf(all)
  const { first, last } = grid.stepsOf(minTime, maxTime + 1)
  const width = Math.max(last - first, 0) + 1
  const table = new DiffTable(slots, { firstStep: first, width, hasValues: true, maxBytes: 1e9 })
  for (const { time, series } of all) {
    grid.locate(time)
    if (grid.enterStep >= grid.leaveStep) continue
    table.add(slots.of([['s', String(series)]]), grid.enterStep, grid.leaveStep, 1, time)
  }
  const counts = { rows: 0, lineBytes: 0, metadataBytes: 0, passedRows: 0, filteredPages: 0 }
  return { ...table.finish(), counts }
}

/** Count and sum at each step by series. */
function totalsOf({ series, firstStep, width, rowDiffs, valueDiffs }: DiffsResult, stepCount: number): unknown {
  const totals: Record<string, unknown> = {}
  for (const [slot, labels] of series.entries()) {
    const [counts, sums] = [new Array<number>(stepCount).fill(0), new Array<number>(stepCount).fill(0)]
    let [count, sum] = [0, 0]
    for (let step = firstStep; step < stepCount; step++) {
      if (step < firstStep + width) {
        count += rowDiffs[slot * width + step - firstStep]!
        sum += valueDiffs![slot * width + step - firstStep]!
      }
      counts[step] = count
      sums[step] = sum
    }
    totals[labels[0]![1]] = { counts, sums }
  }
  return totals
}

test('counts and sums, wherever the block lies', () => {
  fc.assert(
    fc.property(windows, rows, (query, all) => {
      const grid = blockGrid(query, DAY, timesOf(all))
      if (grid === undefined) return assert.deepEqual(diffsOf(all, query).series, [])
      const { stepCount } = query
      const moved = shiftDiffs(diffsOf(all, grid.window), grid.shift, stepCount)
      assert(moved.firstStep >= 0 && moved.firstStep + moved.width <= stepCount + 1)
      assert.deepEqual(totalsOf(moved, stepCount), totalsOf(diffsOf(all, query), stepCount))
    }),
    { numRuns: 2000 },
  )
})

test('a key stands for one place among the steps', () => {
  fc.assert(
    fc.property(windows, rows, fc.integer({ min: -5, max: 5 }), (query, all, steps) => {
      const moved = { ...query, startNs: query.startNs + BigInt(steps) * query.stepNs }
      const [one, other] = [blockGrid(query, DAY, timesOf(all)), blockGrid(moved, DAY, timesOf(all))]
      if (one === undefined || other === undefined || one.key === 'all' || other.key === 'all') return
      assert.equal(one.key, other.key)
      assert.deepEqual(one.window, other.window)
      const between = { ...query, startNs: query.startNs + 1n }
      if (query.stepNs > 1n) assert.notEqual(blockGrid(between, DAY, timesOf(all))?.key, one.key)
    }),
    { numRuns: 500 },
  )
})

test('segments, where the steps of the query have all those of the block', () => {
  let moved = 0
  fc.assert(
    fc.property(windows, rows, (query, all) => {
      const grid = blockGrid(query, DAY, timesOf(all))
      const segments = grid && segmentsInQuery(grid, query)
      if (grid === undefined || segments === undefined) return
      moved++
      const [own, other] = [new StepGrid(grid.window, DAY), new StepGrid(query, DAY)]
      for (const { time } of all) {
        own.locate(time)
        other.locate(time)
        assert.equal(own.enterStep < own.leaveStep, other.enterStep < other.leaveStep)
        if (own.enterStep >= own.leaveStep) continue
        const of = (window: StepWindow, { enterStep, leaveStep }: StepGrid): number =>
          new Segments(window).of(enterStep, leaveStep)
        assert.equal(segments[of(grid.window, own)], of(query, other))
      }
    }),
    { numRuns: 2000 },
  )
  assert(moved > 50)
})
