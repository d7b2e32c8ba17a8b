/** Every row that an ingester shows, from heads and from the blocks themselves, as plain text. */
import { absoluteNs, type Day } from '#/logs/model/day.ts'
import { decodeBlockPage } from '#/logs/store/block-page.ts'
import { openHeadPage } from '#/logs/store/head-page.ts'
import type { LogPage } from '#/logs/store/log-page.ts'
import { openLogBlock } from '#/logs/store/open-log-block.ts'
import type { HeadSnapshot, HeadView } from '#/logs/wire/head-view.ts'
import type { PlainEntry } from '#/logs/wire/entry-batch-builder.ts'
import type { ObjectStore } from '#/platform/objstore/objstore.ts'
import type { BlockMeta } from '#/storage/block/meta.ts'
import type { LabelIndex } from '#/storage/index/label-index.ts'

const everyColumn = { lengths: true, lines: true, meta: 'all' } as const

export function plainRow({ stream, timeNs, line, metadata }: PlainEntry): string {
  const pairs = Object.entries(metadata ?? {}).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return JSON.stringify([stream, String(timeNs), Buffer.from(line).toString('latin1'), pairs])
}

export async function readView(view: HeadView, store: ObjectStore): Promise<string[]> {
  const rows = view.heads.flatMap(readHead)
  for (const block of view.blocks) rows.push(...(await readBlock(block, store)))
  return rows
}

export function readHead(head: HeadSnapshot): string[] {
  return head.pages.flatMap((page) => readPage(openHeadPage(page), head.day, head.streams))
}

export async function readBlock(meta: BlockMeta, store: ObjectStore): Promise<string[]> {
  const block = await openLogBlock(store, meta)
  const pages = await block.readPages([...block.pages.keys()], everyColumn, undefined)
  return pages.flatMap((page) => readPage(decodeBlockPage(page), meta.day, block.streams))
}

export function readPage(page: LogPage, day: Day, streams: LabelIndex): string[] {
  const rows: string[] = []
  for (let row = 0; row < page.rowCount; row++) {
    const metadata: Record<string, string> = {}
    for (const name of page.metaNames) {
      const value = page.meta(name)?.valueOf(row)
      if (value !== undefined) metadata[name] = value
    }
    const line = page.lines.subarray(page.lineStart[row], page.lineStart[row + 1])
    const stream = streams.text(page.stream[row]!)
    rows.push(plainRow({ stream, timeNs: absoluteNs(day, page.time[row]!), line: Buffer.from(line), metadata }))
  }
  return rows
}
