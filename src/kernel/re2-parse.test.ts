import assert from 'node:assert/strict'
import { test } from 'node:test'
import { negate, normalize, unicodeClass } from './re2-classes.ts'
import { asciiFold, foldOrbit } from './re2-fold.ts'
import type { Re2Node } from './re2-node.ts'
import { MAX_DEPTH, parseRe2, re2Mistake } from './re2-parse.ts'

const root = (pattern: string): Re2Node => parseRe2(pattern).root
const literal = (text: string, fold = false): Re2Node => ({ op: 'literal', text, fold })

test('what RE2 refuses is refused with the words of Go', () => {
  const cases: Record<string, string> = {
    '(a': 'missing closing ): `(a`',
    'a)': 'unexpected ): `a)`',
    'a|(?:': 'missing closing ): `a|(?:`',
    '*': 'missing argument to repetition operator: `*`',
    'a|+': 'missing argument to repetition operator: `+`',
    '({2}': 'missing argument to repetition operator: `{2}`',
    'a**': 'invalid nested repetition operator: `**`',
    'a*??': 'invalid nested repetition operator: `*??`',
    'a++': 'invalid nested repetition operator: `++`',
    'x{2}{3}': 'invalid nested repetition operator: `{2}{3}`',
    'a{1001}': 'invalid repeat count: `{1001}`',
    'a{2,1}': 'invalid repeat count: `{2,1}`',
    '((a{100}){10}){2}': 'invalid repeat count: `{2}`',
    '(?=a)': 'invalid or unsupported Perl syntax: `(?=`',
    '(?!a)': 'invalid or unsupported Perl syntax: `(?!`',
    '(?>a)': 'invalid or unsupported Perl syntax: `(?>`',
    '(?#a)': 'invalid or unsupported Perl syntax: `(?#`',
    '(?x)a': 'invalid or unsupported Perl syntax: `(?x`',
    '(?P=n)': 'invalid or unsupported Perl syntax: `(?P`',
    '(?P>n)': 'invalid or unsupported Perl syntax: `(?P`',
    '(?i': 'invalid or unsupported Perl syntax: `(?i`',
    '(?-)': 'invalid or unsupported Perl syntax: `(?-)`',
    '(?<=a)b': 'invalid named capture: `(?<=a)b`',
    '(?P<n': 'invalid named capture: `(?P<n`',
    '(?P<a b>c)': 'invalid named capture: `(?P<a b>`',
    '(?<>a)': 'invalid named capture: `(?<>`',
    '[a': 'missing closing ]: `[a`',
    '[z-a]': 'invalid character class range: `z-a`',
    '[[:foo:]]': 'invalid character class range: `[:foo:]`',
    '\\p{Foo}': 'invalid character class range: `\\p{Foo}`',
    '\\pX': 'invalid character class range: `\\pX`',
    '\\p{Greek': 'invalid character class range: `\\p{Greek`',
    '[a-\\d]': 'invalid escape sequence: `\\d`',
    '[\\b]': 'invalid escape sequence: `\\b`',
    '\\x{110000}': 'invalid escape sequence: `\\x{110000`',
    '\\x4': 'invalid escape sequence: `\\x4`',
    '\\x{}': 'invalid escape sequence: `\\x{}`',
    '\\é': 'invalid escape sequence: `\\é`',
    '\\u0041': 'invalid escape sequence: `\\u`',
    '\\': 'trailing backslash at end of expression: ``',
  }
  for (const letter of ['Z', 'h', 'R', 'K', 'G', 'X', 'N', 'e', 'c', 'k', '1', '8', 'C']) {
    cases[`\\${letter}`] = `invalid escape sequence: \`\\${letter}\``
  }
  for (const [pattern, message] of Object.entries(cases)) {
    assert.equal(re2Mistake(pattern), `error parsing regexp: ${message}`, pattern)
  }
})

test('expressions that would be too large or too deep are refused', () => {
  assert.match(re2Mistake('('.repeat(MAX_DEPTH + 1) + ')'.repeat(MAX_DEPTH + 1)) ?? '', /expression nests too deeply/)
  assert.equal(re2Mistake('('.repeat(MAX_DEPTH) + ')'.repeat(MAX_DEPTH)), undefined)
  assert.match(re2Mistake('a{1000}'.repeat(600)) ?? '', /expression too large/)
})

test('braces that are no repeat, and stray ] and }, are literals', () => {
  assert.deepEqual(root('a{,3}'), literal('a{,3}'))
  assert.deepEqual(root('{a}]'), literal('{a}]'))
  assert.deepEqual(root('a{01}'), literal('a{01}'))
})

