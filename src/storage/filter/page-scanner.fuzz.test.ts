import assert from 'node:assert/strict'
import { test } from 'node:test'

import { chanceOf, makeLine } from './fixture/check-probes.ts'
import { PlainScanner } from './fixture/plain-scanner.ts'
import { FLAG_NO_GRAMS, FLAG_UNFILTERED, FLAG_WORDS_AS_KEYS } from './page-facts.ts'
import { PageScanner } from './page-scanner.ts'
import { MAX_SCANNED_LINE_BYTES, MAX_WORDS, PIECE_BYTES, PIECE_ROWS } from './scan-memory.ts'
import { testSeed } from '#/kernel/fixture/test-seed.ts'

/** Scans the pages of a block both ways; returns the flags of each page. */
function compare(pages: readonly (readonly Uint8Array[])[]): number[] {
  const plain = new PlainScanner()
  const scanner = new PageScanner()
  const flags = pages.map((lines, page) => {
    const expected = plain.scan(lines)
    scanner.scan(
      Buffer.concat(lines),
      Uint32Array.from(lines, ({ length }) => length),
    )
    const count = scanner.keyCount
    const pairs = new Int32Array(2 * count + 2)
    const facts = scanner.endPage(pairs, 1)
    assert.equal(facts.flags, expected.flags, `flags of page ${page}`)
    assert.equal((BigInt(facts.highLengths) << 32n) | BigInt(facts.lowLengths), expected.lengths)
    const found = Array.from({ length: count }, (_, i) => keyText(pairs[2 * i + 2]!, pairs[2 * i + 3]!))
    if ((facts.flags & FLAG_UNFILTERED) === 0) assert.deepEqual(found.toSorted(), [...expected.keys].toSorted())
    return facts.flags
  })
  const texts = Buffer.from(scanner.words.texts(0x0a)).toString().split('\n').slice(1, -1)
  assert.deepEqual(texts, [...plain.words.keys()])
  const rowBytes = (pages.length + 7) >>> 3
  const bits = scanner.words.pageBits(rowBytes)
  for (const [word, held] of [...plain.words.values()].entries()) {
    const row = bits.subarray(word * rowBytes, (word + 1) * rowBytes)
    assert.deepEqual(
      pages.map((_, page) => page).filter((page) => ((row[page >>> 3]! >>> (page & 7)) & 1) === 1),
      held,
    )
  }
  return flags
}

function keyText(high: number, low: number): string {
  const bytes = Buffer.alloc(8)
  bytes.writeInt32BE(high, 0)
  bytes.writeInt32BE(low, 4)
  return bytes.toString('latin1').replace(/^\0+/, '')
}

test('what is found is what a plain scan finds', () => {
  console.log(`seed ${testSeed}`)
  const below = chanceOf(testSeed)
  for (let block = 0; block < 150; block++) {
    const pages = Array.from({ length: 1 + below(12) }, () =>
      Array.from({ length: below(60) }, () => {
        if (below(10) > 0) return makeLine(below)
        const length = below(200)
        return Buffer.from(Array.from({ length }, () => (below(2) === 0 ? 0x2f + below(76) : below(256))))
      }),
    )
    compare(pages)
  }
})

test('tokens of every length stand at every place of a line', () => {
  const lines: Buffer[] = []
  for (let before = 0; before < 66; before++) {
    for (const length of [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 62, 63, 64, 65, 66, 130]) {
      lines.push(Buffer.from(`${' '.repeat(before)}${'Word_'.repeat(40).slice(0, length)}`))
      lines.push(Buffer.from(`${'x'.repeat(before)} ${'4Ag_'.repeat(40).slice(0, length)}`))
    }
  }
  compare([lines, lines.slice(7)])
})

test('pieces begin and end with lines, whatever their size', () => {
  const below = chanceOf(testSeed)
  const letters = (size: number): Buffer => Buffer.from(Array.from({ length: size }, () => 0x61 + below(26)))
  const long = Buffer.concat([letters(PIECE_BYTES), Buffer.from(' 12345678 '), letters(70)])
  compare([
    [letters(20), long, letters(20), long, long],
    Array.from({ length: 2 * PIECE_ROWS + 3 }, (_, i) => Buffer.from(i % 3 === 0 ? '' : `row${i % 7}`)),
    [letters(PIECE_BYTES - 3), letters(3), letters(3)],
  ])
})

test('tables that are full take nothing more', () => {
  const below = chanceOf(testSeed)
  const token = (alphabet: string, size: number): string =>
    Array.from({ length: size }, () => alphabet[below(alphabet.length)]).join('')
  const page = (count: number, make: () => string): Buffer[] => [
    Buffer.from(Array.from({ length: count }, make).join(' ')),
  ]
  const flags = compare([
    page(100_000, () => token('0123456789abcdef', 6)),
    page(60_000, () => token('0123456789abcdef', 24)),
    page(150_000, () => token('0123456789abcdef', 8)),
    page(MAX_WORDS + 1000, () => token('ghijklmnopqrstuvwxyz', 12)),
    page(20_000, () => token('0ghijklmnopqrstuvwxyz', 5)),
    page(10, () => `1${token('0123456789abcdef', 6)}`),
  ])
  assert.deepEqual(flags, [
    0,
    0,
    FLAG_UNFILTERED,
    FLAG_WORDS_AS_KEYS | FLAG_NO_GRAMS,
    FLAG_WORDS_AS_KEYS | FLAG_NO_GRAMS,
    0,
  ])
})

test('a page with a line beyond what is scanned is not filtered', () => {
  const scanner = new PageScanner()
  const lengths = Uint32Array.of(10, MAX_SCANNED_LINE_BYTES, MAX_SCANNED_LINE_BYTES + 1, 5)
  scanner.scan(Buffer.alloc(10 + 2 * MAX_SCANNED_LINE_BYTES + 6, 'a b '), lengths)
  assert.equal(scanner.endPage(new Int32Array(100), 0).flags & FLAG_UNFILTERED, FLAG_UNFILTERED)
  scanner.scan(Buffer.from('ab'), Uint32Array.of(2))
  assert.equal(scanner.endPage(new Int32Array(100), 0).flags, 0)
})

test('a thread scans one block at a time', () => {
  const first = new PageScanner()
  const second = new PageScanner()
  assert.throws(() => first.scan(Buffer.from('ab'), Uint32Array.of(2)), /one block/)
  second.scan(Buffer.from('ab'), Uint32Array.of(2))
  assert.equal(second.words.count, 1)
})
