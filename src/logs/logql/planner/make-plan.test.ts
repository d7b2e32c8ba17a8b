import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseExpr } from '#/logs/logql/parser/parse-expr.ts'
import { makePlan } from './make-plan.ts'
import type { MetricLeaf, MetricPlan } from './plan.ts'

function metric(query: string): MetricPlan {
  const plan = makePlan(parseExpr(query))
  assert(plan.kind === 'metric', `${query} is a metric query`)
  return plan
}

function onlyLeaf(query: string): MetricLeaf {
  const { leaves } = metric(query)
  assert.equal(leaves.length, 1)
  return leaves[0]!
}

test('kinds of queries', () => {
  assert.equal(makePlan(parseExpr('{a="b"} |= "x"')).kind, 'logs')
  assert.deepEqual(makePlan(parseExpr('1 + 1')), { kind: 'scalar', value: 2 })
  assert.deepEqual(metric('vector(3)').leaves, [])
  assert.equal(metric('rate({a="b"}[1m]) / rate({a="c"}[1m])').leaves.length, 2)
})

test('a leaf says what to measure over which window', () => {
  const { measure, perSecond, rangeNs, offsetNs, grouping, needed } = onlyLeaf('bytes_rate({a="b"}[5m] offset 1h)')
  assert.deepEqual(
    { measure, perSecond, rangeNs, offsetNs },
    { measure: 'bytes', perSecond: true, rangeNs: 300_000_000_000n, offsetNs: 3_600_000_000_000n },
  )
  assert.deepEqual(grouping, { kind: 'without', labels: [] })
  assert.equal(needed, 'all')
  assert.deepEqual(onlyLeaf('count_over_time({a="b"}[1y])').rangeNs, 31_536_000_000_000_000n)
  assert.equal(onlyLeaf('count_over_time({a="b"}[1m] offset -5m)').offsetNs, -300_000_000_000n)
})

test('only a sum hands its grouping to the scan, as only for sums the numbers stay the same', () => {
  assert.deepEqual(onlyLeaf('sum by (x) (rate({a="b"}[1m]))').needed, new Set(['x']))
  assert.deepEqual(onlyLeaf('sum(rate({a="b"}[1m]))').grouping, { kind: 'by', labels: [] })
  assert.deepEqual(onlyLeaf('sum without (x) (rate({a="b"}[1m]))').grouping, { kind: 'without', labels: ['x'] })
  for (const query of [
    'max by (x) (rate({a="b"}[1m]))',
    'sum by (x) (rate({a="b"}[1m]) * 2)',
    'sum(topk(1, rate({a="b"}[1m])))',
  ]) {
    assert.deepEqual(onlyLeaf(query).grouping, { kind: 'without', labels: [] }, query)
  }
})

test('absent_over_time needs no labels and answers with the certain ones', () => {
  const { root, leaves } = metric('absent_over_time({a="1", b=~"x", c="2", c="3", d=""} | json [1m])')
  assert.deepEqual(leaves[0]!.needed, new Set())
  assert.deepEqual(root, { kind: 'absent', leaf: 0, labels: [['a', '1']] })
  assert.deepEqual(metric('sum(absent_over_time({a="1"}[1m]))').leaves[0]!.grouping, { kind: 'by', labels: [] })
})

test('sort keeps the order of an instant answer, wherever it stands', () => {
  assert.equal(metric('sort_desc(rate({a="b"}[1m]))').keepsOrder, true)
  assert.equal(metric('topk(2, rate({a="b"}[1m]))').keepsOrder, false)
})

test('queries that deal with errors themselves preserve them', () => {
  assert.equal(onlyLeaf('sum by (__error__) (rate({a="b"} | json [1m]))').preserveErrors, true)
  assert.equal(onlyLeaf('rate({a="b"} | json | x="1" or __error__!="" [1m])').preserveErrors, true)
  assert.equal(onlyLeaf('rate({a="b"} | json | x="__error__" [1m])').preserveErrors, false)
})

test('approx_topk is an exact topk, for instant queries only', () => {
  const { root, instantOnly } = metric('approx_topk(3, rate({a="b"}[1m]))')
  assert(root.kind === 'aggregate' && root.op === 'topk' && root.parameter === 3)
  assert.equal(instantOnly, true)
  assert.equal(metric('topk(3, rate({a="b"}[1m]))').instantOnly, false)
})
