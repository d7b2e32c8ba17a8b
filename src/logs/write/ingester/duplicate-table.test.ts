import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { DuplicateTable, finishHash, hashBytes, hashRow } from './duplicate-table.ts'
import { asDataView } from '#/kernel/byte-reader.ts'

function find(table: DuplicateTable, hash: number): number[] {
  const rows: number[] = []
  let slot = table.next(hash, table.firstSlot(hash))
  while (slot >= 0) {
    rows.push(table.rowAt(slot))
    slot = table.next(hash, slot + 1)
  }
  return rows
}

describe('duplicate table', () => {
  it('finds every row under its hash, collisions and growth included', () => {
    const table = new DuplicateTable(0)
    // a few hundred hashes that all fall into the same slots
    for (let row = 0; row < 5000; row++) table.add((row % 700) * 65_536, row)
    for (const hash of [0, 65_536, 699 * 65_536]) {
      const expected = Array.from({ length: 5000 }, (_, row) => row).filter((row) => (row % 700) * 65_536 === hash)
      assert.deepEqual(
        find(table, hash).toSorted((a, b) => a - b),
        expected,
      )
    }
    assert.deepEqual(find(table, 700 * 65_536), [])
    assert.deepEqual(find(table, 1), [])
    assert.ok(table.memoryBytes >= 5000 * 8)
  })

  it('hashes equal content equally wherever it stands, and tells lengths, streams and times apart', () => {
    const a = Buffer.from('..hello world')
    const b = Buffer.from('hello world')
    const hash = (bytes: Buffer, from: number, to: number, stream = 1, time = 5): number =>
      finishHash(hashBytes(hashRow(stream, time), asDataView(bytes), from, to))
    assert.equal(hash(a, 2, 13), hash(b, 0, 11))
    const others = [
      hash(b, 0, 10),
      hash(b, 1, 11),
      hash(b, 0, 11, 2),
      hash(b, 0, 11, 1, 6),
      hash(b, 0, 11, 1, 5 + 2 ** 32),
    ]
    assert.equal(new Set([hash(b, 0, 11), ...others]).size, 6)
  })

  it('spreads hashes over the whole range', () => {
    const buckets = new Uint32Array(64)
    for (let time = 0; time < 64_000; time++) buckets[finishHash(hashRow(3, time * 1e6)) >>> 26]!++
    assert.ok(
      Math.min(...buckets) > 800 && Math.max(...buckets) < 1200,
      `${Math.min(...buckets)} to ${Math.max(...buckets)}`,
    )
  })
})
