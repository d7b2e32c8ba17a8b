/** What is in a WAL directory, as plain data, without changing a byte of it: for `edda inspect wal`. */
import { listSegments } from './replay.ts'
import { SegmentReader } from './segment-reader.ts'
import type { Disk } from '#/kernel/world.ts'

export type WalInspection = { readonly directory: string; readonly segments: readonly SegmentInspection[] }

export type SegmentInspection = {
  readonly file: string
  readonly sizeBytes: number
  /** Undefined when the header cannot be read. */
  readonly ingesterId: string | undefined
  readonly firstSequence: number | undefined
  /** Bytes of the previous segment that had been synced when this one was made; 0 when nobody knew. */
  readonly previousSyncedBytes: number | undefined
  readonly isHeaderDamaged: boolean
  readonly recordCount: number
  readonly payloadBytes: number
  readonly lastSequence: number | undefined
  /** The first of them, as many as were asked for. */
  readonly records: readonly RecordInspection[]
  readonly unreadable: readonly { readonly offset: number; readonly sizeBytes: number; readonly what: string }[]
}

export type RecordInspection = {
  readonly offset: number
  readonly sequence: number
  readonly payloadBytes: number
  readonly syncedBytes: number
  /** What `describe` makes of the payload. */
  readonly content: unknown
}

export type InspectOptions = {
  /** Most records that are listed one by one in each segment. */
  readonly maxRecords: number
  /** Called with each listed payload, which is valid during the call only. */
  readonly describe?: (payload: Buffer) => unknown
}

export async function inspectWal(disk: Disk, directory: string, options: InspectOptions): Promise<WalInspection> {
  const segments: SegmentInspection[] = []
  for (const { path } of await listSegments(disk, directory)) segments.push(await inspectSegment(disk, path, options))
  return { directory, segments }
}

async function inspectSegment(
  disk: Disk,
  path: string,
  { maxRecords, describe = () => undefined }: InspectOptions,
): Promise<SegmentInspection> {
  await using reader = await SegmentReader.open(disk, path)
  const records: RecordInspection[] = []
  const unreadable: { offset: number; sizeBytes: number; what: string }[] = []
  let recordCount = 0
  let payloadBytes = 0
  let lastSequence: number | undefined
  for await (const item of reader.scan()) {
    if (item.kind === 'unreadable') {
      unreadable.push({ offset: item.offset, sizeBytes: item.endOffset - item.offset, what: item.what })
      continue
    }
    const { offset, sequence, syncedBytes, payload } = item
    recordCount++
    payloadBytes += payload.length
    lastSequence = sequence
    if (records.length >= maxRecords) continue
    records.push({ offset, sequence, payloadBytes: payload.length, syncedBytes, content: describe(payload) })
  }
  const { header, sizeBytes, isHeaderDamaged } = reader
  return {
    file: path,
    sizeBytes,
    ingesterId: header?.ingesterId,
    firstSequence: header?.firstSequence,
    previousSyncedBytes: header?.previousSyncedBytes,
    isHeaderDamaged,
    recordCount,
    payloadBytes,
    lastSequence,
    records,
    unreadable,
  }
}
