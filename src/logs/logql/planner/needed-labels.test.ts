/** Parsers extract what somebody reads, and do not run, nor fail, where nobody reads anything. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseExpr } from '#/logs/logql/parser/parse-expr.ts'
import { compilePipeline } from '#/logs/logql/pipeline/compile-pipeline.ts'
import { outcomeOf, pageOf } from '#/logs/logql/pipeline/page-fixture.ts'
import { enableLinearRegex } from '#/platform/regex/linear.ts'
import { makePlan } from './make-plan.ts'
import type { Selection } from './plan.ts'

enableLinearRegex()

function selectionOf(query: string): Selection {
  const plan = makePlan(parseExpr(query))
  assert(plan.kind !== 'scalar')
  return plan.kind === 'logs' ? plan.selection : plan.leaves[0]!
}

/** Labels of one entry behind the stages, apart from the stream's; undefined when it is dropped. */
function labelsAfter(query: string, line: string): Readonly<Record<string, string>> | undefined {
  const { stages, needed } = selectionOf(query)
  const page = pageOf([line])
  const row = compilePipeline(stages, { needed }).run({ page, row: 0, day: 0, streamLabels: [] })
  return row && outcomeOf(row).labels
}

const good = '{"status":"500","level":"error","ms":"12","path":"/a"}'
const bad = '{"status":'

test('metric queries extract the labels that are read, and no others', () => {
  const cases: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
    ['sum(count_over_time({a="b"} | json [1m]))', {}],
    ['sum by (level) (rate({a="b"} | json [1m]))', { level: 'error' }],
    ['sum by (level) (rate({a="b"} | json | status>=500 [1m]))', { level: 'error', status: '500' }],
    ['sum(sum_over_time({a="b"} | json | unwrap ms [1m]))', { ms: '12' }],
    ['sum(sum_over_time({a="b"} | json | unwrap ms | level="error" [1m]))', { ms: '12', level: 'error' }],
    ['sum(bytes_over_time({a="b"} | json | line_format "{{.path}}" [1m]))', { path: '/a' }],
    ['sum by (p) (rate({a="b"} | json | label_format p="{{.path}}" [1m]))', { path: '/a', p: '/a' }],
    ['sum by (s) (rate({a="b"} | json | label_format s=status [1m]))', { s: '500' }],
    ['sum(rate({a="b"} | json | drop level="error" [1m]))', {}],
    ['absent_over_time({a="b"} | json [1m])', {}],
    ['count_distinct_over_time(path, {a="b"} | json [1m]) by (level)', { path: '/a', level: 'error' }],
  ]
  for (const [query, labels] of cases) assert.deepEqual(labelsAfter(query, good), labels, query)
})

test('a parser that nobody reads does not fail either', () => {
  const error = { __error__: 'JSONParserErr' }
  const cases: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
    ['sum(count_over_time({a="b"} | json [1m]))', {}],
    ['sum(count_over_time({a="b"} | json | line_format "x" [1m]))', {}],
    ['absent_over_time({a="b"} | json [1m])', {}],
    // somebody reads
    ['sum by (level) (count_over_time({a="b"} | json [1m]))', error],
    ['sum(count_over_time({a="b"} | json | level!="x" [1m]))', error],
    ['sum(count_over_time({a="b"} | json | status>=500 [1m]))', error],
    ['sum(sum_over_time({a="b"} | json | unwrap ms [1m]))', error],
    ['sum(count_over_time({a="b"} | json | line_format "{{.path}}" [1m]))', error],
    ['sum(count_over_time({a="b"} | json | label_format p=path [1m]))', error],
    // the error itself is read
    ['sum by (__error__) (count_over_time({a="b"} | json [1m]))', error],
    ['sum(count_over_time({a="b"} | json | __error__!="" [1m]))', error],
    // all labels make the series
    ['count_over_time({a="b"} | json [1m])', error],
    ['sum without (level) (count_over_time({a="b"} | json [1m]))', error],
    // what a log query shows
    ['{a="b"} | json', error],
  ]
  for (const [query, labels] of cases) {
    const { __error_details__: _details, ...seen } = labelsAfter(query, bad) ?? {}
    assert.deepEqual(seen, labels, query)
  }
  assert.equal(labelsAfter('sum(count_over_time({a="b"} | json | __error__="" [1m]))', bad), undefined)
})

test('parsing stops once all that is read is found', () => {
  const cut = '{"level":"error","status":'
  assert.deepEqual(labelsAfter('sum by (level) (rate({a="b"} | json [1m]))', cut), { level: 'error' })
})
