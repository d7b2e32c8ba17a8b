import assert from 'node:assert/strict'
import test from 'node:test'
import { BadRequest } from '#/kernel/errors.ts'
import type { Expr } from '#/logs/logql/ast/nodes.ts'
import { printExpr } from '#/logs/logql/format/print.ts'
import { ParseError } from './parse-error.ts'
import { maxQueryBytes, parseExpr } from './parse-expr.ts'

function refusal(query: string): ParseError {
  try {
    parseExpr(query)
  } catch (error) {
    assert.ok(error instanceof ParseError)
    return error
  }
  return assert.fail(`${query} parses`)
}

test('a query becomes a tree of plain data with places', () => {
  const query = 'sum by (x) (rate({app="a"} |= "b" [5m] offset 1m))'
  const selector = { start: 17, end: 33 }
  assert.deepEqual(parseExpr(query), {
    kind: 'vector_aggregation',
    op: 'sum',
    parameter: undefined,
    grouping: { kind: 'by', labels: ['x'] },
    expr: {
      kind: 'range_aggregation',
      op: 'rate',
      parameter: undefined,
      grouping: undefined,
      range: {
        log: {
          kind: 'log',
          matchers: [{ name: 'app', op: '=', value: 'a' }],
          stages: [
            {
              kind: 'line_filter',
              op: '|=',
              operands: [{ kind: 'text', value: 'b', raw: false }],
              at: { start: 27, end: 33 },
            },
          ],
          at: selector,
        },
        unwrap: undefined,
        rangeNs: 300e9,
        offsetNs: 60e9,
        at: { start: 17, end: 48 },
      },
      at: { start: 12, end: 49 },
    },
    at: { start: 0, end: 50 },
  } satisfies Expr)
  assert.deepEqual(structuredClone(parseExpr(query)), parseExpr(query))
})

test('numbers fold by the rules of Go', () => {
  const cases: Record<string, number> = {
    '1/0': Number.NaN,
    '-1/0': Number.NaN,
    '0/0': Number.NaN,
    '5%0': Number.NaN,
    '-5 % 3': -2,
    '5.5 % 2': 1.5,
    '2^0.5': Math.SQRT2,
    '1 ^ (0/0)': 1,
    '-1 ^ (1e308*10)': 1,
    '0/0 == 0/0': 0,
    '0/0 != 0/0': 1,
    '1 >= bool 1': 1,
    '1 <= 0': 0,
    '1 < 2': 1,
    '3 == 3': 1,
    '1e308 * 10': Infinity,
    '-1e308 * 10': -Infinity,
    '-0': -0,
  }
  for (const [query, value] of Object.entries(cases)) {
    const expr = parseExpr(query)
    assert.ok(expr.kind === 'number', query)
    assert.equal(expr.value, value, query)
    const again = parseExpr(printExpr(expr))
    assert.ok(again.kind === 'number' && Object.is(again.value, expr.value), printExpr(expr))
  }
})

test('a parse error tells the place in the message, and the range for editors', () => {
  const error = refusal('{app="a"}\n|= foo')
  assert.ok(error instanceof BadRequest)
  assert.equal(
    error.message,
    'parse error at line 2, col 4: syntax error: unexpected IDENTIFIER, expecting STRING or ip',
  )
  assert.deepEqual([error.line, error.column, error.at], [2, 4, { start: 13, end: 16 }])
})

test('checks without a place in the message still have a range', () => {
  const error = refusal('{app="a"} | label_format x=y, x=z | json')
  assert.match(error.message, /^parse error : stage '\| label_format x=y, x=z' : multiple label name 'x'/)
  assert.deepEqual([error.line, error.column, error.at], [0, 0, { start: 10, end: 33 }])
})

test('a query beyond the size limit is refused before it is read', () => {
  const fill = (bytes: number): string => `{app="${'x'.repeat(bytes - 8)}"}`
  assert.equal(parseExpr(fill(maxQueryBytes)).kind, 'log')
  assert.equal(
    refusal(fill(maxQueryBytes + 1)).message,
    `parse error : input size too long (${maxQueryBytes + 1} > ${maxQueryBytes})`,
  )
  assert.equal(refusal('x'.repeat(1 << 20)).message, 'parse error : input size too long (1048576 > 131072)')
  // bytes count, not characters
  const umlauts = `{app="${'ü'.repeat(65_600)}"}`
  assert.equal(refusal(umlauts).message, 'parse error : input size too long (131208 > 131072)')
  const emoji = `{app="${'\u{1f600}'.repeat(32_766)}"}`
  assert.equal(parseExpr(emoji).kind, 'log')
  assert.match(refusal(emoji.replace('app', 'apple')).message, /\(131074 > 131072\)/)
})

test('text that cannot be UTF-8 is refused', () => {
  const error = refusal('{app="a"} |= "x\ud800y"')
  assert.equal(error.message, 'parse error at line 1, col 16: invalid UTF-8 encoding')
  assert.deepEqual(error.at, { start: 15, end: 16 })
})

test('nesting is bounded, whatever nests', () => {
  const nestings: Record<string, (depth: number) => string> = {
    parentheses: (depth) => `${'('.repeat(depth)}1${')'.repeat(depth)}`,
    calls: (depth) => `${'sum('.repeat(depth)}vector(1)${')'.repeat(depth)}`,
    powers: (depth) => `${'vector(1)^'.repeat(depth)}vector(1)`,
    'log ranges': (depth) => `rate(${'('.repeat(depth)}{a="b"}[1m]${')'.repeat(depth)})`,
    'label filters': (depth) => `{a="b"} | ${'('.repeat(depth)}a=1${')'.repeat(depth)}`,
    replaces: (depth) => `${'label_replace('.repeat(depth)}vector(1)${',"","","","")'.repeat(depth)}`,
  }
  for (const [name, nested] of Object.entries(nestings)) {
    assert.doesNotThrow(() => printExpr(parseExpr(nested(200))), name)
    const query = nested(201)
    assert.match(
      refusal(query).message,
      /^parse error at line 1, col \d+: expression is nested deeper than 200 levels$/,
      name,
    )
  }
  const commas = (count: number): string => `{a="b"} | ${'a=1 or b=2, '.repeat(count)} c=3`
  assert.doesNotThrow(() => printExpr(parseExpr(commas(100))))
  assert.match(refusal(commas(101)).message, /nested deeper than 100 levels$/)
})

test('long chains need no nesting, or are counted', () => {
  const filters = parseExpr(`{a="b"} | ${'id="x" or '.repeat(10_000)} id="y"`)
  assert.ok(filters.kind === 'log' && filters.stages[0]?.kind === 'label_filter')
  assert.ok(filters.stages[0].filter.kind === 'or' && filters.stages[0].filter.terms.length === 10_001)
  assert.equal(printExpr(parseExpr(`${'1+'.repeat(60_000)}1`)), '60001')
  assert.doesNotThrow(() => printExpr(parseExpr(`${'vector(1)+'.repeat(1000)}vector(1)`)))
  assert.match(
    refusal(`${'vector(1)+'.repeat(1001)}vector(1)`).message,
    /^parse error at line 1, col \d+: expression has more than 1000 operators between vectors$/,
  )
})
