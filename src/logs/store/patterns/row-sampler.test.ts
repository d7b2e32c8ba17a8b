import assert from 'node:assert/strict'
import { test } from 'node:test'

import { EXACT_ROWS, RowSampler } from './row-sampler.ts'

type Seen = { readonly lines: number[]; readonly lookedAt: number[] }

/** Gives a run of one stream to the sampler; what its lines stand for, and how many are looked at, by level. */
function run(sampler: RowSampler, stream: number, levels: Uint8Array): Seen {
  const seen: Seen = { lines: Array<number>(64).fill(0), lookedAt: Array<number>(64).fill(0) }
  // as rows lie in a page: others are before and behind
  const page = new Uint8Array(levels.length + 2).fill(63)
  page.set(levels, 1)
  sampler.begin(stream, page, 1, page.length - 1)
  for (const level of levels) {
    const lines = sampler.next(level)
    seen.lines[level]! += lines
    if (lines > 0) seen.lookedAt[level]!++
  }
  return seen
}

test('numbers add up to the lines of each level, and rare levels are counted line by line', () => {
  for (const size of [1, EXACT_ROWS, EXACT_ROWS + 1, 500, 5000]) {
    const sampler = new RowSampler({ streams: 20_000, rows: 320_000 })
    const levels = Uint8Array.from({ length: size }, (_, i) => (i % 100 === 7 ? 2 : 1))
    const { lines, lookedAt } = run(sampler, 3, levels)
    const rare = levels.filter((level) => level === 2).length
    assert.deepEqual(lines.slice(0, 4), [0, size - rare, rare, 0])
    if (rare <= EXACT_ROWS) assert.equal(lookedAt[2], rare)
    if (size === 5000) assert.ok(lookedAt[1]! < 600, `${lookedAt[1]} of ${size} are looked at`)
    assert.equal(sampler.passedOver, 0)
  }
})

test('a stream that comes again goes on where it was; the lines of each run are counted in it', () => {
  const sampler = new RowSampler({ streams: 20_000, rows: 320_000 })
  let lookedAt = 0
  for (let hour = 0; hour < 24; hour++) {
    const quiet = run(sampler, 8, new Uint8Array(1))
    assert.deepEqual([quiet.lines[0], quiet.lookedAt[0]], [1, 1])
    const busy = run(sampler, 7, new Uint8Array(50).fill(5))
    assert.equal(busy.lines[5], 50)
    lookedAt += busy.lookedAt[5]!
  }
  // 32 one by one, a quarter to 128, an eighth to 1024, and a few as groups end with their run
  assert.ok(lookedAt > 160 && lookedAt < 230, `${lookedAt} of 1200`)
})

test('a block of small streams is looked at in part: what its lines stand for and what is passed over are all of them', () => {
  const sampler = new RowSampler({ streams: 20_000, rows: 320_000 })
  let [all, lines, lookedAt] = [0, 0, 0]
  for (let hour = 0; hour < 4; hour++) {
    for (let stream = 0; stream < 20_000; stream++) {
      const levels = Uint8Array.from({ length: 1 + (stream % 7) }, (_, i) => 20 * (i % 2))
      const seen = run(sampler, stream, levels)
      all += levels.length
      lines += seen.lines[0]! + seen.lines[20]!
      lookedAt += seen.lookedAt[0]! + seen.lookedAt[20]!
    }
  }
  assert.equal(lines + sampler.passedOver, all)
  assert.ok(lookedAt > all * 0.3 && lookedAt < all * 0.3 + 17_000, `${lookedAt} of ${all}`)
  assert.ok(sampler.passedOver < all * 0.4, 'whole streams are passed over where there are more')
  // a large one finds its place even then
  const large = run(sampler, 30_000, new Uint8Array(5000))
  assert.equal(large.lines[0], 5000)
})

test('of very many streams some are chosen, here and there, and looked at in every run', () => {
  const sampler = new RowSampler({ streams: 100_000, rows: 200_000 })
  const chosen: number[] = []
  for (let stream = 0; stream < 100_000; stream++) {
    if (run(sampler, stream, new Uint8Array(1)).lookedAt[0] === 1) chosen.push(stream)
  }
  assert.equal(chosen.length + sampler.passedOver, 100_000)
  assert.ok(chosen.length > 20_000 && chosen.length < 21_500, `${chosen.length} streams`)
  for (const quarter of [0, 1, 2, 3]) {
    const inQuarter = chosen.filter((stream) => Math.floor(stream / 25_000) === quarter)
    assert.ok(inQuarter.length > 4500, `${inQuarter.length} in quarter ${quarter}`)
  }
  const again = run(sampler, chosen.at(-1)!, new Uint8Array(3))
  assert.equal(again.lines[0], 3)
  assert.equal(sampler.passedOver, 100_000 - chosen.length)
})

test('lines that come in turns are all seen', () => {
  const sampler = new RowSampler({ streams: 20_000, rows: 320_000 })
  sampler.begin(0, new Uint8Array(4000), 0, 4000)
  const byTurn = [0, 0, 0, 0]
  for (let i = 0; i < 4000; i++) byTurn[i % 4]! += sampler.next(0)
  for (const lines of byTurn) assert.ok(lines > 600 && lines < 1400, byTurn.join())
})
