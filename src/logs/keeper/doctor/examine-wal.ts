/** The directory of the write-ahead log: segments, what is in them and whether it is still needed, the identity, and other files. */
import { orFinding, type Examination } from './data-files.ts'
import { decodeEntryBatch } from '#/logs/wire/entry-batch-codec.ts'
import { parseSegmentName, segmentName, type SegmentHeader } from '#/storage/wal/format.ts'
import { segmentCorruptions } from '#/storage/wal/replay.ts'
import { SegmentReader, type UnreadableRange } from '#/storage/wal/segment-reader.ts'

const identityFile = 'ingester-id'
const lockFile = 'lock'

/** Whether a row of the day in the record `sequence` of `ingester` is in a block. */
export type IsFlushed = (ingester: string, tenant: string, day: number, sequence: number) => boolean
export type WalResult = { readonly segments: number; readonly bytes: number }

export async function examineWal(exam: Examination, isFlushed: IsFlushed): Promise<WalResult> {
  const { places, world } = exam
  const entries = (await orFinding(exam, places.wal, () => world.disk.list(places.wal))) ?? []
  const segments: { readonly number: number; readonly path: string }[] = []
  const taken = new Set(entries.map(({ name }) => name))
  for (const { name, isDirectory } of entries) {
    // a socket, which cannot be opened
    if (name === lockFile) continue
    const path = `${places.wal}/${name}`
    const number = isDirectory ? undefined : parseSegmentName(name)
    const header = isDirectory ? undefined : await orFinding(exam, path, () => headerOf(exam, path))
    const home = header === undefined ? undefined : segmentName(header.segment)
    if (home !== undefined && home !== name && !name.endsWith('.unreadable')) {
      const to = await orFinding(exam, path, () => misnamed(exam, path, home, taken))
      if (to !== undefined) segments.push({ number: header!.segment, path: to })
    } else if (number !== undefined) segments.push({ number, path })
    else if (name !== identityFile) await orFinding(exam, path, () => otherFile(exam, path, name, isDirectory))
  }
  segments.sort((a, b) => a.number - b.number)
  const headers = new Map<string, SegmentHeader>()
  for (const { path } of segments) {
    const header = await orFinding(exam, path, () => headerOf(exam, path))
    if (header !== undefined) headers.set(path, header)
  }
  let bytes = 0
  let lastSequence = 0
  for (const [i, { number, path }] of segments.entries()) {
    const next = segments[i + 1]
    const later = next?.number === number + 1 ? headers.get(next.path) : undefined
    if (next !== undefined && next.number > number + 1) missing(exam, number + 1, next.number - 1)
    const isLast = next === undefined
    const done = await orFinding(exam, path, () =>
      examineSegment(exam, path, { later, isLast, lastSequence, isFlushed }),
    )
    bytes += done?.bytes ?? 0
    lastSequence = Math.max(lastSequence, done?.lastSequence ?? 0)
  }
  await orFinding(exam, `${places.wal}/${identityFile}`, () => checkIdentity(exam, [...headers.values()]))
  return { segments: segments.length, bytes }
}

async function headerOf({ world }: Examination, path: string): Promise<SegmentHeader | undefined> {
  await using reader = await SegmentReader.open(world.disk, path)
  return reader.header
}

/** The path under which it is read then; undefined when it is not. */
async function misnamed(
  { findings, places, quarantine }: Examination,
  path: string,
  home: string,
  taken: Set<string>,
): Promise<string | undefined> {
  const found = findings.add('misnamed-segment', { file: path, problem: `its header says that it is ${home}` })
  if (taken.has(home)) return undefined
  taken.add(home)
  if (quarantine === undefined) return path
  const to = `${places.wal}/${home}`
  await quarantine.move(path, to)
  found.done(`moved to ${to}`)
  return to
}

async function otherFile(exam: Examination, path: string, name: string, isDirectory: boolean): Promise<void> {
  const { findings, quarantine, isLive, world } = exam
  if (name.endsWith('.unreadable')) {
    findings.add('put-aside-segment', { file: path, problem: 'a segment without a readable header' })
  } else if (name === `${identityFile}.new`) {
    if (isLive) return
    const found = findings.add('temporary-file', { file: path, problem: 'a file that was being written' })
    if (quarantine !== undefined) found.done(`moved to ${await quarantine.take(path)}`)
  } else if (isDirectory || (await world.disk.stat(path)) !== undefined) {
    findings.add('foreign-file', { file: path, problem: 'a name that Edda does not give' })
  }
}

