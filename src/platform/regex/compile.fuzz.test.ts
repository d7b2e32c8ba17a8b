import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { RE2JS } from 're2js'
import { pureLiterals, requiredLiterals, type Literals } from '#/kernel/re2-literals.ts'
import { re2Mistake } from '#/kernel/re2-parse.ts'
import { compileRegex } from './compile.ts'
import { enableLinearRegex } from './linear.ts'
import { testSeed } from '#/kernel/fixture/test-seed.ts'

enableLinearRegex()
const check = { seed: testSeed, numRuns: 250 }

const atom = fc.constantFrom(
  ' ',
  ...String.raw`a b A k s 1 _ . \. é λ 😀 \d \w \s \W \D \S`.split(' '),
  ...String.raw`[ab] [^a] [a-k] [^\d] [[:alpha:]] [[:^word:]] [é-λ] [^😀] \p{Greek} \P{Greek} \n`.split(' '),
  ...String.raw`^ $ \b \B \A \z \x41 [\x{1F600}-\x{1F64F}] (?:)`.split(' '),
)
const counts = ['', '', '', '*', '+', '?', '*?', '+?', '??', '{2}', '{0,2}', '{1,}', '{0}']
/** Beyond what V8 repeats in linear time. */
const atomCount = fc.constantFrom(...counts, '{17}')
const groupCount = fc.constantFrom(...counts)
const { pattern } = fc.letrec<{ pattern: string; branch: string; part: string }>((tie) => ({
  pattern: fc.array(tie('branch'), { minLength: 1, maxLength: 2 }).map((branches) => branches.join('|')),
  branch: fc.array(tie('part'), { minLength: 1, maxLength: 4 }).map((parts) => parts.join('')),
  part: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.tuple(atom, atomCount).map(([text, count]) => text + count),
    fc
      .tuple(fc.constantFrom('(', '(?:', '(?i:', '(?s:', '(?m:', '(?U:', '(?P<n>'), tie('pattern'), groupCount)
      .map(([open, inner, count]) => `${open}${inner})${count}`),
  ),
}))
const subject = fc
  .array(
    fc.constantFrom(
      'a',
      'b',
      'A',
      'K',
      'k',
      'S',
      '1',
      '_',
      ' ',
      '.',
      '\n',
      '\r',
      'é',
      'É',
      'λ',
      'ſ',
      '\u212a',
      '\u{1f600}',
    ),
    {
      maxLength: 12,
    },
  )
  .map((runes) => runes.join(''))
const asciiSubject = fc
  .array(fc.constantFrom('a', 'b', 'A', 'k', 's', '1', '_', ' ', '.', '\n'), { maxLength: 12 })
  .map((runes) => runes.join(''))

/** The expression for re2js, which refuses names that occur twice; what it refuses otherwise we must refuse too. */
function reference(text: string, flags = 0): RE2JS {
  const anonymous = text.replaceAll('(?P<n>', '(')
  let compiled: RE2JS | undefined
  let message: string | undefined
  try {
    compiled = RE2JS.compile(anonymous, flags)
  } catch (error) {
    message = (error as Error).message
  }
  assert.equal(re2Mistake(anonymous), message)
  fc.pre(compiled !== undefined)
  return compiled
}

test(`our engine finds what re2js finds (seed ${testSeed})`, () => {
  fc.assert(
    fc.property(pattern, subject, asciiSubject, (text, any, ascii) => {
      const expected = reference(text)
      const ours = compileRegex(text, { anchored: false })
      assert.equal(ours.test(any), expected.test(any))
      assert.equal(ours.test(ascii), expected.test(ascii))
      assert.equal(ours.testAscii(ascii), expected.test(ascii))
    }),
    check,
  )
})

test(`anchored expressions match the whole text, newlines included (seed ${testSeed})`, () => {
  fc.assert(
    fc.property(pattern, subject, (text, any) => {
      const expected = reference(text, RE2JS.DOTALL).matcher(any).matches()
      assert.equal(compileRegex(text, { anchored: true }).test(any), expected)
    }),
    check,
  )
})

test(`places and groups of the first match are those of re2js (seed ${testSeed})`, () => {
  fc.assert(
    fc.property(pattern, subject, (text, any) => {
      const matcher = reference(text).matcher(any)
      const ours = compileRegex(text, { anchored: false })
      const match = ours.exec(any)
      assert.equal(match !== undefined, matcher.find())
      if (!match) return
      assert.deepEqual([match.start, match.end], [matcher.start(), matcher.end()])
      const groups = Array.from({ length: ours.groupNames.length + 1 }, (_, i) => matcher.group(i) ?? undefined)
      assert.deepEqual([...match.groups], groups)
      if (/^[\0-\x7f]*$/.test(any)) assert.deepEqual([...(ours.execAscii(any)?.groups ?? [])], groups)
    }),
    check,
  )
})

function contains(text: string, { texts, fold }: Literals): boolean {
  return texts.some((literal) => compileRegex(`${fold ? '(?i)' : ''}\\Q${literal}\\E`, { anchored: false }).test(text))
}

test(`required texts are in every match, pure ones decide it (seed ${testSeed})`, () => {
  fc.assert(
    fc.property(pattern, subject, (text, any) => {
      reference(text)
      const regex = compileRegex(text, { anchored: false })
      const found = regex.test(any)
      const required = requiredLiterals(regex.root)
      const pure = pureLiterals(regex.root)
      if (found && required) assert.ok(contains(any, required), `${JSON.stringify(required)}`)
      if (pure) assert.equal(contains(any, pure), found)
    }),
    check,
  )
})
