import assert from 'node:assert/strict'
import { test } from 'node:test'

import { parseExpr } from '#/logs/logql/parser/parse-expr.ts'
import { makePlan } from '#/logs/logql/planner/make-plan.ts'
import { canonicalText, leafKey, selectionKey } from './fragment-key.ts'

function keyOf(query: string): string | undefined {
  const plan = makePlan(parseExpr(query))
  if (plan.kind === 'logs') return selectionKey(plan.selection)
  assert(plan.kind === 'metric')
  return leafKey(plan.leaves[0]!)
}

test('queries that ask blocks the same have one key', () => {
  for (const [a, b] of [
    ['rate({a="b"} |= "x" [5m])', ' rate ( {a="b"} |= `x` [1h] offset 2m )'],
    ['sum by (l) (count_over_time({a="b"}[5m]))', 'sum by (l) (rate({a="b"}[5m])) / 7'],
    [
      'quantile_over_time(0.5, {a="b"} | logfmt | unwrap x [5m]) by (l)',
      'quantile_over_time(0.99, {a="b"} | logfmt | unwrap x [1m]) by (l)',
    ],
    ['{a="b"} | json | x > 5', '{a="b"}   | json   | x > 5.0'],
  ] as const) {
    assert.notEqual(keyOf(a), undefined)
    assert.equal(keyOf(a), keyOf(b), `${a} and ${b}`)
  }
})

test('what decides about a result is in its key', () => {
  const queries = [
    'count_over_time({a="b"}[5m])',
    'bytes_over_time({a="b"}[5m])',
    'count_over_time({a="c"}[5m])',
    'count_over_time({a=~"b"}[5m])',
    'count_over_time({a="b"} |= "x" [5m])',
    'count_over_time({a="b"} != "x" [5m])',
    'count_over_time({a="b"} |~ "x" [5m])',
    'count_over_time({a="b"} | json [5m])',
    'count_over_time({a="b"} | json | __error__="" [5m])',
    'sum by (l) (count_over_time({a="b"}[5m]))',
    'sum without (l) (count_over_time({a="b"}[5m]))',
    'sum_over_time({a="b"} | unwrap x [5m])',
    'sum_over_time({a="b"} | unwrap y [5m])',
    'sum_over_time({a="b"} | unwrap duration(x) [5m])',
    'max_over_time({a="b"} | unwrap x [5m])',
    '{a="b"} |= "x"',
    '{a="b"} |= "x" | json',
  ]
  const keys = queries.map(keyOf)
  assert.equal(new Set(keys).size, queries.length)
  assert(keys.every((key) => key !== undefined && key.length < 50))
})

test('what reads the clock has no key', () => {
  assert.equal(keyOf('{a="b"} | line_format `{{ now }}`'), undefined)
  assert.equal(keyOf('rate({a="b"} | label_format x=`{{ sub now 3 }}` | x = "1" [5m])'), undefined)
  assert.notEqual(keyOf('{a="b"} | line_format `{{ .known }}`'), undefined)
})

test('texts are equal for equal data only', () => {
  const date = new Date(0)
  for (const [a, b] of [
    ['1', 1],
    [1n, 1],
    [-0, 0],
    [NaN, null],
    [undefined, null],
    [
      [1, [2]],
      [[1], 2],
    ],
    [{ a: 1 }, [1]],
    [{ a: 1 }, { b: 1 }],
    [{ a: {} }, {}],
    [new Set([1]), [1]],
    ['a","b', ['a', 'b']],
    [{ 'a:1,b': 2 }, { a: 1, b: 2 }],
  ]) {
    assert.notEqual(canonicalText(a), canonicalText(b))
  }
  assert.equal(canonicalText({ a: 1, b: undefined, at: 7 }), canonicalText({ raw: true, a: 1 }))
  assert.equal(canonicalText(new Set(['x', 'y'])), canonicalText(new Set(['y', 'x'])))
  assert.throws(() => canonicalText(date), /Date is not data/)
  assert.throws(() => canonicalText(new Map()), /Map is not data/)
})
