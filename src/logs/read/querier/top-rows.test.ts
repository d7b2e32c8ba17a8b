import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Row } from '#/logs/logql/pipeline/row.ts'
import { LabelSetBuilder, labelsOfSet } from '#/logs/read/scan/label-sets.ts'
import { TailRows, type TailOrder } from '#/logs/read/scan/row-tail.ts'
import type { RowsResult } from '#/logs/read/scan/scan-job.ts'
import type { Direction } from '#/logs/wire/query.ts'
import { resultBytes } from './compact-rows.ts'
import { TopRows } from './top-rows.ts'

type OneRow = {
  readonly day: number
  readonly time: number
  readonly page: number
  readonly a: string
  readonly b: string
}

const value = fc.constantFrom('', '1', '2', '10', 'x', 'y', 'z')
const rows = fc.array(
  fc.record({
    day: fc.integer({ min: 0, max: 1 }),
    time: fc.integer({ min: 0, max: 20 }),
    page: fc.integer({ min: 0, max: 5 }),
    a: value,
    b: value,
  }),
  { maxLength: 120 },
)
const tails: readonly TailOrder[] = [
  { distinct: undefined, sort: undefined },
  { distinct: ['a'], sort: undefined },
  { distinct: ['a', 'b'], sort: undefined },
  { distinct: ['a', 'b'], sort: { label: 'b', descending: true } },
  { distinct: undefined, sort: { label: 'a', descending: false } },
]

const labelsOf = ({ a, b }: OneRow): Pick<Row, 'get' | 'forEachLabel'> => ({
  get: (name) => (name === 'a' ? a : b),
  forEachLabel: (visit) => {
    visit('a', a, 'parsed')
    visit('b', b, 'stream')
  },
})

/** All that is to be known of the rows that were found. */
const found = (top: TopRows): unknown[] =>
  top.rows.map(({ day, result, at }) => {
    const labels = labelsOfSet(result.labelSets, result.labelSet[at]!)
    const line = Buffer.from(result.lines.subarray(result.lineStart[at], result.lineStart[at + 1])).toString()
    return [day, result.time[at], result.order[at], result.row[at], line, labels]
  })

/** The answer of one job over `all`; the row's number is its position. */
function jobResult(all: readonly [OneRow, number][], limit: number, order: { direction: Direction; tail: TailOrder }) {
  const kept = new TailRows({ limit, ...order })
  const byNumber = new Map(all.map(([row, number]) => [number, row]))
  for (const [row, number] of all)
    if (kept.accepts(row.time, row.page, number)) kept.add(labelsOf(row), row.time, row.page, number)
  const sets = new LabelSetBuilder()
  const { time, order: pages, row: numbers } = kept.sorted()
  const labelSet = Uint32Array.from(numbers, (number) => sets.add(labelsOf(byNumber.get(number)!) as Row))
  const counts = { rows: 0, lineBytes: 0, metadataBytes: 0, passedRows: 0, filteredPages: 0 }
  const texts = Array.from(numbers, (number) => Buffer.from('x'.repeat(number % 3) + number))
  const lineStart = Uint32Array.from({ length: texts.length + 1 }, (_, i) => Buffer.concat(texts.slice(0, i)).length)
  const lines = { lineStart, lines: new Uint8Array(Buffer.concat(texts)) }
  const columns = { time, order: pages, row: numbers, labelSet, labelSets: sets.finish(), ...lines }
  const result: RowsResult = { kind: 'rows', counts, rowCount: time.length, ...columns }
  return result
}

test('jobs that keep only their best rows merge into the same rows as one job that sees all', () => {
  fc.assert(
    fc.property(
      rows,
      fc.constantFrom(...tails),
      fc.integer({ min: 0, max: 25 }),
      fc.constantFrom('forward' as const, 'backward' as const),
      fc.record({ jobs: fc.integer({ min: 1, max: 7 }), salt: fc.integer({ min: 0, max: 1000 }) }),
      (all, tail, limit, direction, { jobs, salt }) => {
        const order = { direction, tail }
        const numbered = all.map((row, number): [OneRow, number] => [row, number])
        const top = new TopRows(limit, order)
        const whole = new TopRows(limit, order)
        const refused: OneRow[] = []
        for (let job = 0; job < jobs; job++) {
          for (const day of [0, 1]) {
            const own = numbered.filter(
              ([row, number]) => row.day === day && ((number + 1) * (salt + 1)) % jobs === job,
            )
            // what is not asked for any more must not be missed
            const wanted = own.filter(([row]) => top.accepts(day, row.time))
            refused.push(...own.filter(([row]) => !top.accepts(day, row.time)).map(([row]) => row))
            top.merge(day, jobResult(wanted, limit, order))
            for (const [result, copy] of top.compact()) assert(resultBytes(copy) <= resultBytes(result))
            for (const [result, left] of Map.groupBy(top.rows, (found) => found.result))
              assert(left.length * 2 >= result.rowCount, `${left.length} of ${result.rowCount} rows are used`)
          }
        }
        for (const day of [0, 1]) {
          const own = numbered.filter(([row]) => row.day === day)
          whole.merge(day, jobResult(own, own.length, order))
        }
        assert.deepEqual(found(top), found(whole))
        if (tail.sort !== undefined && limit > 0) assert.equal(refused.length, 0)
      },
    ),
    { numRuns: 500 },
  )
})

test('stops asking for times behind the last row once there are enough combinations', () => {
  const row = (time: number, a: string): [OneRow, number] => [{ day: 0, time, page: 0, a, b: '' }, time]
  const order = { direction: 'backward', tail: { distinct: ['a'], sort: undefined } } as const
  const top = new TopRows(2, order)
  top.merge(0, jobResult([row(9, 'x'), row(8, 'x'), row(7, 'x')], 2, order))
  assert.equal(top.accepts(0, 1), true)
  top.merge(0, jobResult([row(6, 'x'), row(5, 'y')], 2, order))
  assert.equal(top.accepts(0, 4), false)
  assert.equal(top.accepts(0, 5), true)
  assert.deepEqual(
    top.rows.map(({ result, at }) => result.time[at]),
    [9, 5],
  )
})
