import assert from 'node:assert/strict'
import { test } from 'node:test'
import { enableLinearRegex } from '#/platform/regex/linear.ts'
import { labelsOf, runAll } from './page-fixture.ts'

enableLinearRegex()

const passes = (filter: string, line: string): boolean => labelsOf(`| logfmt | ${filter}`, line) !== undefined
const errorOf = (filter: string, line: string): string | undefined =>
  labelsOf(`| logfmt | ${filter}`, line)?.['__error__']

test('text filters: a missing label is empty, expressions match the whole value', () => {
  assert.equal(passes('a = "x"', 'a=x'), true)
  assert.equal(passes('a = "x"', 'a=y'), false)
  assert.equal(passes('a = ""', 'b=1'), true)
  assert.equal(passes('missing != "x"', 'b=1'), true)
  assert.equal(passes('a =~ "x.*"', 'a=xyz'), true)
  assert.equal(passes('a =~ "y"', 'a=xyz'), false)
  assert.equal(passes('a !~ "y"', 'a=xyz'), true)
  assert.equal(passes('a =~ ".*"', 'b=1'), true)
  assert.equal(passes('a =~ "x.y"', 'a="x\\ny"'), true, 'the dot matches newlines')
})

test('numbers: every comparison, floats, signs and exponents', () => {
  for (const [filter, expected] of Object.entries({
    'a > 5': [false, false, true],
    'a >= 5': [false, true, true],
    'a < 5': [true, false, false],
    'a <= 5': [true, true, false],
    'a == 5': [false, true, false],
    'a = 5': [false, true, false],
    'a != 5': [true, false, true],
  })) {
    assert.deepEqual(
      runAll(`| logfmt | ${filter}`, ['a=4', 'a=5', 'a=6']).map((row) => row !== undefined),
      expected,
      filter,
    )
  }
  assert.equal(passes('a > 5', 'a=5.01'), true)
  assert.equal(passes('a < 0', 'a=-1e3'), true)
  assert.equal(passes('a == 1000', 'a=1e3'), true)
  assert.equal(passes('a > 5', 'a=+Inf'), true)
  assert.equal(passes('a > 5', 'a=12345678901234567890'), true)
  assert.equal(passes('a == 255', 'a=0xFFp0'), true)
})

test('durations and sizes', () => {
  assert.equal(passes('a > 10s', 'a=1m'), true)
  assert.equal(passes('a > 10s', 'a=9.5s'), false)
  assert.equal(passes('a <= 250ms', 'a=250000us'), true)
  assert.equal(errorOf('a > 1d', 'a=2d'), 'LabelFilterErr', 'values are Go durations, which know no days')
  assert.equal(passes('a >= 5KB', 'a=5kB'), true)
  assert.equal(passes('a > 5KB', 'a="5 KiB"'), true)
  assert.equal(passes('a == 1KiB', 'a=1,024'), true)
})

test('a missing label drops the line, one that cannot be converted keeps it with an error', () => {
  assert.equal(passes('missing > 5', 'a=1'), false)
  assert.equal(passes('missing > 5s', 'a=1'), false)
  assert.equal(passes('missing > 5KB', 'a=1'), false)
  assert.deepEqual(labelsOf('| logfmt | a > 5', 'a=foo'), {
    app: 'a',
    a: 'foo',
    __error__: 'LabelFilterErr',
    __error_details__: 'strconv.ParseFloat: parsing "foo": invalid syntax',
  })
  assert.equal(labelsOf('| logfmt | a > 5s', 'a=foo')?.['__error_details__'], 'time: invalid duration "foo"')
  assert.equal(labelsOf('| logfmt | a > 5KB', 'a=5x')?.['__error_details__'], 'unhandled size name: x')
})

test('a line that has an error passes conversions unseen and keeps its error', () => {
  const labels = labelsOf('| json | a > 5 | b > 5s | c > 5KB | d = ip("1.1.1.1")', 'no json')
  assert.equal(labels?.['__error__'], 'JSONParserErr')
})

test('text filters see the error', () => {
  assert.equal(labelsOf('| json | __error__ = ""', 'no json'), undefined)
  assert.notEqual(labelsOf('| json | __error__ != ""', 'no json'), undefined)
  assert.notEqual(labelsOf('| json | __error__ = "JSONParserErr"', 'no json'), undefined)
  assert.notEqual(labelsOf('| json | __error_details__ =~ ".*closing.*"', 'no json'), undefined)
  assert.equal(labelsOf('| json | __error__ != ""', '{}'), undefined)
})

test('and looks at both sides, so that both may set errors; or stops at the first that is true', () => {
  assert.equal(errorOf('a = "x" and b > 5', 'a=x b=foo'), 'LabelFilterErr')
  assert.equal(passes('a = "y" and b > 5', 'a=x b=foo'), false)
  assert.equal(errorOf('a = "x" or b > 5', 'a=x b=foo'), undefined)
  assert.equal(errorOf('a = "y" or b > 5', 'a=x b=foo'), 'LabelFilterErr')
  assert.equal(passes('(a = "1" or b = "2") and c = "3"', 'b=2 c=3'), true)
  assert.equal(passes('(a = "1" or b = "2") and c = "3"', 'b=2 c=4'), false)
})

test('ip filters on values', () => {
  assert.equal(passes('a = ip("10.0.0.0/8")', 'a=10.1.1.1'), true)
  assert.equal(passes('a = ip("10.0.0.0/8")', 'a=11.1.1.1'), false)
  assert.equal(passes('a != ip("10.0.0.0/8")', 'a=11.1.1.1'), true)
  assert.equal(passes('a != ip("10.0.0.0/8")', 'b=1'), false, 'a missing label is dropped, whatever the operator')
})

test('filters apply to stream labels, metadata and parsed labels; the place decides what is there', () => {
  const entry = { line: '{"status":500}', meta: { trace: 'abc' } }
  assert.notEqual(labelsOf('| app = "a" | trace = "abc" | json | status = 500', entry), undefined)
  assert.equal(labelsOf('| status = 500 | json', entry), undefined)
})
