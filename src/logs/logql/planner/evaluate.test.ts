import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseExpr } from '#/logs/logql/parser/parse-expr.ts'
import { enableLinearRegex } from '#/platform/regex/linear.ts'
import { setOf, textOf } from '#/series/set-fixture.ts'
import { evaluateTree } from './evaluate.ts'
import { expandTemplate } from './expand-template.ts'
import { makePlan } from './make-plan.ts'

enableLinearRegex()

/** `X` in the query stands for the n-th range aggregation, whose series are given. */
function evaluate(query: string, ...leaves: readonly Readonly<Record<string, string>>[]) {
  const plan = makePlan(parseExpr(query.replaceAll('X', 'rate({x="y"}[1m])')))
  assert(plan.kind === 'metric')
  const sets = leaves.map(setOf)
  return textOf(evaluateTree(plan.root, sets, sets[0]?.stepCount ?? 2))
}

test('vectors and numbers', () => {
  assert.deepEqual(evaluate('vector(1) + vector(1)'), { '': '2 2' })
  assert.deepEqual(evaluate('vector(1) / 0'), { '': 'NaN NaN' })
  assert.deepEqual(evaluate('2 ^ vector(3) ^ 2'), { '': '512 512' })
  assert.deepEqual(evaluate('vector(2) > 3'), {})
  assert.deepEqual(evaluate('vector(2) > bool 3'), { '': '0 0' })
})

test('a tree is evaluated from its leaves to its root', () => {
  const [a, b] = [
    { 'p=1': '4 _', 'p=2': '6 8' },
    { 'p=1': '2 2', 'p=2': '3 0' },
  ]
  assert.deepEqual(evaluate('X / X', a, b), { 'p=1': '2 _', 'p=2': '2 NaN' })
  assert.deepEqual(evaluate('max(X)', a), { '': '6 8' })
  assert.deepEqual(evaluate('topk(1, X) * 10', a), { 'p=2': '60 80' })
  assert.deepEqual(evaluate('sum(X > 5) or vector(0)', { 'p=1': '4 _' }), { '': '0 0' })
  assert.deepEqual(evaluate('X unless X', a, { 'p=2': '1 _' }), { 'p=1': '4 _', 'p=2': '_ 8' })
})

test('absence is the negative of all series together', () => {
  const leaf = { 'p=1': '1 _ _', 'p=2': '_ _ 5' }
  assert.deepEqual(evaluate('absent_over_time({x="y"}[1m])', leaf), { 'x=y': '_ 1 _' })
})

test('label_replace', () => {
  const a = { 'pod=web-7': '1', 'pod=x': '2' }
  assert.deepEqual(evaluate('label_replace(X, "app", "${1}-$2", "pod", "(.+)-(.+)")', a), {
    'app=web-7 pod=web-7': '1',
    'pod=x': '2',
  })
  assert.deepEqual(evaluate('sum by (app) (label_replace(X, "app", "$name", "pod", "(?P<name>[a-z]+).*"))', a), {
    'app=web': '1',
    'app=x': '2',
  })
  assert.deepEqual(evaluate('label_replace(X, "pod", "", "pod", ".")', a), { 'pod=web-7': '1', '': '2' })
})

test('templates refer to groups as in Go', () => {
  const match = { start: 0, end: 3, groups: ['abc', 'a', undefined] }
  const expand = (template: string): string => expandTemplate(template, { groupNames: ['first', undefined] }, match)
  assert.equal(expand('$1-${1}x-$first-${first}'), 'a-ax-a-a')
  assert.equal(expand('[$1x][$2][$9][${none}]'), '[][][][]')
  assert.equal(expand('$$1 $ ${ $-'), '$1 $ ${ $-')
  assert.equal(expand('$0'), 'abc')
})
