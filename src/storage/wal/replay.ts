/**
 * Reads what earlier processes left in a WAL directory, oldest first, and repairs torn tails.
 *
 * What cannot be read is one of two things. *Torn*: bytes that were being written when the power went; nobody was promised
 * them. *Corrupt*: bytes that had been synced. Each record says how much of its file was synced before it, and each segment how
 * much of the one before, so the two can be told apart everywhere but in the last write of the last segment, where a
 * damaged record counts as torn.
 */
import { parseSegmentName, SEGMENT_HEADER_BYTES, type SegmentHeader } from './format.ts'
import { SegmentReader, type UnreadableRange } from './segment-reader.ts'
import { Corruption } from '#/kernel/errors.ts'
import type { Disk } from '#/kernel/world.ts'
import type { Logger } from '#/platform/telemetry/logger.ts'

export type WalRecord = {
  readonly sequence: number
  /** Valid until the visitor's promise is fulfilled; its memory is aligned to 8 bytes. */
  readonly payload: Buffer
  readonly file: string
  readonly offset: number
}

export type RecordVisitor = (record: WalRecord) => void | Promise<void>

export type ReplayReport = {
  readonly segments: number
  readonly records: number
  readonly bytes: number
  readonly corruptions: number
  readonly tornBytes: number
}

export type ReplayedSegment = {
  readonly segment: number
  readonly path: string
  readonly sizeBytes: number
  readonly lastSequence: number
  readonly header: SegmentHeader | undefined
  readonly records: number
  readonly corruptions: number
  readonly tornBytes: number
}

export type ReplayContext = {
  readonly disk: Disk
  readonly log: Logger
  readonly onCorruption: (corruption: Corruption) => void
  readonly visit: RecordVisitor
  /** Of the last record of the segments before. */
  readonly lastSequence: number
}

/** Segment files of a directory, ascending. */
export async function listSegments(disk: Disk, directory: string): Promise<{ segment: number; path: string }[]> {
  const entries = await disk.list(directory)
  return entries
    .map(({ name }) => ({ segment: parseSegmentName(name) ?? -1, path: `${directory}/${name}` }))
    .filter(({ segment }) => segment >= 0)
    .toSorted((a, b) => a.segment - b.segment)
}

/** Visits the records of one segment. `laterHeader` is the header of the next segment, if there is one. */
export async function replaySegment(
  context: ReplayContext,
  { segment, path }: { readonly segment: number; readonly path: string },
  laterHeader: SegmentHeader | undefined,
): Promise<ReplayedSegment> {
  await using reader = await SegmentReader.open(context.disk, path)
  const { header, sizeBytes } = reader
  const unreadable: UnreadableRange[] = []
  let syncedBytes = laterHeader !== undefined && header !== undefined ? laterHeader.previousSyncedBytes : 0
  let records = 0
  let lastSequence = (header?.firstSequence ?? 0) - 1
  for await (const item of reader.scan(context.lastSequence)) {
    if (item.kind === 'unreadable') {
      unreadable.push(item)
      continue
    }
    syncedBytes = Math.max(syncedBytes, item.syncedBytes)
    lastSequence = item.sequence
    records++
    await context.visit({ sequence: item.sequence, payload: item.payload, file: path, offset: item.offset })
  }
  const problems = segmentCorruptions(reader, unreadable, syncedBytes)
  for (const problem of problems) context.onCorruption(problem)
  const keptBytes = await cutTornTail(context, reader, unreadable, syncedBytes)
  const tornBytes = sizeBytes - keptBytes
  return { segment, path, sizeBytes: keptBytes, lastSequence, header, records, corruptions: problems.length, tornBytes }
}

/** What is wrong with a segment of which `syncedBytes` had been synced, of the ranges that cannot be read. */
export function segmentCorruptions(
  reader: SegmentReader,
  unreadable: readonly UnreadableRange[],
  syncedBytes: number,
): Corruption[] {
  const { path: file, sizeBytes, header } = reader
  if (header === undefined && sizeBytes <= SEGMENT_HEADER_BYTES) return []
  const found = unreadable
    .filter(({ offset }) => offset < syncedBytes || header === undefined)
    .map(
      ({ offset, endOffset, what }) => new Corruption({ file, offset }, `${what}, ${endOffset - offset} bytes skipped`),
    )
  if (header !== undefined && reader.isHeaderDamaged && sizeBytes > SEGMENT_HEADER_BYTES) {
    found.push(new Corruption({ file, offset: 0 }, 'one of the two segment headers is unreadable, the other was used'))
  }
  if (sizeBytes < syncedBytes) {
    found.push(new Corruption({ file, offset: sizeBytes }, `the file ends here, ${syncedBytes} bytes had been synced`))
  }
  return found
}

/** Cuts what stands behind the last record, unless it had been synced. Returns the size of the file after it. */
async function cutTornTail(
  { disk, log }: ReplayContext,
  reader: SegmentReader,
  unreadable: readonly UnreadableRange[],
  syncedBytes: number,
): Promise<number> {
  const last = unreadable.at(-1)
  const isTail = last !== undefined && last.endOffset === reader.sizeBytes && last.offset >= syncedBytes
  if (!isTail || reader.header === undefined) return reader.sizeBytes
  log.warn('cut a torn tail off the write-ahead log', {
    file: reader.path,
    offset: last.offset,
    bytes: reader.sizeBytes - last.offset,
    reason: last.what,
  })
  await disk.truncate(reader.path, last.offset)
  return last.offset
}
