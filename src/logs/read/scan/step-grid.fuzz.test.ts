import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { absoluteNs, dayStartNs, NS_PER_DAY } from '#/logs/model/day.ts'
import { cellOf } from '#/storage/column/value-cells.ts'
import { testSeed } from '#/kernel/fixture/test-seed.ts'
import { StepGrid, type StepWindow } from './step-grid.ts'

const DAY = BigInt(NS_PER_DAY)
const YEAR = 365n * DAY

/** The steps of an entry by the definition: T - range < t ≤ T. */
function stepsByDefinition({ startNs, stepNs, stepCount, rangeNs }: StepWindow, ns: bigint): number[] {
  return Array.from({ length: stepCount }, (_, step) => step).filter((step) => {
    const at = startNs + BigInt(step) * stepNs
    return at - rangeNs < ns && ns <= at
  })
}

const nearBorders = (max: bigint): fc.Arbitrary<bigint> =>
  fc.oneof(
    fc.bigInt({ min: 1n, max }),
    fc
      .constantFrom(1n, 2n, 1_000_000_000n, 60_000_000_000n, 3_600_000_000_000n, DAY - 1n, DAY, DAY + 1n, 120n * DAY)
      .filter((ns) => ns <= max),
  )

const window = fc.record({
  day: fc.constantFrom(0, 20_000, -5, 106_751, -106_752, 3_000_000),
  /** Start less the beginning of the day. */
  ahead: fc.oneof(
    fc.bigInt({ min: -2n * DAY, max: 2n * DAY }),
    fc.bigInt({ min: -1000n, max: 1000n }),
    fc.bigInt({ min: -300n * YEAR, max: 300n * YEAR }),
  ),
  stepNs: nearBorders(10n * YEAR),
  stepCount: fc.integer({ min: 1, max: 40 }),
  rangeNs: nearBorders(3n * YEAR),
})

test('an entry counts at the steps of the definition, at any distance', () => {
  fc.assert(
    fc.property(
      window,
      fc.array(fc.bigInt({ min: 0n, max: DAY - 1n }), { minLength: 1, maxLength: 5 }),
      (one, offsets) => {
        const { day, ahead, ...rest } = one
        const steps: StepWindow = { ...rest, startNs: dayStartNs(day) + ahead }
        const grid = new StepGrid(steps, day)
        // the times that matter most: at, before and behind each border of a window
        const borders = Array.from({ length: steps.stepCount }, (_, i) => ahead + BigInt(i) * steps.stepNs)
          .flatMap((at) => [at, at - steps.rangeNs])
          .flatMap((at) => [at - 1n, at, at + 1n])
          .filter((at) => at >= 0n && at < DAY)
        for (const offset of [...offsets, ...borders, 0n, DAY - 1n]) {
          const expected = stepsByDefinition(steps, absoluteNs(day, Number(offset)))
          grid.locate(Number(offset))
          const found = Array.from(
            { length: Math.max(0, grid.leaveStep - grid.enterStep) },
            (_, i) => grid.enterStep + i,
          )
          assert.deepEqual(found, expected)
          assert(
            Number(offset) > grid.validAfter && Number(offset) <= grid.validTo,
            'an answer is valid for its own time',
          )
        }
      },
    ),
    { numRuns: 300 },
  )
})

test('the answer is the same for all times that it claims to be valid for', () => {
  fc.assert(
    fc.property(
      window,
      fc.bigInt({ min: 0n, max: DAY - 1n }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (one, offset, share) => {
        const { day, ahead, ...rest } = one
        const grid = new StepGrid({ ...rest, startNs: dayStartNs(day) + ahead }, day)
        grid.locate(Number(offset))
        const { enterStep, leaveStep, validAfter, validTo } = grid
        const [from, to] = [Math.max(0, validAfter + 1), Math.min(NS_PER_DAY - 1, validTo)]
        for (const time of [from, to, from + Math.floor((to - from) * share)]) {
          grid.locate(time)
          assert.deepEqual([grid.enterStep, grid.leaveStep], [enterStep, leaveStep])
        }
      },
    ),
    { numRuns: 300 },
  )
})

test('numbered pieces tell the steps of each time, and none of what lies outside of the range', () => {
  const share = fc.double({ min: 0, max: 1, noNaN: true })
  fc.assert(
    fc.property(window, share, share, fc.array(share, { minLength: 1, maxLength: 8 }), (one, a, b, shares) => {
      const { day, ahead, ...rest } = one
      const grid = new StepGrid({ ...rest, startNs: dayStartNs(day) + ahead }, day)
      const [from, to] = [Math.min(a, b), Math.max(a, b)].map((at) => Math.floor(at * (NS_PER_DAY - 1))) as [
        number,
        number,
      ]
      const cells = grid.cells(from, to + 1, 100_000)
      if (cells === undefined) return
      for (const time of [from, to, ...shares.map((at) => Math.floor(at * (NS_PER_DAY - 1)))]) {
        const cell = cellOf(cells.grid, time)
        assert.ok(cell >= 0 && cell < cells.count, `cell ${cell} of ${cells.count}`)
        grid.locate(time)
        const isCounted = time >= from && time <= to && grid.enterStep < grid.leaveStep
        const expected = isCounted ? [grid.enterStep, grid.leaveStep] : [0, 0]
        assert.deepEqual([cells.enterStep[cell], cells.leaveStep[cell]], expected)
        assert.equal(cell === 0, time < from || time > to)
      }
    }),
    { seed: testSeed, numRuns: 500 },
  )
})

test('a range of times covers the steps of each time in it', () => {
  const minute = 60_000_000_000n
  const grid = new StepGrid({ startNs: minute, stepNs: minute, stepCount: 10, rangeNs: minute }, 0)
  assert.deepEqual(grid.stepsOf(0, 0), { first: 0, last: 0 })
  assert.deepEqual(grid.stepsOf(1, 60e9), { first: 0, last: 1 })
  assert.deepEqual(grid.stepsOf(1, 60e9 + 1), { first: 0, last: 2 })
  assert.deepEqual(grid.stepsOf(600e9 + 1, 700e9), { first: 10, last: 10 })
})
