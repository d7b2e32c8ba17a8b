import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { MetaNames, translateMeta } from './meta-names.ts'
import { MetaCursor } from '#/logs/store/meta-cursor.ts'
import { buildEntryBatch } from '#/logs/wire/entry-batch-builder.ts'
import type { EntryBatch } from '#/logs/wire/entry-batch.ts'

const batchOf = (...rows: Record<string, string>[]): EntryBatch =>
  buildEntryBatch(rows.map((metadata, i) => ({ stream: '{}', timeNs: BigInt(i), line: '', metadata })))

function read(batch: EntryBatch, names: MetaNames): Record<string, string>[] {
  const { meta, metaStart, metaLength } = translateMeta(batch, names)
  const cursor = new MetaCursor(meta)
  return Array.from({ length: batch.rowCount }, (_, row) => {
    const found: Record<string, string> = {}
    cursor.seek(metaStart[row]!, metaStart[row]! + metaLength[row]!)
    while (cursor.next()) {
      found[names.texts[cursor.name]!] = Buffer.from(meta.subarray(cursor.valueStart, cursor.valueEnd)).toString()
    }
    return found
  })
}

const long = 'v'.repeat(20_000)

describe('names of structured metadata', () => {
  it('takes a batch as it is when the positions agree', () => {
    const names = new MetaNames()
    const batch = batchOf({ a: '1', b: '2' })
    assert.equal(translateMeta(batch, names).meta, batch.meta)
    assert.equal(translateMeta(batch, names).meta, batch.meta)
    assert.deepEqual(names.texts, ['a', 'b'])
  })

  it('patches positions, leaves the batch alone, and minds values that look like positions', () => {
    const names = new MetaNames()
    translateMeta(batchOf({ x: '', y: '' }), names)
    const rows = [{ a: '\0\u0001', y: long }, {}, { y: '\u0001', a: '', x: 'v' }]
    const batch = batchOf(...rows)
    const before = Buffer.from(batch.meta)
    assert.deepEqual(read(batch, names), rows)
    assert.deepEqual(batch.meta, before)
  })

  it('rewrites when a position takes more bytes, or fewer', () => {
    const names = new MetaNames()
    const many = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`n${i}`, String(i)]))
    assert.deepEqual(read(batchOf(many), names), [many])
    const rows = [{ n299: 'a', n0: long, other: '' }, { n1: '\0' }]
    assert.deepEqual(read(batchOf(...rows), names), rows)
    const reversed = Object.fromEntries(Object.entries(many).toReversed())
    assert.deepEqual(read(batchOf(reversed), names), [reversed])
  })

  it('hands out tables that do not change', () => {
    const names = new MetaNames()
    names.positionOf('a')
    const before = names.texts
    names.positionOf('b')
    assert.deepEqual(before, ['a'])
    assert.equal(names.texts, names.texts)
  })
})
