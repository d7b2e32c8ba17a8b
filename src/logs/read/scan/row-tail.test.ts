import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { distinctKey, TailRows, type TailOrder } from './row-tail.ts'

type Labels = Readonly<Record<string, string>>
type OneRow = { readonly time: number; readonly order: number; readonly row: number; readonly labels: Labels }

const value = fc.constantFrom('', '1', '2', '10', '1.0', 'a', 'b')
const rows = fc.uniqueArray(
  fc.record({
    time: fc.integer({ min: 0, max: 12 }),
    order: fc.integer({ min: 0, max: 3 }),
    row: fc.integer({ min: 0, max: 5 }),
    labels: fc.record({ a: value, b: value }, { requiredKeys: [] }),
  }),
  { selector: ({ time, order, row }) => `${time} ${order} ${row}`, maxLength: 80 },
)
const tail = fc.oneof(
  fc.constantFrom<TailOrder[]>(
    { distinct: ['a'], sort: undefined },
    { distinct: ['a', 'b'], sort: undefined },
    { distinct: ['b', 'a'], sort: { label: 'a', descending: false } },
    { distinct: ['a'], sort: { label: 'a', descending: true } },
    { distinct: undefined, sort: { label: 'a', descending: false } },
    { distinct: undefined, sort: { label: 'a', descending: true } },
  ),
)

/** Sorts everything, then looks for the first of each, then sorts again: what the words of the language say. */
function naive(all: readonly OneRow[], { distinct, sort }: TailOrder, forward: boolean): OneRow[] {
  const sign = forward ? 1 : -1
  const byTime = all.toSorted((x, y) => sign * (x.time - y.time || x.order - y.order || x.row - y.row))
  const firsts = byTime.filter(({ labels }, at) => {
    const isSame = (other: OneRow): boolean =>
      distinct!.every((name) => (other.labels[name] ?? '') === (labels[name] ?? ''))
    return distinct === undefined || byTime.findIndex(isSame) === at
  })
  if (sort === undefined) return firsts
  const placeOf = ({ labels }: OneRow): readonly [rank: number, place: number] => {
    const text = labels[sort.label] ?? ''
    if (text === '') return [2, 0]
    return Number.isNaN(Number(text)) ? [1, text.charCodeAt(0)] : [0, Number(text)]
  }
  const direction = sort.descending ? -1 : 1
  return firsts.toSorted((x, y) => {
    const [[rankX, placeX], [rankY, placeY]] = [placeOf(x), placeOf(y)]
    return rankX - rankY || direction * (placeX - placeY)
  })
}

test('keeps what sorting and looking through all rows finds', () => {
  fc.assert(
    fc.property(rows, tail, fc.integer({ min: 0, max: 30 }), fc.boolean(), (all, order, limit, forward) => {
      const kept = new TailRows({ limit, direction: forward ? 'forward' : 'backward', tail: order })
      for (const { time, order: page, row, labels } of all) {
        if (!kept.accepts(time, page, row)) continue
        kept.add({ get: (name) => labels[name as 'a'] }, time, page, row)
        assert(kept.count <= limit)
      }
      const { time, order: pages, row } = kept.sorted()
      assert.deepEqual(
        Array.from(time, (t, i) => [t, pages[i], row[i]]),
        naive(all, order, forward)
          .slice(0, limit)
          .map((one) => [one.time, one.order, one.row]),
      )
    }),
    { numRuns: 1000 },
  )
})

test('times too late are refused before anybody reads a label, but not while the order is another one', () => {
  const byTime = new TailRows({ limit: 1, direction: 'forward', tail: { distinct: ['a'], sort: undefined } })
  byTime.add({ get: () => 'x' }, 5, 0, 0)
  assert.equal(byTime.accepts(6, 0, 0), false)
  assert.equal(byTime.accepts(4, 0, 0), true)
  const byLabel = { distinct: undefined, sort: { label: 'a', descending: false } }
  const sorted = new TailRows({ limit: 1, direction: 'forward', tail: byLabel })
  sorted.add({ get: () => 'x' }, 5, 0, 0)
  assert.equal(sorted.accepts(6, 0, 0), true)
  assert.equal(sorted.add({ get: () => 'w' }, 6, 0, 0), true)
  assert.equal(sorted.add({ get: () => 'x' }, 1, 0, 0), false)
})

test('one order decides: what is sorted by another label than it is distinct by is not for the scan', () => {
  const both = { distinct: ['a'], sort: { label: 'b', descending: false } }
  assert.throws(() => new TailRows({ limit: 1, direction: 'forward', tail: both }), /one order decides/)
})

test('the key of a combination does not confuse where one value ends', () => {
  const keyOf = (a: string, b: string): string => distinctKey(['a', 'b'], (name) => (name === 'a' ? a : b))
  assert.notEqual(keyOf('x', 'yz'), keyOf('xy', 'z'))
  assert.notEqual(keyOf('1:x', ''), keyOf('', '1:x'))
  assert.equal(
    distinctKey(['a'], () => undefined),
    '',
  )
})
