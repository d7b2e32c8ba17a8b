/** The first step of a scan: which rows of a page belong to wanted streams and times. Touches two columns only. */
import type { LogPage } from '#/logs/store/log-page.ts'
import type { RunsU32 } from '#/storage/column/runs-u32.ts'

export type RowSelection = {
  /** 1 for each stream that is wanted; undefined: all. */
  readonly streams: Uint8Array | undefined
  readonly from: number
  readonly to: number
  /** Whether every row is known to be in [from, to). */
  readonly isInside: boolean
  readonly dropped: Uint8Array | undefined
}

/** Writes the positions of the rows to `rows`, ascending; returns how many. `rows` has room for the whole page. */
export function selectRows(page: LogPage, selection: RowSelection, rows: Uint32Array): number {
  const { streams, isInside } = selection
  const runs = isInside && streams !== undefined ? page.streamRuns : undefined
  let count: number
  if (runs !== undefined) count = selectRuns(runs, streams!, rows)
  else {
    count = selectByTime(page, selection, rows)
    if (streams !== undefined) count = keepStreams(page.stream, streams, rows, count)
  }
  if (selection.dropped !== undefined) count = dropMarked(selection.dropped, rows, count)
  return count
}

function selectRuns({ values, ends }: RunsU32, streams: Uint8Array, rows: Uint32Array): number {
  let count = 0
  let row = 0
  for (let run = 0; run < values.length; run++) {
    const end = ends[run]!
    if (streams[values[run]!] === 0) row = end
    while (row < end) rows[count++] = row++
  }
  return count
}

function selectByTime({ rowCount, time }: LogPage, { from, to, isInside }: RowSelection, rows: Uint32Array): number {
  if (isInside) {
    for (let row = 0; row < rowCount; row++) rows[row] = row
    return rowCount
  }
  let count = 0
  for (let row = 0; row < rowCount; row++) {
    const t = time[row]!
    rows[count] = row
    if (t >= from && t < to) count++
  }
  return count
}

function keepStreams(stream: Uint32Array, streams: Uint8Array, rows: Uint32Array, count: number): number {
  let kept = 0
  for (let i = 0; i < count; i++) {
    const row = rows[i]!
    rows[kept] = row
    kept += streams[stream[row]!]!
  }
  return kept
}

function dropMarked(dropped: Uint8Array, rows: Uint32Array, count: number): number {
  let kept = 0
  for (let i = 0; i < count; i++) {
    const row = rows[i]!
    rows[kept] = row
    if ((dropped[row >> 3]! & (1 << (row & 7))) === 0) kept++
  }
  return kept
}
