/**
 * The first look at the pages of an output: which rows go, and how many rows each stream keeps. Where no eraser is concerned and a
 * page lies wholly in the output, its index tells; no column is decoded.
 */
import type { OutputInput } from './build-output.ts'
import type { BlockEraser, ErasedRows, RowEraser } from './erase.ts'
import { firstNotBefore, runsOf } from './input-cursor.ts'
import { isRowBefore, type RowKey } from './merge-input.ts'
import { decodeBlockPage } from '#/logs/store/block-page.ts'
import type { LogPage } from '#/logs/store/log-page.ts'

export type FlaggedRows = {
  /** Of each input: by position in its pages, 1 for each row that goes; pages that lose no row are not there. */
  readonly flags: readonly ReadonlyMap<number, Uint8Array>[]
  /** Rows that stay, by rank of the stream. Duplicates are among them. */
  readonly rowsOfStream: Uint32Array
  readonly erased: readonly ErasedRows[]
}

type Output = {
  readonly inputs: readonly OutputInput[]
  readonly streamCount: number
  readonly start: RowKey
  readonly sliceEnds: readonly RowKey[]
}

type Bounds = { readonly start: RowKey; readonly end: RowKey }
type OpenEraser = { readonly at: number; readonly eraser: BlockEraser }

export function flagRows(output: Output, erasers: readonly RowEraser[], check: () => void): FlaggedRows {
  const bounds = { start: output.start, end: output.sliceEnds.at(-1)! }
  const rowsOfStream = new Uint32Array(output.streamCount)
  const erased = erasers.map(({ id }) => ({ id, rows: 0, bytes: 0 }))
  const flags = output.inputs.map((input) => {
    const opened = erasers.flatMap((one, at) => {
      const eraser = one.open(input.labels)
      return eraser === undefined ? [] : [{ at, eraser }]
    })
    const flagsOfPage = new Map<number, Uint8Array>()
    for (const [position, bytes] of input.pages.entries()) {
      if (opened.length === 0 && countFromIndex(input, bytes.page, bounds, rowsOfStream)) continue
      check()
      const page = decodeBlockPage(bytes)
      const flagged = lookAt(page, { input, bounds, opened, erased }, rowsOfStream)
      if (flagged !== undefined) flagsOfPage.set(position, flagged)
      page.release()
    }
    return flagsOfPage
  })
  return { flags, rowsOfStream, erased }
}

/** False, and nothing counted, when the page lies partly outside of the bounds. */
function countFromIndex(input: OutputInput, page: number, { start, end }: Bounds, rowsOfStream: Uint32Array): boolean {
  const { pageEnds, runStream, runMinTime, runMaxTime, runRows, rankOf } = input
  const first = page === 0 ? 0 : pageEnds[page - 1]!
  const last = pageEnds[page]! - 1
  if (last < first) return true
  if (isRowBefore(rankOf[runStream[first]!]!, runMinTime[first]!, start)) return false
  if (!isRowBefore(rankOf[runStream[last]!]!, runMaxTime[last]!, end)) return false
  for (let run = first; run <= last; run++) rowsOfStream[rankOf[runStream[run]!]!]! += runRows[run]!
  return true
}

type Erasing = {
  readonly input: OutputInput
  readonly bounds: Bounds
  readonly opened: readonly OpenEraser[]
  /** By eraser; grow. */
  readonly erased: { readonly id: string; rows: number; bytes: number }[]
}

function lookAt(page: LogPage, erasing: Erasing, rowsOfStream: Uint32Array): Uint8Array | undefined {
  const { input, bounds, opened, erased } = erasing
  const inOutput = rowsIn(page, input, bounds)
  const flags = new Uint8Array(page.rowCount)
  const seen = new Uint8Array(page.rowCount)
  let isAny = false
  for (const { at, eraser } of opened) {
    eraser.eraseRows(page, flags)
    for (let row = 0; row < flags.length; row++) {
      if (flags[row] === 0 || seen[row] === 1) continue
      seen[row] = 1
      if (inOutput[row] === 0) continue
      isAny = true
      erased[at]!.rows++
      erased[at]!.bytes += rawBytesOf(page, row)
    }
  }
  const { stream } = page
  for (let row = 0; row < flags.length; row++) {
    if (inOutput[row] === 1 && flags[row] === 0) rowsOfStream[input.rankOf[stream[row]!]!]!++
  }
  return isAny ? flags : undefined
}

/** 1 for each row of the page that lies in the bounds. */
function rowsIn(page: LogPage, { rankOf }: OutputInput, { start, end }: Bounds): Uint8Array {
  const isIn = new Uint8Array(page.rowCount)
  const { values, ends } = runsOf(page)
  for (let run = 0; run < values.length; run++) {
    const range = { from: run === 0 ? 0 : ends[run - 1]!, to: ends[run]! }
    const rank = rankOf[values[run]!]!
    const from = firstNotBefore(page.time, rank, start, range)
    isIn.fill(1, from, Math.max(from, firstNotBefore(page.time, rank, end, range)))
  }
  return isIn
}

function rawBytesOf(page: LogPage, row: number): number {
  let bytes = page.lineStart[row + 1]! - page.lineStart[row]!
  for (const name of page.metaNames) {
    const value = page.meta(name)?.valueOf(row)
    if (value !== undefined) bytes += Buffer.byteLength(name) + Buffer.byteLength(value)
  }
  return bytes
}
