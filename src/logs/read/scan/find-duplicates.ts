/**
 * Rows that several sources have. A row is a duplicate when an earlier source has a row of the same stream, time, line and
 * structured metadata; rows that are equal within one source are all kept.
 *
 * Rows go through a hash table on (stream, time), source by source; only rows that meet there are compared byte by byte.
 */
import type { LogPage } from '#/logs/store/log-page.ts'
import type { DuplicatesJob, DuplicatesResult, ScanPage } from './scan-job.ts'

type OpenedPage = {
  readonly page: LogPage
  readonly order: number
  readonly part: number
  mask: Uint8Array<SharedArrayBuffer> | undefined
}

const INITIAL_ROWS = 1024

export function findDuplicates(
  job: DuplicatesJob,
  open: (page: ScanPage) => LogPage,
  check: () => void,
): DuplicatesResult {
  const pages: OpenedPage[] = []
  const table = new RowTable()
  const met = new Set<number>()
  let rowCount = 0
  for (const [part, { streams, pages: scanPages }] of job.parts.entries()) {
    for (const scanPage of scanPages) {
      check()
      const opened: OpenedPage = { page: open(scanPage), order: scanPage.order, part, mask: undefined }
      pages.push(opened)
      rowCount += addPage({ job, pages, table, met, streams })
    }
  }
  const dropped = pages.flatMap(({ order, mask }) => (mask === undefined ? [] : [{ order, mask }]))
  return { kind: 'duplicates', rowCount, dropped, pages: [...met] }
}

type State = {
  readonly job: DuplicatesJob
  /** The last one is to be added. */
  readonly pages: readonly OpenedPage[]
  readonly table: RowTable
  /** Orders of pages with a row that another source has too. */
  readonly met: Set<number>
  readonly streams: Uint32Array
}

/** Returns how many rows are duplicates. */
function addPage({ job, pages, table, met, streams }: State): number {
  const at = pages.length - 1
  const own = pages[at]!
  const { stream, time, rowCount } = own.page
  let found = 0
  for (let row = 0; row < rowCount; row++) {
    const identity = streams[stream[row]!]!
    const t = time[row]!
    if (identity === 0 || t < job.from || t >= job.to) continue
    let isDuplicate = false
    for (let other = table.first(identity, t); other >= 0; other = table.next(other, identity, t)) {
      const from = pages[table.pages[other]!]!
      if (from.part === own.part || !isEqual(from.page, table.rows[other]!, own.page, row, job.comparesBytes)) continue
      met.add(from.order).add(own.order)
      isDuplicate = job.comparesBytes
      if (isDuplicate) break
    }
    if (!isDuplicate) {
      table.add(identity, t, at, row)
      continue
    }
    found++
    own.mask ??= new Uint8Array(new SharedArrayBuffer((rowCount + 7) >> 3))
    own.mask[row >> 3]! |= 1 << (row & 7)
  }
  return found
}

function isEqual(a: LogPage, rowA: number, b: LogPage, rowB: number, comparesBytes: boolean): boolean {
  const [startA, endA] = [a.lineStart[rowA]!, a.lineStart[rowA + 1]!]
  const [startB, endB] = [b.lineStart[rowB]!, b.lineStart[rowB + 1]!]
  if (endA - startA !== endB - startB) return false
  if (!comparesBytes) return true
  if (a.lines.compare(b.lines, startB, endB, startA, endA) !== 0) return false
  return (
    a.metaNames.every((name) => a.meta(name)?.valueOf(rowA) === b.meta(name)?.valueOf(rowB)) &&
    b.metaNames.every((name) => a.metaNames.includes(name) || b.meta(name)?.valueOf(rowB) === undefined)
  )
}

/** Rows by (stream, time): a chained hash table over growing columns. */
class RowTable {
  #streams = new Uint32Array(INITIAL_ROWS)
  #times = new Float64Array(INITIAL_ROWS)
  pages = new Uint32Array(INITIAL_ROWS)
  rows = new Uint32Array(INITIAL_ROWS)
  #next = new Int32Array(INITIAL_ROWS)
  #heads = new Int32Array(INITIAL_ROWS * 2).fill(-1)
  #count = 0

  /** The first entry of this stream and time, or -1. */
  first(stream: number, time: number): number {
    return this.#find(this.#heads[this.#bucket(stream, time)]!, stream, time)
  }

  next(entry: number, stream: number, time: number): number {
    return this.#find(this.#next[entry]!, stream, time)
  }

  add(stream: number, time: number, page: number, row: number): void {
    if (this.#count === this.#times.length) this.#grow()
    const entry = this.#count++
    this.#streams[entry] = stream
    this.#times[entry] = time
    this.pages[entry] = page
    this.rows[entry] = row
    this.#link(entry)
  }

  #find(from: number, stream: number, time: number): number {
    let entry = from
    while (entry >= 0 && (this.#times[entry] !== time || this.#streams[entry] !== stream)) entry = this.#next[entry]!
    return entry
  }

  #bucket(stream: number, time: number): number {
    const low = time % 4_294_967_296
    const high = (time - low) / 4_294_967_296
    let hash = Math.imul(low, 0x9e3779b1) ^ Math.imul(high, 0x85ebca77) ^ Math.imul(stream, 0xc2b2ae3d)
    hash = Math.imul(hash ^ (hash >>> 15), 0x27d4eb2f)
    return ((hash ^ (hash >>> 13)) >>> 0) & (this.#heads.length - 1)
  }

  #link(entry: number): void {
    const bucket = this.#bucket(this.#streams[entry]!, this.#times[entry]!)
    this.#next[entry] = this.#heads[bucket]!
    this.#heads[bucket] = entry
  }

  #grow(): void {
    const size = this.#times.length * 2
    const [streams, times, pages, rows] = [this.#streams, this.#times, this.pages, this.rows]
    this.#streams = new Uint32Array(size)
    this.#streams.set(streams)
    this.#times = new Float64Array(size)
    this.#times.set(times)
    this.pages = new Uint32Array(size)
    this.pages.set(pages)
    this.rows = new Uint32Array(size)
    this.rows.set(rows)
    this.#next = new Int32Array(size)
    this.#heads = new Int32Array(size * 2).fill(-1)
    for (let entry = 0; entry < this.#count; entry++) this.#link(entry)
  }
}
