import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { PatternMiner } from './pattern-miner.ts'
import { decodePatternSection, encodePatternSection, SHORTEST_STEP_NS, STEP_SECONDS } from './pattern-section.ts'
import { Corruption } from '#/kernel/errors.ts'
import { sealSection, unsealSection } from '#/storage/block/v1/sealed-section.ts'

type Row = { readonly stream: number; readonly level: number; readonly time: number; readonly text: string }

const rowArbitrary: fc.Arbitrary<Row> = fc.record({
  stream: fc.nat(5),
  level: fc.nat(2),
  time: fc.nat(86_399).map((seconds) => seconds * 1e9 + 5),
  text: fc.constantFrom('one line', 'order 5 placed', 'x=1', 'another kind of line', ''),
})
const levels = ['unknown', 'info', 'error']
const origin = { file: 'f', offset: 100 }

function mine(rows: readonly Row[]): ReturnType<PatternMiner['finish']> {
  const miner = new PatternMiner(SHORTEST_STEP_NS)
  for (const { text, ...row } of rows) miner.add(Buffer.from(text), 0, text.length, { ...row, lines: 1 })
  return miner.finish()
}

type Patterns = ReturnType<typeof decodePatternSection>

/** Lines by stream, level, pattern and step. */
function cellsOf({ texts, counts }: Pick<Patterns, 'texts' | 'counts'>, factor = 1): Map<string, number> {
  const cells = new Map<string, number>()
  for (let series = 0, i = 0; series < counts.ends.length; series++) {
    for (; i < counts.ends[series]!; i++) {
      const place = [counts.stream[series], counts.level[series], texts[counts.text[series]!]]
      const key = [...place, Math.floor(counts.steps[i]! / factor)].join()
      cells.set(key, (cells.get(key) ?? 0) + counts.counts[i]!)
    }
  }
  return cells
}

test('what is written is read, in longer steps where a block is small', () => {
  fc.assert(
    fc.property(fc.array(rowArbitrary, { maxLength: 300 }), fc.nat(2_000_000), (rows, blockBytes) => {
      const mined = mine(rows)
      const section = encodePatternSection(mined, levels, blockBytes)
      const read = decodePatternSection(section, origin, { streamCount: 6, rowCount: rows.length })
      assert.ok(STEP_SECONDS.includes(read.stepSeconds as 10))
      assert.deepEqual(read.levels, levels)
      assert.deepEqual(cellsOf(read), cellsOf(mined, read.stepSeconds / 10))
      assert.equal(read.uncounted, rows.filter(({ text }) => text === '').length)
    }),
  )
})

test('patterns stay within a part of their block, first by longer steps, then without the rarest', () => {
  let seed = 7
  const rows = Array.from({ length: 20_000 }, (_, i) => ({
    stream: i % 50,
    level: i % 3,
    time: ((seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0) % 86_400) * 1e9,
    text: i % 5 === 0 ? 'common' : `kind${'abcdefghij'[i % 10]}=${i}`,
  }))
  const mined = mine(rows)
  const whole = encodePatternSection(mined, levels, 1e9).length
  assert.ok(whole > 20_000, `${whole} bytes`)
  const sizes = [whole, whole * 0.8, 0].map((most) => {
    const section = encodePatternSection(mined, levels, most * 100)
    assert.ok(section.length <= Math.max(4096, most), `${section.length} of ${most}`)
    return decodePatternSection(section, origin, { streamCount: 50, rowCount: rows.length })
  })
  assert.equal(sizes[0]!.stepSeconds, 10)
  assert.equal(sizes[0]!.uncounted, 0)
  assert.ok(sizes[1]!.stepSeconds > 10)
  assert.equal(sizes[2]!.stepSeconds, 3600)
  // the number of lines stays, and what is left are the patterns with most of them
  const { counts, uncounted } = sizes[2]!
  assert.equal(counts.counts.reduce((sum, one) => sum + one, 0) + uncounted, rows.length)
})

test('damage behind a right checksum is corruption, never another error and never nonsense', () => {
  const rows = Array.from({ length: 200 }, (_, i) => ({
    stream: i % 6,
    level: i % 3,
    time: i * 400e9,
    text: i % 2 === 0 ? 'a b' : `c ${i}`,
  }))
  const block = { streamCount: 6, rowCount: rows.length }
  const raw = unsealSection(encodePatternSection(mine(rows), levels, 1e9), origin)
  let refused = 0
  for (let at = 0; at < raw.length; at++) {
    for (const mask of [1, 16, 128, 255]) {
      const bad = Buffer.from(raw)
      bad[at]! ^= mask
      try {
        const { counts, texts, uncounted } = decodePatternSection(sealSection(bad), origin, block)
        assert.equal(
          counts.counts.reduce((sum, one) => sum + one, uncounted),
          rows.length,
        )
        assert.ok(counts.text.every((text) => text < texts.length) && counts.stream.every((stream) => stream < 6))
      } catch (error) {
        assert.ok(error instanceof Corruption, `byte ${at}: ${String(error)}`)
        refused++
      }
    }
    assert.throws(() => decodePatternSection(sealSection(raw.subarray(0, at)), origin, block), Corruption)
  }
  assert.ok(refused > raw.length / 4, `${refused} of ${raw.length * 4} flips are refused`)
})
