/**
 * The bytes of runs by bucket of time. Rows of a run ascend in time and their lines stand back to back, so a bucket's part is found
 * by binary search, and its bytes are the difference of two offsets. What a run has beyond its lines, its metadata, is divided evenly
 * among its rows.
 */
import type { LogPage } from '#/logs/store/log-page.ts'
import type { ScanPage, SizesJob, SizesResult } from './scan-job.ts'

export function divideSizes(job: SizesJob, open: (page: ScanPage) => LogPage, check: () => void): SizesResult {
  const cells = { run: [] as number[], bucket: [] as number[], bytes: [] as number[] }
  let [number, rowCount] = [0, 0]
  for (const { page: scanPage, ...runs } of job.pages) {
    check()
    const page = open(scanPage)
    for (let i = 0; i < runs.firstRow.length; i++, number++) {
      const first = runs.firstRow[i]!
      const count = runs.rowCount[i]!
      rowCount += count
      const { dropped } = scanPage
      if (dropped !== undefined) {
        divideRows(job, { page, dropped, first, count, rawBytes: runs.rawBytes[i]! }, (bucket, bytes) => {
          cells.run.push(number)
          cells.bucket.push(bucket)
          cells.bytes.push(bytes)
        })
        continue
      }
      const lineBytes = page.lineStart[first + count]! - page.lineStart[first]!
      const metaBytes = runs.rawBytes[i]! - lineBytes
      // rounded so that the parts of a run add up to it
      const metaBefore = (row: number): number => Math.round((metaBytes * (row - first)) / count)
      eachBucket(job, page.time, { from: first, to: first + count }, (bucket, rows) => {
        const lines = page.lineStart[rows.to]! - page.lineStart[rows.from]!
        cells.run.push(number)
        cells.bucket.push(bucket)
        cells.bytes.push(lines + metaBefore(rows.to) - metaBefore(rows.from))
      })
    }
    page.release()
  }
  const { run, bucket, bytes } = cells
  return {
    kind: 'sizes',
    rowCount,
    run: Uint32Array.from(run),
    bucket: Uint32Array.from(bucket),
    bytes: Float64Array.from(bytes),
  }
}

type SizedRun = {
  readonly page: LogPage
  readonly dropped: Uint8Array
  readonly first: number
  readonly count: number
  /** Of the rows that are not dropped. */
  readonly rawBytes: number
}

/** The same for a run of which rows are dropped. */
function divideRows(
  { from, to, buckets: { first: firstBucket, originTime, step } }: SizesJob,
  { page: { time, lineStart }, dropped, first, count, rawBytes }: SizedRun,
  visit: (bucket: number, bytes: number) => void,
): void {
  const rows: number[] = []
  let lineBytes = 0
  for (let row = first; row < first + count; row++) {
    if ((dropped[row >> 3]! & (1 << (row & 7))) !== 0) continue
    rows.push(row)
    lineBytes += lineStart[row + 1]! - lineStart[row]!
  }
  const metaBytes = rawBytes - lineBytes
  const metaBefore = (rowsBefore: number): number => Math.round((metaBytes * rowsBefore) / rows.length)
  for (const [i, row] of rows.entries()) {
    const t = time[row]!
    if (t < from || t >= to) continue
    const bytes = lineStart[row + 1]! - lineStart[row]! + metaBefore(i + 1) - metaBefore(i)
    visit(firstBucket + Math.floor((t - originTime) / step), bytes)
  }
}

type Rows = { readonly from: number; readonly to: number }

/** Visits the buckets that have rows of the window, with these rows. */
function eachBucket(
  { from, to, buckets: { first, originTime, step } }: SizesJob,
  time: Float64Array,
  rows: Rows,
  visit: (bucket: number, rows: Rows) => void,
): void {
  let at = firstAtOrAfter(time, rows, from)
  const end = firstAtOrAfter(time, rows, to)
  while (at < end) {
    const bucket = Math.floor((time[at]! - originTime) / step)
    const next = firstAtOrAfter(time, { from: at, to: end }, originTime + (bucket + 1) * step)
    // steps that are no whole nanoseconds in a double cannot stop the walk
    const stop = Math.max(next, at + 1)
    visit(first + bucket, { from: at, to: stop })
    at = stop
  }
}

/** Position of the first row with `time >= t`; `rows.to` when there is none. */
function firstAtOrAfter(time: Float64Array, { from, to }: Rows, t: number): number {
  let [low, high] = [from, to]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (time[middle]! < t) low = middle + 1
    else high = middle
  }
  return low
}
