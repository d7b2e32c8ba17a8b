import assert from 'node:assert/strict'
import test from 'node:test'
import { ParseError } from '#/logs/logql/parser/parse-error.ts'
import { parseExpr } from '#/logs/logql/parser/parse-expr.ts'
import { rangeFunctions, vectorFunctions } from './index.ts'

const parses = (query: string): boolean => {
  try {
    parseExpr(query)
    return true
  } catch (error) {
    assert.ok(error instanceof ParseError)
    return false
  }
}

const names = (functions: ReadonlyMap<string, { grouping: boolean }>): string =>
  [...functions.values()].flatMap((fn) => (fn.grouping ? [Object(fn).name as string] : [])).join(' ')

test('what each range function takes', () => {
  for (const { name, parameter, unwrap, grouping } of rangeFunctions.values()) {
    const before = parameter === 'required' ? '0.5, ' : parameter === 'label' ? 'user, ' : ''
    const plain = `${name}(${before}{app="x"}[1m])`
    const unwrapped = `${name}(${before}{app="x"} | unwrap y [1m])`
    assert.equal(parses(plain), unwrap !== 'required', plain)
    assert.equal(parses(unwrapped), unwrap !== 'forbidden', unwrapped)
    const good = unwrap === 'forbidden' ? plain : unwrapped
    for (const clause of [' by (z)', ' without ()']) assert.equal(parses(good + clause), grouping, good + clause)
    const wrong = ['', '0.5, ', 'user, ', '"user", '].filter((other) => other !== before)
    for (const other of wrong) assert.equal(parses(good.replace(`(${before}`, `(${other}`)), false, other + good)
  }
  assert.equal(
    names(rangeFunctions),
    'avg_over_time min_over_time max_over_time stdvar_over_time stddev_over_time quantile_over_time first_over_time last_over_time count_distinct_over_time',
  )
})

test('what each vector function takes', () => {
  for (const { name, parameter, grouping } of vectorFunctions.values()) {
    const before = parameter === 'required' ? '3, ' : ''
    assert.equal(parses(`${name}(${before}vector(1))`), true, name)
    assert.equal(parses(`${name} by (x) (${before}vector(1))`), grouping, name)
    assert.equal(parses(`${name}(${before}vector(1)) without (x)`), grouping, name)
    assert.equal(parses(`${name}(${parameter === 'required' ? '' : '3, '}vector(1))`), false, name)
  }
  assert.equal(names(vectorFunctions), 'sum avg min max count stddev stdvar topk bottomk')
})

test('every function has a sentence of documentation', () => {
  for (const { doc } of [...rangeFunctions.values(), ...vectorFunctions.values()]) assert.match(doc, /^[A-Z0-9].*\.$/)
})
