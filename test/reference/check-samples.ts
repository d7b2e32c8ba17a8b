/** Whether vectors of the read path equal those of the reference. */
import assert from 'node:assert/strict'
import type { MetricExpr } from '#/logs/logql/ast/nodes.ts'
import type { Labels } from '#/storage/index/label-index.ts'
import { isExact } from './evaluate/exactness.ts'
import { areClose } from './evaluate/outcome.ts'
import { keyOf, type Vector } from './evaluate/samples.ts'

export type FoundSample = { readonly labels: Labels; readonly value: number }

/**
 * Equal label sets with equal values. Values are equal to the last bit where the language says which numbers make them, else to nine
 * digits, as sums may be taken in any order.
 * @throws AssertionError
 */
export function checkVector(found: readonly FoundSample[], expected: Vector, expr: MetricExpr): void {
  const ours = texts(found.map(({ labels, value }) => ({ key: keyOf(Object.fromEntries(labels)), value })))
  const theirs = texts(expected.map(({ labels, value }) => ({ key: keyOf(labels), value })))
  const show = (samples: readonly KeyedSample[]): string[] => samples.map(({ key, value }) => `${key} ${value}`)
  const areEqual =
    ours.length === theirs.length &&
    ours.every(
      ({ key, value }, i) =>
        key === theirs[i]!.key &&
        (isExact(expr) ? Object.is(value + 0, theirs[i]!.value + 0) : areClose(value, theirs[i]!.value)),
    )
  if (!areEqual) assert.deepEqual(show(ours), show(theirs), 'samples')
  assert(areEqual, 'samples')
}

type KeyedSample = { readonly key: string; readonly value: number }

function texts(samples: readonly KeyedSample[]): readonly KeyedSample[] {
  return samples.toSorted((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : compareValues(a.value, b.value)))
}

/** NaN comes last. */
function compareValues(a: number, b: number): number {
  return Number(Number.isNaN(a)) - Number(Number.isNaN(b)) || a - b || 0
}

/** Instant vectors are sorted by labels, unless the query sorts by value. */
export function checkOrder(samples: readonly FoundSample[], query: string, expr: MetricExpr): void {
  if (!/\bsort(_desc)?\b/.test(query)) {
    const keys = samples.map(({ labels }) => labels)
    assert.deepEqual(keys, keys.toSorted(compareLabels), 'order by labels')
  } else if (expr.kind === 'vector_aggregation' && expr.op.startsWith('sort')) {
    const values = samples.map(({ value }) => value).filter((value) => !Number.isNaN(value))
    const sign = expr.op === 'sort' ? 1 : -1
    assert.deepEqual(
      values,
      values.toSorted((a, b) => (a === b ? 0 : sign * (a < b ? -1 : 1))),
      'order by value',
    )
  }
}

function compareLabels(a: Labels, b: Labels): number {
  for (const [i, [name, value]] of a.entries()) {
    const [otherName, otherValue] = b[i] ?? ['', '']
    const order =
      Buffer.from(name).compare(Buffer.from(otherName)) || Buffer.from(value).compare(Buffer.from(otherValue))
    if (order !== 0) return order
  }
  return a.length - b.length
}
