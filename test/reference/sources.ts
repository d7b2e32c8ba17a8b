/** Heads and blocks made from plain entries, and an ingester that shows them: what tests of the read path query. */
import { makeUlid } from '#/kernel/ulid.ts'
import { dayOf, timeInDay, type Day } from '#/logs/model/day.ts'
import { parseLabels } from '#/logs/model/labels.ts'
import type { LogBlock } from '#/logs/store/log-block.ts'
import type { HeadPageColumns } from '#/logs/store/log-page.ts'
import { openLogBlock } from '#/logs/store/open-log-block.ts'
import { writeLogBlock } from '#/logs/store/write-log-block.ts'
import type { HeadSnapshot, HeadView, IngesterReader } from '#/logs/wire/head-view.ts'
import type { MemoryStore } from '#/platform/objstore/memory.ts'
import type { BlockMeta } from '#/storage/block/meta.ts'
import { LabelIndexBuilder } from '#/storage/index/label-index-builder.ts'
import { shareTexts } from '#/storage/index/shared-texts.ts'

/** One entry as a test writes it. `stream` is canonical label text. */
export type Entry = {
  readonly stream: string
  readonly timeNs: bigint
  readonly line: string
  readonly metadata: Readonly<Record<string, string>>
}

/** One head per day of `entries`, with pages of at most `pageRows` rows; entries stand in order of arrival. */
export function makeHeads(id: string, entries: readonly Entry[], pageRows: number): HeadSnapshot[] {
  return [...Map.groupBy(entries, ({ timeNs }) => dayOf(timeNs))].map(([day, ofDay]) =>
    makeHead(`${id}-${day}`, day, ofDay, pageRows),
  )
}

function makeHead(id: string, day: Day, entries: readonly Entry[], pageRows: number): HeadSnapshot {
  const streams = new LabelIndexBuilder()
  const pages: HeadPageColumns[] = []
  for (let at = 0; at < entries.length; at += pageRows) {
    pages.push(makePage(entries.slice(at, at + pageRows), streams))
  }
  return { id, day, streams, pages }
}

function makePage(entries: readonly Entry[], streams: LabelIndexBuilder): HeadPageColumns {
  const lines = entries.map(({ line }) => Buffer.from(line))
  const metaNames = [...new Set(entries.flatMap(({ metadata }) => Object.keys(metadata)))]
  const metas = entries.map(({ metadata }) => encodeMetadata(metadata, metaNames))
  const times = entries.map(({ timeNs }) => timeInDay(timeNs))
  return {
    rowCount: entries.length,
    stream: sharedU32(entries.map(({ stream }) => streams.add(stream, parseLabels(stream)))),
    time: sharedF64(times),
    lineStart: sharedU32(offsets(lines)),
    lines: sharedBytes(Buffer.concat(lines)),
    metaStart: sharedU32(offsets(metas)),
    meta: sharedBytes(Buffer.concat(metas)),
    metaNames,
    minTime: Math.min(...times),
    maxTime: Math.max(...times),
  }
}

function encodeMetadata(metadata: Readonly<Record<string, string>>, names: readonly string[]): Buffer {
  const parts = Object.entries(metadata).flatMap(([name, value]) => {
    const bytes = Buffer.from(value)
    return [uvarint(names.indexOf(name)), uvarint(bytes.length), bytes]
  })
  return Buffer.concat(parts)
}

function uvarint(value: number): Buffer {
  const bytes: number[] = []
  let rest = value
  for (; rest >= 0x80; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80)
  return Buffer.from([...bytes, rest])
}

function offsets(parts: readonly Buffer[]): number[] {
  let at = 0
  return [0, ...parts.map((part) => (at += part.length))]
}

function sharedU32(values: readonly number[]): Uint32Array<SharedArrayBuffer> {
  const array = new Uint32Array(new SharedArrayBuffer(values.length * 4))
  array.set(values)
  return array
}

function sharedF64(values: readonly number[]): Float64Array<SharedArrayBuffer> {
  const array = new Float64Array(new SharedArrayBuffer(values.length * 8))
  array.set(values)
  return array
}

function sharedBytes(bytes: Uint8Array): Uint8Array<SharedArrayBuffer> {
  const array = new Uint8Array(new SharedArrayBuffer(bytes.length))
  array.set(bytes)
  return array
}

/** Writes the rows of a head as a block, as a flush does. `sequence` orders blocks by insertion. */
export async function writeBlock(
  store: MemoryStore,
  head: HeadSnapshot,
  { tenant, sequence, pageRows }: { readonly tenant: string; readonly sequence: number; readonly pageRows?: number },
): Promise<BlockMeta> {
  const { meta, parts } = writeLogBlock({
    tenant,
    day: head.day,
    level: 0,
    ulid: makeUlid(sequence, Buffer.alloc(10)),
    source: { ingester: 'test', fromSequence: sequence, toSequence: sequence },
    minesPatterns: true,
    texts: shareTexts(head.streams),
    labels: head.streams.coded(),
    pages: head.pages,
    ...(pageRows !== undefined && { pageRows }),
  })
  await store.put(meta.key, parts)
  return meta
}

/** An ingester that always shows the same. */
export class FixedIngester implements IngesterReader {
  readonly heads: readonly HeadSnapshot[]
  readonly blocks: readonly BlockMeta[]

  constructor(heads: readonly HeadSnapshot[], blocks: readonly BlockMeta[]) {
    this.heads = heads
    this.blocks = blocks
  }

  async view(_tenant: string, firstDay: Day, lastDay: Day): Promise<HeadView> {
    const isWanted = ({ day }: { readonly day: Day }): boolean => day >= firstDay && day <= lastDay
    return { heads: this.heads.filter(isWanted), blocks: this.blocks.filter(isWanted) }
  }

  async tenants(): Promise<readonly string[]> {
    return ['test']
  }
}

export function blockOpener(store: MemoryStore): (meta: BlockMeta) => Promise<LogBlock> {
  return (meta) => openLogBlock(store, { key: meta.key, sizeBytes: meta.sizeBytes })
}
