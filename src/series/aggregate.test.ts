import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { aggregate, isAggregateOp, type AggregateOp, type Aggregation } from './aggregate.ts'
import { setOf, textOf } from './set-fixture.ts'

const run = (op: AggregateOp, rows: Readonly<Record<string, string>>, options: Partial<Aggregation> = {}) =>
  textOf(aggregate(setOf(rows), { op, grouping: undefined, parameter: undefined, ...options }))

const rows = { 'a=1 b=x': '1 _ 3', 'a=1 b=y': '5 7 NaN', 'a=2 b=x': '10 _ 20' }
const byA: Partial<Aggregation> = { grouping: { kind: 'by', labels: ['a'] } }

test('samples of one step are folded within their group, and steps without a sample stay empty', () => {
  assert.deepEqual(run('sum', rows, byA), { 'a=1': '6 7 NaN', 'a=2': '10 _ 20' })
  assert.deepEqual(run('count', rows, byA), { 'a=1': '2 1 2', 'a=2': '1 _ 1' })
  assert.deepEqual(run('avg', rows, byA), { 'a=1': '3 7 NaN', 'a=2': '10 _ 20' })
  assert.deepEqual(run('sum', rows), { '': '16 7 NaN' })
  assert.deepEqual(run('sum', rows, { grouping: { kind: 'without', labels: ['a'] } }), {
    'b=x': '11 _ 23',
    'b=y': '5 7 NaN',
  })
  assert.deepEqual(run('sum', rows, { grouping: { kind: 'by', labels: ['none'] } }), { '': '16 7 NaN' })
})

test('any number replaces NaN in min and max', () => {
  assert.deepEqual(run('min', rows, byA), { 'a=1': '1 7 3', 'a=2': '10 _ 20' })
  assert.deepEqual(run('max', rows, byA), { 'a=1': '5 7 3', 'a=2': '10 _ 20' })
  assert.deepEqual(run('max', { 'a=1': 'NaN', 'a=2': 'NaN' }), { '': 'NaN' })
  assert.deepEqual(run('max', { 'a=1': '-Infinity', 'a=2': '-5' }), { '': '-5' })
})

test('deviation is that of the whole population', () => {
  const values = { 'a=1': '2', 'a=2': '4', 'a=3': '4', 'a=4': '4', 'a=5': '5', 'a=6': '5', 'a=7': '7', 'a=8': '9' }
  assert.deepEqual(run('stdvar', values), { '': '4' })
  assert.deepEqual(run('stddev', values), { '': '2' })
})

test('topk and bottomk keep labels, work per step and per group, and NaN loses', () => {
  assert.deepEqual(run('topk', rows, { parameter: 1 }), { 'a=2 b=x': '10 _ 20', 'a=1 b=y': '_ 7 _' })
  assert.deepEqual(run('bottomk', rows, { parameter: 1 }), { 'a=1 b=x': '1 _ 3', 'a=1 b=y': '_ 7 _' })
  assert.deepEqual(run('topk', rows, { parameter: 1, ...byA }), {
    'a=1 b=y': '5 7 _',
    'a=1 b=x': '_ _ 3',
    'a=2 b=x': '10 _ 20',
  })
  assert.deepEqual(run('topk', { 'a=1': 'NaN', 'a=2': '1' }, { parameter: 5 }), { 'a=1': 'NaN', 'a=2': '1' })
  assert.deepEqual(run('topk', { 'a=3': '1', 'a=1': '1', 'a=2': '1' }, { parameter: 2 }), { 'a=1': '1', 'a=2': '1' })
})

test('topk equals sorting', () => {
  const values = fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 30 })
  fc.assert(
    fc.property(
      values,
      fc.integer({ min: 1, max: 12 }),
      fc.constantFrom<'topk' | 'bottomk'>('topk', 'bottomk'),
      (all, k, op) => {
        const set = Object.fromEntries(all.map((value, i) => [`s=${String(i).padStart(2, '0')}`, String(value)]))
        const sorted = Object.entries(set).toSorted((a, b) => (op === 'topk' ? -1 : 1) * (Number(a[1]) - Number(b[1])))
        assert.deepEqual(run(op, set, { parameter: k }), Object.fromEntries(sorted.slice(0, k)))
      },
    ),
  )
})

test('sort orders instant vectors by value, NaN last, and leaves several steps alone', () => {
  const instant = { 'a=1': '2', 'a=2': 'NaN', 'a=3': '1' }
  assert.deepEqual(Object.keys(run('sort', instant)), ['a=3', 'a=1', 'a=2'])
  assert.deepEqual(Object.keys(run('sort_desc', instant)), ['a=1', 'a=3', 'a=2'])
  assert.deepEqual(Object.keys(run('sort', rows)), Object.keys(rows))
  const equal = { 'a=2': '5', 'a=1': '5', 'a=3': '4' }
  assert.deepEqual(Object.keys(run('sort', equal)), ['a=3', 'a=1', 'a=2'])
  assert.deepEqual(Object.keys(run('sort_desc', equal)), ['a=1', 'a=2', 'a=3'])
})

test('nothing comes of nothing', () => {
  for (const op of ['sum', 'count', 'topk', 'stddev', 'sort'] as const) assert.deepEqual(run(op, {}), {})
  assert.deepEqual(run('count', { 'a=1': '_ _' }), {})
  assert(isAggregateOp('sum') && !isAggregateOp('approx_topk'))
})
