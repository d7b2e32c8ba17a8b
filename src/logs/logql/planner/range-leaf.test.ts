import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseExpr } from '#/logs/logql/parser/parse-expr.ts'
import { makePlan } from './make-plan.ts'
import type { MetricLeaf } from './plan.ts'

function leafOf(query: string): MetricLeaf {
  const plan = makePlan(parseExpr(query))
  assert(plan.kind === 'metric' && plan.leaves.length === 1, query)
  return plan.leaves[0]!
}

const by = (...labels: string[]) => ({ kind: 'by', labels })
const without = (...labels: string[]) => ({ kind: 'without', labels })

test('what a row counts with', () => {
  const measures: readonly (readonly [string, MetricLeaf['measure'], boolean])[] = [
    ['rate({a="b"}[1m])', 'rows', true],
    ['rate({a="b"} | unwrap v [1m])', 'value', true],
    ['bytes_rate({a="b"}[1m])', 'bytes', true],
    ['bytes_over_time({a="b"}[1m])', 'bytes', false],
    ['rate_counter({a="b"} | unwrap v [1m])', 'value', false],
    ['absent_over_time({a="b"} | unwrap v [1m])', 'rows', false],
    ['count_distinct_over_time(v, {a="b"}[1m])', 'label', false],
  ]
  for (const [query, measure, perSecond] of measures) {
    const leaf = leafOf(query)
    assert.deepEqual([leaf.measure, leaf.perSecond], [measure, perSecond], query)
  }
  const { op, parameter, unwrap } = leafOf('quantile_over_time(0.9, {a="b"} | unwrap bytes(v) | x="y" [1m])')
  assert.deepEqual([op, parameter, unwrap?.label, unwrap?.conversion], ['quantile_over_time', 0.9, 'v', 'bytes'])
  assert.equal(unwrap?.filters.length, 1)
})

test('the label that is read makes no series, unless `by` names it', () => {
  const groups: readonly (readonly [string, object])[] = [
    ['max_over_time({a="b"} | unwrap v [1m])', without('v')],
    ['max_over_time({a="b"} | unwrap v [1m]) without (x)', without('x', 'v')],
    ['max_over_time({a="b"} | unwrap v [1m]) by (x)', by('x')],
    ['max_over_time({a="b"} | unwrap v [1m]) by (v)', by('v')],
    ['sum_over_time({a="b"} | unwrap v [1m])', without('v')],
    ['count_distinct_over_time(v, {a="b"}[1m])', without('v')],
    ['count_distinct_over_time(v, {a="b"}[1m]) without (x)', without('x', 'v')],
    ['count_distinct_over_time(v, {a="b"}[1m]) by (x)', by('x')],
    ['absent_over_time({a="b"} | unwrap v [1m])', by()],
  ]
  for (const [query, grouping] of groups) assert.deepEqual(leafOf(query).grouping, grouping, query)
})

test('a vector aggregation hands its groups down only where the numbers stay the same', () => {
  const pushed: readonly (readonly [string, object])[] = [
    ['sum by (x) (sum_over_time({a="b"} | unwrap v [1m]))', by('x')],
    ['sum by (v) (sum_over_time({a="b"} | unwrap v [1m]))', by('v')],
    ['sum without (x) (rate({a="b"} | unwrap v [1m]))', without('x', 'v')],
    ['sum(bytes_rate({a="b"}[1m]))', by()],
    ['max by (x, v) (max_over_time({a="b"} | unwrap v [1m]))', by('x')],
    ['min(min_over_time({a="b"} | unwrap v [1m]))', by()],
  ]
  for (const [query, grouping] of pushed) assert.deepEqual(leafOf(query).grouping, grouping, query)
  for (const op of ['avg', 'min', 'max', 'stddev', 'stdvar', 'first', 'last']) {
    const query = `sum by (x) (${op}_over_time({a="b"} | unwrap v [1m]))`
    assert.deepEqual(leafOf(query).grouping, without('v'), query)
  }
  for (const query of [
    'sum by (x) (rate_counter({a="b"} | unwrap v [1m]))',
    'sum by (x) (quantile_over_time(0.5, {a="b"} | unwrap v [1m]))',
    'sum by (x) (count_distinct_over_time(v, {a="b"}[1m]))',
    'max by (x) (min_over_time({a="b"} | unwrap v [1m]))',
    'avg by (x) (sum_over_time({a="b"} | unwrap v [1m]))',
    'max by (x) (sum_over_time({a="b"} | unwrap v [1m]))',
  ]) {
    assert.deepEqual(leafOf(query).grouping, without('v'), query)
  }
  assert.deepEqual(leafOf('max by (x) (max_over_time({a="b"} | unwrap v [1m]) by (x, y))').grouping, by('x', 'y'))
})

test('needed are the labels of the groups, of unwrap, and of the filters behind it', () => {
  const needed = (query: string): string[] | 'all' => {
    const { needed: names } = leafOf(query)
    return names === 'all' ? 'all' : [...names].toSorted()
  }
  assert.deepEqual(needed('sum by (x) (rate({a="b"} | json | unwrap v | y="1" or z > 2 [1m]))'), ['v', 'x', 'y', 'z'])
  assert.deepEqual(needed('absent_over_time({a="b"} | json | unwrap v [1m])'), ['v'])
  assert.deepEqual(needed('count_distinct_over_time(v, {a="b"} | json [1m]) by (x)'), ['v', 'x'])
  assert.equal(needed('count_distinct_over_time(v, {a="b"} | json [1m])'), 'all')
  assert.equal(needed('avg_over_time({a="b"} | json | unwrap v [1m])'), 'all')
  assert.equal(needed('max by (x) (max_over_time({a="b"} | json | unwrap v [1m]))'), 'all')
})

test('a filter behind unwrap may deal with errors', () => {
  assert.equal(leafOf('sum(rate({a="b"} | json | unwrap v | __error__="" [1m]))').preserveErrors, true)
  assert.equal(leafOf('sum(rate({a="b"} | json | unwrap v [1m]))').preserveErrors, false)
  assert.equal(leafOf('sum by (__error__) (rate({a="b"} | json | unwrap v [1m]))').preserveErrors, true)
  assert.equal(leafOf('max by (__error__) (max_over_time({a="b"} | json | unwrap v [1m]))').preserveErrors, false)
})
