import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { type AppendCounts, Head } from './head.ts'
import { HeadPageWriter, PAGE_LINE_BYTES, PAGE_ROWS } from './head-page-writer.ts'
import { unpooledMemory } from './page-memory.ts'
import { MetaNames, translateMeta } from './meta-names.ts'
import { AssertionFailed } from '#/kernel/assert.ts'
import { asDataView } from '#/kernel/byte-reader.ts'
import { buildEntryBatch, type PlainEntry } from '#/logs/wire/entry-batch-builder.ts'

function append(head: Head, entries: readonly PlainEntry[], sequence: number): AppendCounts {
  const batch = buildEntryBatch(entries)
  const counts = { rows: 0, bytes: 0, duplicateRows: 0, duplicateBytes: 0 }
  const ordinals = new Int32Array(batch.streams.length).fill(-1)
  const meta = translateMeta(batch, head.names)
  const views = { lineView: asDataView(batch.bytes), metaView: asDataView(meta.meta) }
  head.append({ batch, meta, ...views, ordinals, duplicates: [] }, { from: 0, to: batch.rowCount }, sequence, counts)
  return counts
}

const newHead = (): Head =>
  new Head({ id: 't/0/1', day: 0, names: new MetaNames(), memory: unpooledMemory, firstSequence: 1 })
const row = (time: number, line: string, stream = '{a="1"}'): PlainEntry => ({ stream, timeNs: BigInt(time), line })

describe('head', () => {
  it('seals a page at its size and gives a longer line a page that fits', () => {
    const head = newHead()
    const half = 'h'.repeat(PAGE_LINE_BYTES / 2)
    append(head, [row(1, half), row(2, half), row(3, 'x'), row(4, 'y'.repeat(PAGE_LINE_BYTES + 1)), row(5, 'z')], 1)
    const { pages } = head.snapshot()
    assert.deepEqual(
      pages.map(({ rowCount }) => rowCount),
      [2, 1, 1, 1],
    )
    assert.deepEqual(
      pages.map(({ lineStart, rowCount }) => lineStart[rowCount]),
      [PAGE_LINE_BYTES, 1, PAGE_LINE_BYTES + 1, 1],
    )
    assert.equal(String.fromCharCode(pages[2]!.lines[PAGE_LINE_BYTES]!), 'y')
    assert.deepEqual(
      pages.map(({ minTime, maxTime }) => [minTime, maxTime]),
      [
        [1, 2],
        [3, 3],
        [4, 4],
        [5, 5],
      ],
    )
  })

  it('seals a page at its number of rows', () => {
    const head = newHead()
    const count = PAGE_ROWS + 10
    for (let at = 0; at < count; at += 10_000) {
      const rows = Array.from({ length: Math.min(10_000, count - at) }, (_, i) => row(at + i, ''))
      append(head, rows, at + 1)
    }
    assert.deepEqual(
      head.snapshot().pages.map(({ rowCount }) => rowCount),
      [PAGE_ROWS, 10],
    )
    assert.equal(append(head, [row(3, ''), row(PAGE_ROWS + 3, '')], count + 1).duplicateRows, 2, 'found on both pages')
  })

  it('costs little while it is small, and accounts for what it takes', () => {
    const head = newHead()
    append(head, [row(1, 'x')], 1)
    assert.ok(head.memoryBytes < 20_000, `${head.memoryBytes} bytes for one row`)
    append(
      head,
      Array.from({ length: 20_000 }, (_, i) => row(i + 2, 'l'.repeat(100))),
      2,
    )
    assert.ok(head.memoryBytes > 2_400_000)
    assert.ok(head.memoryBytes < 5_000_000, `${head.memoryBytes} bytes for 2 MB of lines`)
  })

  it('covers the record of a duplicate', () => {
    const head = newHead()
    append(head, [row(1, 'x')], 1)
    const counts = append(head, [row(1, 'x')], 7)
    assert.deepEqual(counts, { rows: 1, bytes: 1, duplicateRows: 1, duplicateBytes: 1 })
    assert.deepEqual([head.firstSequence, head.lastSequence, head.rowCount], [1, 7, 1])
    assert.throws(() => append(head, [row(2, 'y')], 6), AssertionFailed)
  })

  it('finds a late duplicate among many rows of one stream and time', () => {
    const head = newHead()
    const many = Array.from({ length: 500 }, (_, i) => row(5, `line ${i}`))
    assert.equal(append(head, many, 1).duplicateRows, 0)
    assert.equal(append(head, many, 2).duplicateRows, 500)
    assert.equal(append(head, [row(4, 'line 1'), row(5, 'line 500'), row(5, 'line 1', '{a="2"}')], 3).duplicateRows, 0)
    assert.equal(append(head, [row(4, 'line 1'), row(5, 'line 500'), row(5, 'line 1', '{a="2"}')], 4).duplicateRows, 3)
  })

  it('keeps streams apart when there are more than its first columns hold', () => {
    const head = newHead()
    const streams = Array.from({ length: 300 }, (_, i) => row(1, 'same', `{n="${i}"}`))
    assert.equal(append(head, streams, 1).duplicateRows, 0)
    assert.equal(append(head, streams, 2).duplicateRows, 300)
    assert.equal(head.snapshot().streams.count, 300)
  })
})

describe('head page writer', () => {
  it('keeps what older snapshots see when its columns grow', () => {
    const page = new HeadPageWriter(unpooledMemory, undefined)
    const line = Buffer.from('0123456789')
    const addRows = (count: number): void => {
      for (let i = 0; i < count; i++) {
        const at = page.lineBytes
        page.addRow(7, i, line.length, 0)
        page.copyLines(at, line, 0)
      }
    }
    addRows(60)
    const early = page.snapshot([], false)
    addRows(5000)
    assert.notEqual(page.lines.buffer, early.lines.buffer)
    assert.equal(early.rowCount, 60)
    assert.equal(Buffer.from(early.lines.subarray(0, 600)).toString(), '0123456789'.repeat(60))
    assert.equal(Buffer.from(page.lines.subarray(0, 50_600)).toString(), '0123456789'.repeat(5060))
    assert.ok(page.lines.buffer instanceof SharedArrayBuffer)
  })
})
