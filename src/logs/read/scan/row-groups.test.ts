import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Grouping } from '#/logs/logql/ast/nodes.ts'
import type { Row } from '#/logs/logql/pipeline/row.ts'
import { RowGroups } from './row-groups.ts'
import { seriesLabels } from './row-labels.ts'
import { SeriesSlots } from './series-slots.ts'

/** A row that has nothing but labels, in the order given. */
function rowOf(labels: readonly (readonly [string, string])[]): Row {
  return {
    get: (name: string) => labels.find(([other]) => other === name)?.[1],
    has: (name: string) => labels.some(([other]) => other === name),
    forEachLabel: (visit: (name: string, value: string, category: 'parsed') => void) =>
      labels.forEach(([name, value]) => visit(name, value, 'parsed')),
  } as unknown as Row
}

const name = fc.constantFrom('a', 'b', 'c', '__error__')
const labels = fc.uniqueArray(fc.tuple(name, fc.constantFrom('', 'a', 'b', 'x')), { selector: ([one]) => one })
const grouping: fc.Arbitrary<Grouping> = fc.record({
  kind: fc.constantFrom('by', 'without'),
  labels: fc.array(fc.constantFrom('a', 'b', '__error__', 'none'), { maxLength: 3 }),
})

test('rows are of one series when their labels say so, in whatever order these come', () => {
  fc.assert(
    fc.property(fc.array(labels, { maxLength: 30 }), grouping, (rows, group) => {
      const slots = new SeriesSlots()
      const groups = new RowGroups(slots, group, true)
      for (const row of [...rows, ...rows].map(rowOf)) {
        assert.deepEqual(slots.labels[groups.slotOf(row)], seriesLabels(row, group, true))
      }
    }),
  )
})

test('more combinations than it remembers are found all the same', () => {
  const slots = new SeriesSlots()
  const groups = new RowGroups(slots, { kind: 'without', labels: [] }, false)
  for (const round of [1, 2]) {
    for (let i = 0; i < 20_000; i++) assert.equal(groups.slotOf(rowOf([['id', `${i}`]])), i, `round ${round}`)
  }
  assert.equal(slots.labels.length, 20_000)
})

test('an error fails the query unless it asked for errors', () => {
  const groups = new RowGroups(new SeriesSlots(), { kind: 'by', labels: [] }, false)
  assert.equal(groups.slotOf(rowOf([['a', 'x']])), 0)
  assert.throws(() => groups.slotOf(rowOf([['__error__', 'JSONParserErr']])), /pipeline error: 'JSONParserErr'/)
})
