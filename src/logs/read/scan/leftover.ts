/** Counts what of runs is left when rows of their pages are dropped: rows, bytes as blocks count them, and times. */
import type { LogPage } from '#/logs/store/log-page.ts'
import type { LeftoverJob, LeftoverResult, ScanPage } from './scan-job.ts'

export function countLeftover(
  { pages }: LeftoverJob,
  open: (page: ScanPage) => LogPage,
  check: () => void,
): LeftoverResult {
  const count = pages.reduce((sum, { firstRow }) => sum + firstRow.length, 0)
  const result: LeftoverResult = {
    kind: 'leftover',
    rowCount: new Uint32Array(count),
    rawBytes: new Uint32Array(count),
    lineBytes: new Uint32Array(count),
    minTime: new Float64Array(count).fill(Infinity),
    maxTime: new Float64Array(count).fill(-Infinity),
  }
  let run = 0
  for (const { page: scanPage, firstRow, rowCount } of pages) {
    check()
    const page = open(scanPage)
    const sizes = new MetaSizes(page)
    for (let i = 0; i < firstRow.length; i++, run++) {
      const end = firstRow[i]! + rowCount[i]!
      for (let row = firstRow[i]!; row < end; row++) {
        if (isDropped(scanPage.dropped, row)) continue
        const lineBytes = page.lineStart[row + 1]! - page.lineStart[row]!
        result.rowCount[run]!++
        result.lineBytes[run]! += lineBytes
        result.rawBytes[run]! += lineBytes + sizes.of(row)
        result.minTime[run] = Math.min(result.minTime[run]!, page.time[row]!)
        result.maxTime[run] = Math.max(result.maxTime[run]!, page.time[row]!)
      }
    }
    page.release()
  }
  return result
}

function isDropped(dropped: Uint8Array | undefined, row: number): boolean {
  return dropped !== undefined && (dropped[row >> 3]! & (1 << (row & 7))) !== 0
}

/** Bytes of names and values of the metadata of rows. */
class MetaSizes {
  readonly #columns

  constructor(page: LogPage) {
    this.#columns = page.metaNames.map((name) => ({ nameBytes: Buffer.byteLength(name), column: page.meta(name) }))
  }

  of(row: number): number {
    let bytes = 0
    for (const { nameBytes, column } of this.#columns) {
      const value = column?.valueOf(row)
      if (value !== undefined) bytes += nameBytes + Buffer.byteLength(value)
    }
    return bytes
  }
}