test('a repeat takes the last rune, or the group', () => {
  const repeat = { op: 'repeat', min: 0, max: Infinity, lazy: false } as const
  assert.deepEqual(root('ab*'), { op: 'concat', subs: [literal('a'), { ...repeat, sub: literal('b') }] })
  assert.deepEqual(root('(?:ab)*'), { ...repeat, sub: literal('ab') })
  assert.deepEqual(root('\\Qa.b\\E*'), { op: 'concat', subs: [literal('a.'), { ...repeat, sub: literal('b') }] })
  assert.deepEqual(root('a{2,}?'), { ...repeat, sub: literal('a'), min: 2, lazy: true })
})

test('flags hold to the end of their group', () => {
  assert.deepEqual(root('(?i:x)y'), { op: 'concat', subs: [literal('x', true), literal('y')] })
  assert.deepEqual(root('a(?i)b'), { op: 'concat', subs: [literal('a'), literal('b', true)] })
  assert.deepEqual(root('(?i)a(?-i)b'), { op: 'concat', subs: [literal('a', true), literal('b')] })
  assert.deepEqual(root('(?s).(?-s).'), {
    op: 'concat',
    subs: [
      { op: 'any', newline: true },
      { op: 'any', newline: false },
    ],
  })
  assert.deepEqual(root('(?m)^$'), { op: 'concat', subs: [{ op: 'begin_line' }, { op: 'end_line' }] })
  assert.deepEqual(root('^\\A\\z$'), {
    op: 'concat',
    subs: [{ op: 'begin_text' }, { op: 'begin_text' }, { op: 'end_text' }, { op: 'end_text' }],
  })
  assert.equal((root('(?U)a+') as { lazy: boolean }).lazy, true)
  assert.equal((root('(?U)a+?') as { lazy: boolean }).lazy, false)
})

test('texts without a case do not fold', () => {
  assert.deepEqual(root('(?i)12'), literal('12'))
})

test('groups are numbered and named in order; a name may occur twice', () => {
  assert.deepEqual(parseRe2('(a)(?P<x>b(?<y>c))').groupNames, [undefined, 'x', 'y'])
  assert.deepEqual(parseRe2('(?<x>a)(?P<x>b)[(?P<z>]').anonymous, '(a)(b)[(?P<z>]')
})

test('classes become ranges', () => {
  const ranges = (pattern: string): readonly number[] => (root(pattern) as { ranges: readonly number[] }).ranges
  assert.deepEqual(ranges('[]a]'), [0x5d, 0x5d, 0x61, 0x61])
  assert.deepEqual(ranges('[^]a]'), negate([0x5d, 0x5d, 0x61, 0x61]))
  assert.deepEqual(ranges('[a-cb-e]'), [0x61, 0x65])
  assert.deepEqual(ranges('[a-]'), [0x2d, 0x2d, 0x61, 0x61])
  assert.deepEqual(ranges('\\s'), [9, 10, 12, 13, 32, 32], 'no vertical tab, no NBSP')
  assert.deepEqual(ranges('[[:space:]]'), [9, 13, 32, 32])
  assert.deepEqual(ranges('[[:^ascii:]]'), [0x80, 0x10ffff])
  assert.deepEqual(ranges('\\p{^Any}'), [])
  assert.deepEqual(ranges('\\PN'), negate(unicodeClass('N')!))
  assert.deepEqual(ranges('(?i)[k]'), [0x4b, 0x4b, 0x6b, 0x6b, 0x212a, 0x212a], 'with the Kelvin sign')
  assert.deepEqual(ranges('(?i)[^s]'), negate([0x53, 0x53, 0x73, 0x73, 0x17f, 0x17f]), 'with the long s')
})

test('escapes stand for one rune', () => {
  assert.deepEqual(
    root('\\a\\f\\t\\n\\r\\v\\x41\\x{1F600}\\101\\07\\_\\-\\"'),
    literal('\x07\f\t\n\r\vA\u{1f600}A\x07_-"'),
  )
})

test('normalising sorts, joins and keeps what is apart', () => {
  assert.deepEqual(normalize([5, 6, 1, 2, 3, 3, 9, 9]), [1, 3, 5, 6, 9, 9])
  assert.deepEqual(normalize([]), [])
})

test('orbits of case folding', () => {
  assert.deepEqual(foldOrbit(0x41), [0x61])
  assert.deepEqual(foldOrbit(0x31), [])
  assert.deepEqual(new Set(foldOrbit(0x3c3)), new Set([0x3a3, 0x3c2]), 'both small sigmas and the capital')
  assert.deepEqual(foldOrbit(0xdf), [0x1e9e])
  assert.deepEqual(foldOrbit(0x131), [], 'the dotless i folds with nothing')
  assert.deepEqual(new Set(foldOrbit(0x17f)), new Set([0x53, 0x73]))
})

test('texts that an ASCII line can contain but for case', () => {
  assert.equal(asciiFold('ErrOr 5'), 'error 5')
  assert.equal(asciiFold('\u212aelvin'), 'kelvin')
  assert.equal(asciiFold('é'), undefined)
})
