import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { findBytes, startsWithBytes } from './byte-search.ts'
import { findFolded, foldedNeedle } from './fold-search.ts'
import { testSeed } from '#/kernel/fixture/test-seed.ts'
const text = fc.array(fc.constantFrom('a', 'b', 'A', 'B', 'aa', 'k'), { maxLength: 300 }).map((parts) => parts.join(''))
const needle = fc
  .array(fc.constantFrom('a', 'b', 'ab', 'k'), { minLength: 1, maxLength: 6 })
  .map((parts) => parts.join(''))
const range = fc.tuple(fc.nat(400), fc.nat(400))

test(`searches agree with those of strings, within the range (seed ${testSeed})`, () => {
  fc.assert(
    fc.property(text, needle, range, (hay, wanted, [a, b]) => {
      const bytes = Buffer.from(hay)
      const from = Math.min(a, hay.length)
      const end = Math.max(from, Math.min(b, hay.length))
      const within = (where: string, what: string): number => {
        const at = where.slice(0, end).indexOf(what, from)
        return at
      }
      assert.equal(findBytes(bytes, Buffer.from(wanted), from, end), within(hay, wanted))
      assert.equal(findFolded(bytes, foldedNeedle(wanted), from, end), within(hay.toLowerCase(), wanted))
      assert.equal(startsWithBytes(bytes, Buffer.from(wanted), from, end), hay.slice(from, end).startsWith(wanted))
    }),
    { seed: testSeed, numRuns: 3000 },
  )
})

test('needles longer than the longest move are found', () => {
  const long = 'x'.repeat(299) + 'yz'
  const bytes = Buffer.from('x'.repeat(1000) + long.toUpperCase() + 'x')
  assert.equal(findFolded(bytes, foldedNeedle(long), 0, bytes.length), 1000)
  assert.equal(findFolded(bytes, foldedNeedle(long), 1001, bytes.length), -1)
})
