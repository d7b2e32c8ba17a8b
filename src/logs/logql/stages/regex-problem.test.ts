import assert from 'node:assert/strict'
import test from 'node:test'
import { captureProblem, matchesEmpty, regexProblem } from './regex-problem.ts'

test('what is no RE2 expression', () => {
  assert.equal(regexProblem('a.+|(?i)b'), undefined)
  assert.equal(regexProblem('a('), 'error parsing regexp: missing closing ): `a(`')
  assert.match(regexProblem('(?=a)') ?? '', /^error parsing regexp: /)
})

test('which expressions accept the empty value', () => {
  for (const pattern of [
    '',
    '.*',
    'a*',
    'a?',
    '(|x)',
    'a|',
    '^$',
    '(?i)x{0,3}',
    '\\B',
    '(?:a*)+',
    '(?m)^$',
    '\\A\\z',
  ]) {
    assert.equal(matchesEmpty(pattern), true, pattern)
  }
  for (const pattern of ['a', '.+', '.', '[^a]', 'a|b', 'a{1,}', '\\b', 'x*y', '(a)+', '\\d']) {
    assert.equal(matchesEmpty(pattern), false, pattern)
  }
})

test('named groups of the regexp stage', () => {
  assert.equal(captureProblem('(?P<a>x) (?<b_1>y) (z)'), undefined)
  assert.equal(captureProblem('(a)(?:b)'), 'at least one named capture must be supplied')
  assert.equal(captureProblem('(?P<1a>x)'), "invalid extracted label name '1a'")
})
