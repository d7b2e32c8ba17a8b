import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseExpr } from '#/logs/logql/parser/parse-expr.ts'
import { makePlan } from './make-plan.ts'
import { shardParts } from './shardable.ts'

/** `aggregation: merge` of each leaf; `-` for none, `~` where equal series of different streams would count as two. */
function parts(query: string): string[] {
  const plan = makePlan(parseExpr(query))
  assert(plan.kind === 'metric')
  return shardParts(plan).map(
    ({ aggregation, merge, isExact }) => `${aggregation ?? '-'}: ${isExact ? '' : '~'}${merge ?? 'none'}`,
  )
}

test('sums of what adds up are sums of the shards', () => {
  for (const inner of [
    'rate({a="b"}[1m])',
    'count_over_time({a="b"} | json [1m])',
    'bytes_over_time({a="b"} | keep x [1m])',
  ]) {
    assert.deepEqual(parts(`sum(${inner})`), ['sum: sum'])
    assert.deepEqual(parts(`sum by (x) (${inner})`), ['sum: sum'])
  }
  assert.deepEqual(parts('sum by (x) (sum_over_time({a="b"} | unwrap v [1m]))'), ['sum: sum'])
})

test('other aggregations go into the shards only where no series is divided', () => {
  assert.deepEqual(parts('max by (x) (rate({a="b"}[1m]))'), ['max: ~max'])
  assert.deepEqual(parts('count(rate({a="b"}[1m]))'), ['count: ~sum'])
  assert.deepEqual(parts('avg by (x) (rate({a="b"}[1m]))'), ['avg: ~sum_and_count'])
  // series of several streams: partial counts must be added before they are compared
  assert.deepEqual(parts('max by (x) (rate({a="b"} | drop pod [1m]))'), ['-: sum'])
  assert.deepEqual(parts('count(rate({a="b"} | keep level [1m]))'), ['-: sum'])
  assert.deepEqual(parts('avg(rate({a="b"} | label_format pod=x [1m]))'), ['-: sum'])
})

test('the least and greatest values compare over shards in any case', () => {
  assert.deepEqual(parts('max_over_time({a="b"} | unwrap v [1m]) by (x)'), ['-: max'])
  assert.deepEqual(parts('min by (x) (min_over_time({a="b"} | unwrap v [1m]))'), ['min: min'])
  assert.deepEqual(parts('max(min_over_time({a="b"} | unwrap v [1m]) by (x))'), ['-: min'])
})

test('orders, deviations and quantiles need whole series', () => {
  assert.deepEqual(parts('topk(3, sum by (x) (rate({a="b"}[1m])))'), ['sum: sum'])
  assert.deepEqual(parts('topk(3, rate({a="b"}[1m]))'), ['-: sum'])
  assert.deepEqual(parts('stddev(rate({a="b"}[1m]))'), ['-: sum'])
  assert.deepEqual(parts('quantile_over_time(0.9, {a="b"} | unwrap v [1m]) by (x)'), ['-: none'])
  assert.deepEqual(parts('avg_over_time({a="b"} | unwrap v [1m]) by (x)'), ['-: sum_and_count'])
})

test('each leaf of an expression is looked at by itself', () => {
  assert.deepEqual(parts('sum(rate({a="b"}[1m])) / max(count_over_time({a="c"}[1m])) > 2'), ['sum: sum', 'max: ~max'])
  assert.deepEqual(parts('absent_over_time({a="b"}[1m]) or vector(1)'), ['-: sum'])
  assert.deepEqual(parts('label_replace(rate({a="b"}[1m]), "x", "$1", "y", "(.*)")'), ['-: sum'])
})