function missing({ findings, places, isLive }: Examination, from: number, to: number): void {
  if (isLive) return
  const which = from === to ? '' : ` to ${segmentName(to)}`
  findings.add('missing-segment', {
    file: `${places.wal}/${segmentName(from)}`,
    problem: `${segmentName(from)}${which} is not there, and there are segments before and behind it`,
  })
}

type SegmentContext = {
  readonly later: SegmentHeader | undefined
  readonly isLast: boolean
  readonly lastSequence: number
  readonly isFlushed: IsFlushed
}

async function examineSegment(
  exam: Examination,
  path: string,
  { later, isLast, lastSequence: before, isFlushed }: SegmentContext,
): Promise<{ readonly bytes: number; readonly lastSequence: number }> {
  const { findings, isLive, quarantine, signal, world } = exam
  await using reader = await SegmentReader.open(world.disk, path)
  const { header, sizeBytes } = reader
  const unreadable: UnreadableRange[] = []
  let syncedBytes = later?.previousSyncedBytes ?? 0
  let lastSequence = before
  let isNeeded = false
  let records = 0
  for await (const item of reader.scan(before)) {
    signal.throwIfAborted()
    if (item.kind === 'unreadable') {
      unreadable.push(item)
      continue
    }
    records++
    syncedBytes = Math.max(syncedBytes, item.syncedBytes)
    lastSequence = item.sequence
    isNeeded ||=
      !isLive &&
      isRecordNeeded(exam, path, item, (tenant, day, sequence) => isFlushed(header!.ingesterId, tenant, day, sequence))
  }
  if (header === undefined) {
    const isEmpty = records === 0 && sizeBytes <= 128
    const problem = isEmpty ? 'its making was cut short' : 'neither copy of its header can be read'
    if (isEmpty && isLive) return { bytes: sizeBytes, lastSequence }
    const found = findings.add(isEmpty ? 'torn-segment' : 'unreadable-segment', { file: path, problem, offset: 0 })
    if (quarantine !== undefined && !isEmpty) found.done(`moved to ${await quarantine.take(path)}`)
    return { bytes: sizeBytes, lastSequence }
  }
  const corruptions = segmentCorruptions(reader, unreadable, syncedBytes)
  for (const { offset, message } of corruptions) {
    const kind = message.includes('one of the two segment headers') ? 'damaged-segment-header' : 'damaged-segment'
    findings.add(kind, { file: path, problem: message.replace(/^corruption in .* at byte \d+: /, ''), offset })
  }
  const known = new Set(corruptions.map(({ offset }) => offset))
  for (const { offset, endOffset, what } of unreadable) {
    // the end of the last segment of a running server is being written
    if (known.has(offset) || (isLive && isLast)) continue
    findings.add('torn-segment', { file: path, problem: `${what}, ${endOffset - offset} bytes`, offset })
  }
  if (!isLive && !isNeeded && corruptions.length === 0) {
    findings.add('unneeded-segment', { file: path, problem: `${records} records, ${sizeBytes} bytes` })
  }
  return { bytes: sizeBytes, lastSequence }
}

function isRecordNeeded(
  { findings }: Examination,
  path: string,
  { payload, sequence, offset }: { readonly payload: Buffer; readonly sequence: number; readonly offset: number },
  isFlushed: (tenant: string, day: number, sequence: number) => boolean,
): boolean {
  try {
    const { tenant, batch } = decodeEntryBatch(payload)
    let known = NaN
    for (let row = 0; row < batch.rowCount; row++) {
      const day = batch.day[row]!
      if (day === known) continue
      if (!isFlushed(tenant, day, sequence)) return true
      known = day
    }
    return false
  } catch (error) {
    findings.add('damaged-segment', { file: path, problem: `record ${sequence}: ${(error as Error).message}`, offset })
    return true
  }
}

async function checkIdentity(
  { findings, places, quarantine, world }: Examination,
  headers: readonly SegmentHeader[],
): Promise<void> {
  const file = `${places.wal}/${identityFile}`
  const newest = headers.at(-1)
  if (newest === undefined || (await world.disk.stat(file)) === undefined) return
  const found = (await world.disk.readFile(file)).toString('latin1')
  if (found === `${newest.ingesterId}\n`) return
  const problem = `it says ${JSON.stringify(found.slice(0, 40))}, the newest segment was written by ${newest.ingesterId}`
  const finding = findings.add('wrong-ingester-id', { file, problem, offset: 0 })
  if (quarantine !== undefined) finding.done(`moved to ${await quarantine.take(file)}`)
}
