import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hash64, hashWords } from './hash64.ts'
import { estimate, locate, MAX_RANK, place, REGISTERS } from './hyper-log-log.ts'

/** Counts the texts `prefix0` … `prefix<n - 1>` with a sketch. */
function countTexts(prefix: string, n: number): number {
  const registers = new Uint8Array(REGISTERS)
  for (let i = 0; i < n; i++) {
    locate(`${prefix}${i}`)
    if (place.rank > registers[place.register]!) registers[place.register] = place.rank
  }
  const histogram = new Uint32Array(MAX_RANK + 1)
  for (const rank of registers) histogram[rank]!++
  return estimate(histogram)
}

test('estimates from one to a million are within one per cent', () => {
  for (const prefix of ['', 'trace-', 'a longer prefix of more than sixteen units ']) {
    for (const n of [1, 10, 1000, 20_000, 70_000, 200_000, 1_000_000]) {
      const share = countTexts(prefix, n) / n
      assert(Math.abs(share - 1) < 0.01, `${n} texts '${prefix}…' are counted ${share} times`)
    }
  }
  assert.equal(countTexts('', 0), 0)
})

test('a hash differs in half of its bits when one character differs', () => {
  const hashOf = (text: string): readonly number[] => (hash64(text), [hashWords.high, hashWords.low])
  const bits = (value: number): number => value.toString(2).replaceAll('0', '').length
  for (const length of [1, 2, 3, 4, 5, 6, 7, 8, 9, 16, 37]) {
    let differing = 0
    for (let i = 0; i < 200; i++) {
      const text = String.fromCharCode(97 + (i % 26)).repeat(length - 1) + String.fromCharCode(0x100 + i)
      const other = text.slice(0, -1) + String.fromCharCode(0x100 + i + 1)
      const [a, b] = [hashOf(text), hashOf(other)]
      differing += bits((a[0]! ^ b[0]!) >>> 0) + bits((a[1]! ^ b[1]!) >>> 0)
    }
    assert(Math.abs(differing / 200 - 32) < 3, `length ${length}: ${differing / 200} of 64 bits differ`)
  }
})

test('200,000 texts have 200,000 hashes', () => {
  const seen = new Set<number>()
  for (let i = 0; i < 200_000; i++) {
    hash64(`id=${i.toString(16)}`)
    seen.add(hashWords.high * 2 ** 21 + (hashWords.low >>> 11))
  }
  assert.equal(seen.size, 200_000)
})
