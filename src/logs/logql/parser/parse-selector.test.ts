import assert from 'node:assert/strict'
import test from 'node:test'
import { BadRequest } from '#/kernel/errors.ts'
import { ParseError } from './parse-error.ts'
import { parseLogSelector, parseSelector } from './parse-selector.ts'

test('a selector gives its matchers', () => {
  assert.deepEqual(parseSelector('{app="a", env=~"b|c"}', { validate: true }), [
    { name: 'app', op: '=', value: 'a' },
    { name: 'env', op: '=~', value: 'b|c' },
  ])
})

test('match[] asks for no matcher, labels and values do', () => {
  assert.deepEqual(parseSelector('{}', { validate: false }), [])
  assert.deepEqual(parseSelector('{app=~".*"}', { validate: false }), [{ name: 'app', op: '=~', value: '.*' }])
  for (const text of ['{}', '{app=~".*"}', '{app!="x"}', '{app=""}', '{app!~"x"}']) {
    assert.throws(
      () => parseSelector(text, { validate: true }),
      /^ParseError: parse error : queries require at least one/,
      text,
    )
  }
  for (const text of ['{app=~".+"}', '{app!=""}', '{app!~".*"}', '{app!~"a*"}', '{app!~"|x"}', '{app=~"a|b", x=""}']) {
    assert.doesNotThrow(() => parseSelector(text, { validate: true }), text)
  }
})

test('a selector with more than matchers is refused', () => {
  for (const text of ['{app="a"} |= "x"', '{app="a"} | json', 'rate({app="a"}[1m])', '1']) {
    assert.throws(
      () => parseSelector(text, { validate: false }),
      new BadRequest('only label matchers are supported'),
      text,
    )
  }
  assert.throws(() => parseSelector('{app="("', { validate: false }), ParseError)
  assert.throws(
    () => parseSelector('{app=~"("}', { validate: false }),
    /error parsing regexp: missing closing \): `\(`/,
  )
  assert.throws(() => parseSelector('', { validate: false }), /unexpected \$end/)
})

test('a log selector may have a pipeline but no samples', () => {
  assert.equal(parseLogSelector('{app="a"} |= "x" | json').stages.length, 2)
  assert.throws(() => parseLogSelector('rate({app="a"}[1m])'), /only log selector is supported/)
  assert.throws(() => parseLogSelector('{app=~".*"}'), ParseError)
})
