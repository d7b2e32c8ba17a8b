import assert from 'node:assert/strict'
import { test } from 'node:test'

import { EXACT_ROWS, RowSampler } from './row-sampler.ts'

test('numbers add up to the lines of each level, and rare levels are counted line by line', () => {
  const sampler = new RowSampler()
  for (const size of [1, EXACT_ROWS, EXACT_ROWS + 1, 500, 5000]) {
    const levels = Uint8Array.from({ length: size }, (_, i) => (i % 100 === 7 ? 2 : 1))
    sampler.begin(levels, 0, size)
    const sums = [0, 0, 0]
    const looked = [0, 0, 0]
    for (const level of levels) {
      const lines = sampler.next(level)
      sums[level]! += lines
      if (lines > 0) looked[level]!++
    }
    const rare = levels.filter((level) => level === 2).length
    assert.deepEqual(sums, [0, size - rare, rare])
    if (rare <= EXACT_ROWS) assert.equal(looked[2], rare)
    if (size === 5000) assert.ok(looked[1]! < 800, `${looked[1]} of ${size} are looked at`)
  }
})

test('lines that come in turns are all seen', () => {
  const sampler = new RowSampler()
  const levels = new Uint8Array(4000)
  sampler.begin(levels, 0, levels.length)
  const byTurn = [0, 0, 0, 0]
  for (let i = 0; i < levels.length; i++) byTurn[i % 4]! += sampler.next(0)
  for (const lines of byTurn) assert.ok(lines > 600 && lines < 1400, byTurn.join())
})
