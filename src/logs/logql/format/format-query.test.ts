import assert from 'node:assert/strict'
import test from 'node:test'
import { ParseError } from '#/logs/logql/parser/parse-error.ts'
import { formatQuery, maxLineLength } from './format-query.ts'

test('what fits on a line stays on it', () => {
  assert.equal(formatQuery('{app="a"}|="x"|json'), '{app="a"} |= "x" | json')
  const fitting = `{app="${'x'.repeat(maxLineLength - 8)}"}`
  assert.equal(formatQuery(fitting), fitting)
})

test('a long pipeline has a stage on each line', () => {
  const query =
    '{app="api", namespace="production"} |= "error" | json | status >= 500 | line_format "{{.method}} {{.path}} {{.status}}"'
  assert.equal(
    formatQuery(query),
    `{app="api", namespace="production"}
  |= "error"
  | json
  | status>=500
  | line_format "{{.method}} {{.path}} {{.status}}"`,
  )
})

test('arguments of a long aggregation are indented', () => {
  const query =
    'topk(10, sum by (path, status) (rate({app="api", namespace="production"} | json | status >= 500 and method = "GET" [5m] offset 1h)))'
  assert.equal(
    formatQuery(query),
    `topk(
  10,
  sum by (path,status)(
    rate({app="api", namespace="production"} | json | ( status>=500 , method="GET" )[5m] offset 1h0m0s)
  )
)`,
  )
})

test('a long log range breaks before its stages, with the range behind them', () => {
  const query =
    'quantile_over_time(0.99, {app="api", namespace="production", cluster="eu-west"} |= "finished" | logfmt | unwrap duration(latency) | __error__="" [5m]) by (path)'
  assert.equal(
    formatQuery(query),
    `quantile_over_time(
  0.99,
  {app="api", namespace="production", cluster="eu-west"}
    |= "finished"
    | logfmt
    | unwrap duration(latency)
    | __error__="" [5m]
) by (path)`,
  )
})

test('the operator of a long operation has a line of its own, its operands are indented', () => {
  const query =
    'sum by (app) (rate({namespace="production"} |= "error" [5m])) / on (app) group_left (team) sum by (app) (rate({namespace="production"}[5m])) > 0.05'
  assert.equal(
    formatQuery(query),
    `  (
      sum by (app)(rate({namespace="production"} |= "error"[5m]))
    / on (app) group_left (team)
      sum by (app)(rate({namespace="production"}[5m]))
  )
>
  0.05`,
  )
})

test('label_replace has its strings on lines of their own', () => {
  const query =
    'label_replace(sum by (instance) (rate({app="api", namespace="production"}[5m])), "host", "$1", "instance", "(.*):[0-9]+")'
  assert.equal(
    formatQuery(query),
    `label_replace(
  sum by (instance)(rate({app="api", namespace="production"}[5m])),
  "host",
  "$1",
  "instance",
  "(.*):[0-9]+"
)`,
  )
})

test('a query that does not parse is refused', () => {
  assert.throws(() => formatQuery('{app='), ParseError)
})
