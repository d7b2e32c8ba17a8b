/** What the worker threads of a merge know of its inputs, and the order of rows in blocks. Everything is plain or shared memory. */
import type { CodedLabels } from '#/storage/index/coded-labels.ts'

const NS_PER_HOUR = 3_600e9

/** A place in the order of rows: by hour, then stream, then time. `stream` is a rank among the streams of all inputs. */
export type RowKey = { readonly hour: number; readonly stream: number; readonly time: number }

export const FIRST_KEY: RowKey = { hour: 0, stream: 0, time: 0 }
/** Behind all rows of a day. */
export const END_KEY: RowKey = { hour: 24, stream: 0, time: 0 }

export function hourOf(time: number): number {
  return Math.floor(time / NS_PER_HOUR)
}

/** Whether the row (stream, time) comes before `key`. */
export function isRowBefore(stream: number, time: number, key: RowKey): boolean {
  const hour = hourOf(time)
  if (hour !== key.hour) return hour < key.hour
  return stream === key.stream ? time < key.time : stream < key.stream
}

/** The index of an input, in shared memory. Runs as in `StreamRuns`, of which these are the columns. */
export type IndexOfInput = {
  readonly labels: CodedLabels
  readonly pageEnds: Uint32Array
  readonly runStream: Uint32Array
  readonly runRows: Uint32Array
  /** Of lines, or of lines and metadata where the block does not tell. */
  readonly runBytes: Uint32Array
  readonly runMinTime: Float64Array
  readonly runMaxTime: Float64Array
  /** Compressed bytes of each page. */
  readonly pageBytes: Uint32Array
}

/** An input whose streams have ranks: `rankOf[ordinal]`. */
export type RankedInput = IndexOfInput & { readonly rankOf: Uint32Array }
