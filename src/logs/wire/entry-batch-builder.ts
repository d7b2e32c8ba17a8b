/** Builds entry batches from plain values, one row at a time. For tests and for senders where speed does not matter. */
import type { EntryBatch } from './entry-batch.ts'
import { uvarintSize, writeUvarint } from '#/kernel/varint.ts'
import { dayOf, timeInDay } from '#/logs/model/day.ts'
import { hashTexts } from '#/storage/index/text-table.ts'

export type PlainEntry = {
  /** Canonical label text. */
  readonly stream: string
  readonly timeNs: bigint
  readonly line: string | Buffer
  readonly metadata?: Readonly<Record<string, string>>
}

export function buildEntryBatch(entries: readonly PlainEntry[]): EntryBatch {
  const streams = new Table()
  const names = new Table()
  const lines = entries.map(({ line }) => Buffer.from(line))
  const metas = entries.map(({ metadata }) => encodeMetadata(metadata ?? {}, names))
  return {
    rowCount: entries.length,
    stream: Uint32Array.from(entries, ({ stream }) => streams.positionOf(stream)),
    streams: hashTexts(streams.texts),
    day: Int32Array.from(entries, ({ timeNs }) => dayOf(timeNs)),
    time: Float64Array.from(entries, ({ timeNs }) => timeInDay(timeNs)),
    bytes: Buffer.concat(lines),
    lineStart: starts(lines),
    lineLength: Uint32Array.from(lines, ({ length }) => length),
    meta: Buffer.concat(metas),
    metaStart: starts(metas),
    metaLength: Uint32Array.from(metas, ({ length }) => length),
    metaNames: names.texts,
  }
}

class Table {
  readonly texts: string[] = []
  readonly #positions = new Map<string, number>()

  positionOf(text: string): number {
    const known = this.#positions.get(text)
    if (known !== undefined) return known
    this.#positions.set(text, this.texts.length)
    return this.texts.push(text) - 1
  }
}

function encodeMetadata(metadata: Readonly<Record<string, string>>, names: Table): Buffer {
  return Buffer.concat(
    Object.entries(metadata).flatMap(([name, value]) => {
      const bytes = Buffer.from(value)
      return [uvarint(names.positionOf(name)), uvarint(bytes.length), bytes]
    }),
  )
}

function uvarint(value: number): Buffer {
  const bytes = Buffer.alloc(uvarintSize(value))
  writeUvarint(bytes, 0, value)
  return bytes
}

function starts(parts: readonly Buffer[]): Uint32Array {
  let at = 0
  return Uint32Array.from(parts, ({ length }) => (at += length) - length)
}
