import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { testSeed } from '#/kernel/fixture/test-seed.ts'
import { CHUNK_BYTES, FoldedHits } from './fold-kernel.ts'
import { foldedNeedle, hasFolded } from './fold-search.ts'

/** Letters that are each other's case, and bytes that differ from others in that bit alone. */
const letter = fc.constantFrom('a', 'A', 'b', 'B', '@', '`', '[', '{', '=', '\x1d', 'é')
const text = fc.array(letter, { maxLength: 60 }).map((letters) => letters.join(''))
const needle = fc.array(fc.constantFrom('a', 'b', '@', '`', '[', '='), { minLength: 1, maxLength: 4 })

function placesOf(bytes: Buffer, wanted: string, from: number, end: number): number[] {
  const lower = bytes.toString('latin1').replaceAll(/[A-Z]/g, (one) => one.toLowerCase())
  const places: number[] = []
  for (let at = lower.indexOf(wanted, from); at >= 0 && at + wanted.length <= end; at = lower.indexOf(wanted, at + 1)) {
    places.push(at)
  }
  return places
}

function found(bytes: Buffer, wanted: string, from: number, end: number): number[] {
  const hits = new FoldedHits(bytes, Buffer.from(wanted), from, end)
  const places: number[] = []
  for (let at = hits.next(from); at >= 0; at = hits.next(at + 1)) places.push(at)
  return places
}

test(`every place of a text in any case is found, none besides (seed ${testSeed})`, () => {
  fc.assert(
    fc.property(text, needle, fc.nat(20), fc.nat(20), (before, letters, skip, left) => {
      const bytes = Buffer.from(before)
      const wanted = letters.join('')
      const from = Math.min(skip, bytes.length)
      const end = Math.max(from, bytes.length - left)
      assert.deepEqual(found(bytes, wanted, from, end), placesOf(bytes, wanted, from, end))
    }),
    { seed: testSeed, numRuns: 2000 },
  )
})

test('a text over the border of two pieces is found once, and what is passed over is not looked at again', () => {
  for (const shift of [-8, -7, -1, 0, 1]) {
    const bytes = Buffer.alloc(3 * CHUNK_BYTES, 'x')
    const places = [CHUNK_BYTES + shift, 2 * CHUNK_BYTES + shift, 3 * CHUNK_BYTES - 8]
    for (const place of places) bytes.write('DeadLine', place)
    assert.deepEqual(found(bytes, 'deadline', 0, bytes.length), places)
    const hits = new FoldedHits(bytes, Buffer.from('deadline'), 0, bytes.length)
    assert.equal(hits.next(places[0]! + 1), places[1])
    assert.equal(hits.next(places[2]! + 1), -1)
    assert.equal(hasFolded(bytes, foldedNeedle('deadline')), true)
    assert.equal(hasFolded(bytes.subarray(0, -1), foldedNeedle('deadline')), true)
    assert.equal(hasFolded(bytes, foldedNeedle('deadlines')), false)
  }
})
