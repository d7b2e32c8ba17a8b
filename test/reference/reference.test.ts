/** The reference itself, on cases worked out by hand, and that a comparison with it can fail. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseExpr } from '#/logs/logql/parser/parse-expr.ts'
import { checkQuestion } from './check-question.ts'
import type { Fields } from './evaluate/entry-state.ts'
import { referenceRows } from './evaluate/log-query.ts'
import { referenceVectors } from './evaluate/metric-query.ts'
import { BASE_NS, SECOND, type DataSet } from './random-data.ts'
import { describeFailure, shrink } from './shrink.ts'
import type { Question } from './question.ts'
import { buildWorld } from './world.ts'
import type { Entry } from './sources.ts'

const at = (second: number, line: string, metadata: Fields = {}): Entry => ({
  stream: '{app="a"}',
  timeNs: BASE_NS + BigInt(second) * SECOND,
  line,
  metadata,
})

function labelsOf(query: string, line: string, metadata: Fields = {}): Fields | undefined {
  const expr = parseExpr(query)
  assert(expr.kind === 'log')
  return referenceRows(expr, [at(0, line, metadata)])[0]?.labels
}

function valuesAt(query: string, lines: readonly string[], second: number): Record<string, number> {
  const expr = parseExpr(query)
  assert(expr.kind !== 'log')
  const entries = lines.map((line, second) => at(second, line))
  const times = [BASE_NS + BigInt(second) * SECOND]
  const vector = referenceVectors(expr, entries, { times, kind: 'instant' })[0]!
  return Object.fromEntries(vector.map(({ labels, value }) => [Object.values(labels).toSorted().join(), value]))
}

test('labels of parsers, filters and formats', () => {
  const json = '{"app":"z","n":{"k":1},"arr":[1],"nul":null}'
  assert.deepEqual(labelsOf('{app="a"} | json', json), { app: 'a', app_extracted: 'z', n_k: '1' })
  assert.deepEqual(labelsOf('{app="a"} | json', 'plain'), { app: 'a', __error__: 'JSONParserErr' })
  assert.deepEqual(labelsOf('{app="a"} | json x="arr[0]", y="no"', json), { app: 'a', x: '1', y: '' })
  const logfmt = 'a=1 a=2 b= c="x y" =bad'
  assert.deepEqual(labelsOf('{app="a"} | logfmt', logfmt), { app: 'a', a: '1', c: 'x y' })
  const strict = { app: 'a', a: '1', c: 'x y', __error__: 'LogfmtParserErr' }
  assert.deepEqual(labelsOf('{app="a"} | logfmt --strict', logfmt), strict)
  assert.deepEqual(labelsOf('{app="a"} | logfmt | a > 5', 'a=foo'), { app: 'a', a: 'foo', __error__: 'LabelFilterErr' })
  assert.equal(labelsOf('{app="a"} | missing > 5', 'x'), undefined)
  assert.deepEqual(labelsOf('{app="a"} | missing != "x"', 'x'), { app: 'a' })
  assert.deepEqual(labelsOf('{app="a"} | pattern "<m> <p> x"', 'GET /a y'), { app: 'a', m: 'GET', p: '/a y' })
  assert.deepEqual(labelsOf('{app="a"} | label_format x=y', 'x', { x: '1' }), { app: 'a', x: '1' })
  assert.deepEqual(labelsOf('{app="a"} | unpack', '{"u":"1","n":2,"_entry":"hi"}'), { app: 'a', u: '1' })
  assert.deepEqual(labelsOf('{app="a"} | drop app | keep u', 'x', { u: '1', v: '2' }), { u: '1' })
  assert.deepEqual(labelsOf('{app="a"} | label_format u="{{ .app | upper }}"', 'x', { u: '1' }), { app: 'a', u: 'A' })
})

test('lines that pass filters', () => {
  const passes = (filter: string, line: string): boolean => labelsOf(`{app="a"} ${filter}`, line) !== undefined
  assert(!passes('!= "a" or "b"', 'b'))
  assert(!passes('|> "<_>foo"', 'foo'))
  assert(passes('|> "foo<_>"', 'a foo b'))
  assert(!passes('|> "<_> ba<_>z"', 'foo bar bazz bay'))
  assert(passes('|= ip("10.0.0.0/8")', 'from 10.1.2.3:80'))
  assert(!passes('|= ip("10.0.0.0/8")', 'from 110.1.2.3'))
  assert(passes('|=i "ERROR"', 'an error'))
})

test('windows, functions and operators', () => {
  const lines = ['v=1', 'v=2', 'v=3', 'v=4']
  const unwrap = '{app="a"} | logfmt | unwrap v'
  // the entry at the start of the window is outside, the one at its end inside
  assert.deepEqual(valuesAt('count_over_time({app="a"}[3s])', lines, 3), { a: 3 })
  assert.deepEqual(valuesAt(`quantile_over_time(0.5, ${unwrap} [1m])`, lines, 3), { a: 2.5 })
  assert.deepEqual(valuesAt(`sum_over_time(${unwrap} [1m])`, lines, 3), { a: 10 })
  assert.deepEqual(valuesAt(`stdvar_over_time(${unwrap} [1m])`, lines, 3), { a: 1.25 })
  assert.deepEqual(valuesAt(`rate(${unwrap} [10s])`, lines, 3), { a: 1 })
  // three increases of one; the first value allows a second before it, the last one stands at the end
  assert.deepEqual(valuesAt(`rate_counter(${unwrap} [8s])`, lines, 3), { a: 3.5 / 8 })
  assert.deepEqual(valuesAt('absent_over_time({app="a"}[1s])', lines, 9), { a: 1 })
  assert.deepEqual(valuesAt('vector(1) / 0', [], 0), { '': NaN })
  assert.deepEqual(valuesAt('sum(count_over_time({app="a"} | json [1m]))', ['bad'], 1), { '': 1 })
  assert.throws(() => valuesAt('count_over_time({app="a"} | json [1m])', ['bad'], 1), /pipeline error/)
  const twice = 'count_over_time({app="a"}[1m]) + on () count_over_time({app="a"} | logfmt [1m])'
  assert.throws(() => valuesAt(twice, lines, 3), /matching/)
})

const data: DataSet = {
  sources: [{ kind: 'block', entries: [at(1, 'one'), at(2, 'two')] }],
  pageRows: 10,
  filters: 'exact',
  shapes: [],
}
const question: Question = {
  kind: 'log',
  query: '{app="a"} | json | __error__!=""',
  startNs: BASE_NS,
  endNs: BASE_NS + 10n * SECOND,
  direction: 'forward',
  limit: 100,
  intervalNs: 0n,
}

test('an answer that lacks a row, or has one too many, is a difference', async () => {
  const world = await buildWorld(data)
  assert.equal(await checkQuestion(world, question), 'rows')
  const less = { ...world, entries: world.entries.slice(1) }
  await assert.rejects(checkQuestion(less, question), /rows before the cut/)
  const count = { kind: 'instant' as const, query: 'count_over_time({app="a"}[1m])', timeNs: BASE_NS + 5n * SECOND }
  assert.equal(await checkQuestion(world, count), 'samples')
  await assert.rejects(checkQuestion(less, count), /samples/)
})

test('a failing case is made smaller, and described so that it can be asked again', async () => {
  // an order that no answer has: the shrinker knows nothing but that the check fails
  const impossible = { ...question, direction: 'sideways' as 'forward' }
  const smallest = await shrink({
    data: { ...data, sources: [...data.sources, ...data.sources] },
    question: impossible,
  })
  assert.equal(smallest.data.sources.length, 1)
  assert.equal(smallest.question.query, '{app="a"}')
  assert.match(describeFailure(smallest, { original: undefined, replay: 'SEED=1' }), /query: .*\{app="a"\}\n[^]*SEED=1/)
})
