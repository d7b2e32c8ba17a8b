import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compileRegex } from './compile.ts'
import { enableLinearRegex, isLinear } from './linear.ts'

enableLinearRegex()

const finds = (pattern: string, text: string): boolean => compileRegex(pattern, { anchored: false }).test(text)
const matches = (pattern: string, text: string): boolean => compileRegex(pattern, { anchored: true }).test(text)

test('the linear engine is there', () => {
  assert.equal(isLinear('a*'), true)
  assert.equal(isLinear('(?=a)'), false)
})

test('dot and anchors see runes and newlines as RE2 does', () => {
  assert.equal(finds('^.$', '\u{1f600}'), true)
  assert.equal(finds('^..$', '\u{1f600}'), false)
  assert.equal(finds('^.$', '\r'), true, 'only \\n is no rune for the dot')
  assert.equal(finds('^.$', '\u2028'), true)
  assert.equal(finds('^.$', '\n'), false)
  assert.equal(finds('a$', 'a\n'), false, '$ is the end of the text')
  assert.equal(finds('(?m)a$', 'a\nb'), true)
  assert.equal(finds('(?m)^b', 'a\nb'), true)
  assert.equal(finds('(?m)^b', 'a\rb'), false, 'a carriage return ends no line')
  assert.equal(matches('a.b', 'a\nb'), true, 'in matchers the dot matches newlines')
  assert.equal(matches('a', 'ab'), false)
  assert.equal(matches('a|b', 'ab'), false)
})

test('classes are those of RE2', () => {
  assert.equal(finds('\\s', '\v'), false)
  assert.equal(finds('\\s', '\u00a0'), false)
  assert.equal(finds('\\w', 'é'), false)
  assert.equal(finds('\\bfoo', 'éfoo'), true, 'é is no word character')
  assert.equal(finds('(?i)k', '\u212a'), true)
  assert.equal(finds('(?i)ſ', 'S'), true)
  assert.equal(finds('\\p{Greek}', 'λ'), true)
  assert.equal(finds('\\p{Greek}', 'l'), false)
  assert.equal(finds('[^\\x{10000}-\\x{10FFFF}]', '\u{1f600}'), false)
  assert.equal(finds('[\\x{1F600}-\\x{1F64F}]', '\u{1f601}'), true)
  assert.equal(finds('[[:word:]]', '_'), true)
})

test('counted repeats of any size', () => {
  assert.equal(matches('a{32}', 'a'.repeat(32)), true)
  assert.equal(matches('a{32}', 'a'.repeat(31)), false)
  assert.equal(matches('(?:a{4}){5}', 'a'.repeat(20)), true)
  assert.equal(matches('(?:a{2,3}b){20}', 'aab'.repeat(20)), true)
  assert.equal(matches('a{20,}', 'a'.repeat(19)), false)
  assert.equal(matches('a{2,40}', 'a'.repeat(41)), false)
  assert.equal(matches('[ab]{1000}', 'ab'.repeat(500)), true)
})

test('groups by number and name, undefined where they took no part', () => {
  const regex = compileRegex('(?P<verb>GET|POST) (\\S+)(?: (?<proto>HTTP))?', { anchored: false })
  assert.deepEqual(regex.groupNames, ['verb', undefined, 'proto'])
  const match = regex.exec('x GET /a y')!
  assert.deepEqual([match.start, match.end, ...match.groups], [2, 8, 'GET /a', 'GET', '/a', undefined])
  assert.equal(regex.exec('nothing'), undefined)
  assert.deepEqual(compileRegex('a', { anchored: false }).exec('aba', 1)?.start, 2)
})

test('groups inside repeats keep their last value, as in RE2', () => {
  assert.deepEqual(compileRegex('(?:(a)|b)*', { anchored: false }).exec('ab')!.groups.slice(), ['ab', 'a'])
  assert.deepEqual(compileRegex('(a*)*', { anchored: false }).exec('b')!.groups.slice(), ['', ''])
})

test('a name may occur twice', () => {
  const regex = compileRegex('(?P<x>a{17}){2}(?P<x>b)', { anchored: false })
  assert.deepEqual(regex.groupNames, ['x', 'x'])
  assert.equal(regex.test(`${'a'.repeat(34)}b`), true)
})

test('compiled expressions are shared, and many do not pile up', () => {
  const first = compileRegex('shared', { anchored: false })
  assert.equal(compileRegex('shared', { anchored: false }), first)
  assert.notEqual(compileRegex('shared', { anchored: true }), first)
  for (let i = 0; i < 1000; i++) compileRegex(`x${i}`, { anchored: false })
  assert.notEqual(compileRegex('shared', { anchored: false }), first)
})

test('bad patterns are refused with the message of Go', () => {
  assert.throws(() => compileRegex('(', { anchored: false }), {
    name: 'BadRequest',
    message: 'error parsing regexp: missing closing ): `(`',
  })
})

test('a long list of texts is looked up, not searched', () => {
  const names = Array.from({ length: 5000 }, (_, i) => `pod-${i}`)
  const regex = compileRegex(`(${names.join('|')})`, { anchored: true })
  assert.deepEqual(
    [regex.test('pod-4999'), regex.test('pod-5000'), regex.test('xpod-1'), regex.test('')],
    [true, false, false, false],
  )
})

test('what V8 gets wrong goes to the other engine', () => {
  assert.equal(finds('x|(?s:.)*?y^', 'ax'), true)
  assert.equal(finds('(?s:.)*?y^', 'y'), false)
  assert.equal(finds('(?:^a)*b', 'ab'), true)
})
