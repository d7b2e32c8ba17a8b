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

test('stages at the end have lines like all others', () => {
  const query =
    '{app="api", namespace="production"}|=i"timeout"|json|distinct trace_id,path|sort by duration desc|limit 20|status>=500'
  assert.throws(() => formatQuery(query), /must stand behind/)
  assert.equal(
    formatQuery(query.replace('|status>=500', '').replace('|json', '|json|status>=500')),
    `{app="api", namespace="production"}
  |=i "timeout"
  | json
  | status>=500
  | distinct trace_id, path
  | sort by duration desc
  | limit 20`,
  )
})

test('the query behind in has lines of its own when it is all that a long filter asks', () => {
  const subquery = '{app="db", cluster="eu"} |=i "deadlock" | logfmt | level = "error" | duration > 5s | keep trace_id'
  assert.equal(
    formatQuery(`{app="api"} | trace_id in (${subquery})`),
    `{app="api"}
  | trace_id in (
    {app="db", cluster="eu"} |=i "deadlock" | logfmt | level="error" | duration>5s | keep trace_id
  )`,
  )
  assert.equal(
    formatQuery(`{app="api"} | trace_id in (${subquery.replace('cluster', 'cluster="x", namespace')})`),
    `{app="api"}
  | trace_id in (
    {app="db", cluster="x", namespace="eu"}
      |=i "deadlock"
      | logfmt
      | level="error"
      | duration>5s
      | keep trace_id
  )`,
  )
})

test('the label of count_distinct_over_time has a line like other arguments', () => {
  assert.equal(
    formatQuery(
      'sum by (country) (count_distinct_over_time(user_id, {app="shop", namespace="production"} | json | status < 400 [1h]) by (country, city))',
    ),
    `sum by (country)(
  count_distinct_over_time(
    user_id,
    {app="shop", namespace="production"} | json | status<400 [1h]
  ) by (country,city)
)`,
  )
})

test('deep operations are laid out in time linear to their text, and indented only so far', () => {
  const deepPowers = `${'vector(1)^'.repeat(200)}${`rate({app="${'x'.repeat(100)}"}[1m])`}`
  const lines = formatQuery(deepPowers).split('\n')
  assert.ok(lines.length > 400)
  assert.ok(Math.max(...lines.map((line) => line.search(/\S/))) <= 90)
})

test('a query that does not parse is refused', () => {
  assert.throws(() => formatQuery('{app='), ParseError)
})
