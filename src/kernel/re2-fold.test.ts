import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { MAX_RUNE, normalize, unicodeClass } from './re2-classes.ts'
import { foldOrbit, foldRanges } from './re2-fold.ts'
import { testSeed } from './fixture/test-seed.ts'

/** Rune by rune. */
function foldedOneByOne(lo: number, hi: number): number[] {
  const folded = [lo, hi]
  for (let rune = lo; rune <= hi; rune++) for (const other of foldOrbit(rune)) folded.push(other, other)
  return normalize(folded)
}

test('a range is folded as its runes are', () => {
  const length = fc.oneof(fc.nat({ max: 100 }), fc.nat({ max: 0x3000 }))
  fc.assert(
    fc.property(fc.oneof(fc.nat({ max: 0x600 }), fc.nat({ max: 0x1f000 })), length, (lo, more) => {
      assert.deepEqual(normalize(foldRanges([lo, lo + more])), foldedOneByOne(lo, lo + more))
    }),
    { seed: testSeed, numRuns: 300 },
  )
})

test('runes that differ in case only are in one orbit', () => {
  const orbit = (char: string): string[] => foldOrbit(char.codePointAt(0)!).map((rune) => String.fromCodePoint(rune))
  assert.deepEqual(orbit('k'), ['K', '\u212a'])
  assert.deepEqual(orbit('é'), ['É'])
  assert.deepEqual(new Set(orbit('σ')), new Set(['Σ', 'ς']))
  assert.deepEqual(orbit('\u{10400}'), ['\u{10428}'])
  assert.deepEqual([orbit('ı'), orbit('5'), orbit('ß')], [[], [], ['ẞ']])
})

test('categories and scripts hold the runes that the runtime says, and none that is not assigned', () => {
  const members = {
    L: '\\p{L}',
    Nd: '\\p{Nd}',
    Greek: '\\p{Script=Greek}',
    Co: '\\p{Co}',
    C: '[\\p{Cc}\\p{Cf}\\p{Co}]',
  }
  for (const [name, pattern] of Object.entries(members)) {
    const [ranges, isMember] = [unicodeClass(name)!, new RegExp(`^${pattern}$`, 'u')]
    let at = 0
    for (let rune = 0; rune <= MAX_RUNE; rune += rune < 0x3000 ? 1 : 13) {
      if (rune >= 0xd800 && rune < 0xe000) continue
      while (at < ranges.length && ranges[at + 1]! < rune) at += 2
      const isIn = at < ranges.length && ranges[at]! <= rune
      if (isIn !== isMember.test(String.fromCodePoint(rune))) assert.fail(`${name} and ${rune.toString(16)}`)
    }
  }
  assert.equal(unicodeClass('Nonsense'), undefined)
})
