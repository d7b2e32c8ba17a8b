import assert from 'node:assert/strict'
import { test } from 'node:test'
import { everyRequired, exactLiterals, pureLiterals, requiredLiterals } from './re2-literals.ts'
import { parseRe2 } from './re2-parse.ts'

const pure = (pattern: string): readonly string[] | undefined => pureLiterals(parseRe2(pattern).root)?.texts
const required = (pattern: string): readonly string[] | undefined => requiredLiterals(parseRe2(pattern).root)?.texts

test('expressions that are nothing but texts', () => {
  assert.deepEqual(pure('error'), ['error'])
  assert.deepEqual(pure('error|warn'), ['error', 'warn'])
  assert.deepEqual(pure('.*error.*'), ['error'])
  assert.deepEqual(pure('(a|b)c(?:d|e)'), ['acd', 'ace', 'bcd', 'bce'])
  assert.deepEqual(pure('x[ab]'), ['xa', 'xb'])
  assert.deepEqual(pure('.*'), [''])
  assert.deepEqual(pure(''), [''])
  assert.deepEqual(pure('a\\.b'), ['a.b'])
})

test('expressions that are more than texts', () => {
  for (const pattern of ['^error', 'error$', '\\berror', 'a.b', 'a+', '.+', 'a?', '[a-z]', 'a|b.', '(?m)^']) {
    assert.equal(pure(pattern), undefined, pattern)
  }
})

test('case makes texts fold as a whole or not at all', () => {
  assert.deepEqual(pureLiterals(parseRe2('(?i)error|warn').root), { texts: ['error', 'warn'], fold: true })
  assert.equal(pureLiterals(parseRe2('(?i:error)|warn').root), undefined)
})

test('texts of which every match contains one', () => {
  assert.deepEqual(required('status=5\\d\\d'), ['status=5'])
  assert.deepEqual(required('(error|warn): \\d+'), ['error: ', 'warn: '])
  assert.deepEqual(required('a.*longer.*bc'), ['longer'])
  assert.deepEqual(required('\\bfoo\\b'), ['foo'])
  assert.deepEqual(required('(?:abc)+'), ['abc'])
  assert.deepEqual(required('abc.|def.'), ['abc', 'def'])
  for (const pattern of ['a*', '(?:abc)?', '\\d+', 'abc|.', '', '.*', 'abc.|[a-z]+']) {
    assert.equal(required(pattern), undefined, pattern)
  }
})

test('alternatives do not multiply beyond a limit', () => {
  assert.equal(required('[ab][ab][ab][ab][ab]')?.length, 16)
  assert.equal(pure('[ab][ab][ab][ab][ab]'), undefined)
})

test('sets of texts of which every match contains one each', () => {
  const every = (pattern: string): readonly (readonly string[])[] =>
    everyRequired(parseRe2(pattern).root).map(({ texts }) => texts)
  assert.deepEqual(every('abc'), [['abc']])
  assert.deepEqual(every('x=(?:ab.*cd)+y'), [['x='], ['ab'], ['cd'], ['y']])
  assert.deepEqual(every('^foo$|bar.'), [['foo', 'bar']])
  assert.deepEqual(every('a.*(?:bc)?.*d'), [['a'], ['d']])
  assert.deepEqual(every('\\bfoo\\b'), [['foo']])
  for (const pattern of ['a*', '', '.*', 'abc|.']) assert.deepEqual(every(pattern), [], pattern)
})

test('expressions that match a few texts as a whole', () => {
  const exact = (pattern: string): readonly string[] | undefined => exactLiterals(parseRe2(pattern).root)?.texts
  assert.deepEqual(exact('a|b[cd]'), ['a', 'bc', 'bd'])
  assert.deepEqual(exact('(?:a)'), ['a'])
  for (const pattern of ['.*a', 'a.*', '^a', 'a+', 'a?', '[a-z]']) assert.equal(exact(pattern), undefined, pattern)
})
