/**
 * What range functions work on. The edges of all windows of a query cut time into segments; samples of one series in one
 * segment make a cell. A job keeps what its function needs of each cell, jobs are merged cell by cell, and the value of a
 * window comes from its cells in the order of time.
 */
import type { Series } from '#/series/series-set.ts'

/** The sample at hand. One object serves all rows. */
export type Sample = {
  /** The unwrapped value. */
  value: number
  /** The value of the counted label. */
  text: string
  /** Nanoseconds since the end of the first window, mostly negative. */
  time: number
  /** Decides between equal times: the order of insertion. */
  position: number
}

/** Which segments the window of each step has, and where it lies in the time of {@link Sample}. */
export type Windows = {
  readonly stepCount: number
  readonly segmentCount: number
  /** The window of step k has the segments `first[k]` … `last[k]`; both never decrease. */
  readonly first: Int32Array
  readonly last: Int32Array
  /** The window of step k is (k · stepNs - rangeNs, k · stepNs]. */
  readonly stepNs: number
  readonly rangeNs: number
}

/** What a job sends of its cells, in shared memory: cell i of the job is entry i. */
export type PostedCells =
  | { readonly kind: 'states'; readonly states: Float64Array }
  | PostedValues
  | PostedPoints
  | PostedTexts

/** Values of cell i: `values[starts[i], starts[i + 1])`, ascending, NaN last, each `counts` times (undefined: once). */
export type PostedValues = {
  readonly kind: 'values'
  readonly starts: Uint32Array
  readonly values: Float64Array
  readonly counts: Uint32Array | undefined
}

/** Samples of cell i at [starts[i], starts[i + 1]), in no particular order. */
export type PostedPoints = {
  readonly kind: 'points'
  readonly starts: Uint32Array
  readonly values: Float64Array
  readonly times: Float64Array
  readonly positions: Float64Array
}

/**
 * Distinct texts of cell i: `texts[ids[j]]` for j in [starts[i], starts[i + 1]). Of cells with too many of them only a sketch
 * is left.
 */
export type PostedTexts = {
  readonly kind: 'texts'
  readonly texts: readonly string[]
  readonly starts: Uint32Array
  readonly ids: Uint32Array
  readonly sketches: readonly { readonly cell: number; readonly registers: Uint8Array }[]
}

/** Keeps the samples of a job. */
export interface Collector {
  /** Memory taken so far. */
  readonly sizeBytes: number
  /** Adds to a cell; cells are numbered from 0 in the order in which they are first used. */
  add(cell: number, sample: Sample): void
  finish(cellCount: number): PostedCells
}

/** Puts together what jobs collected, and makes the values of windows. */
export interface Merger {
  /** Memory that absorbing these cells will take, `newCells` of which were not seen before. */
  costOf(posted: PostedCells, newCells: number): number
  /** Cell i of `posted` belongs to cell `cells[i]` here. `posted` may be kept. */
  absorb(posted: PostedCells, cells: Uint32Array): void
  /** Fills in a series, stopping from time to time for other work. `cells[s]` is 1 + the cell of segment s, or 0. */
  evaluate(cells: Int32Array, windows: Windows, into: Series): Iterable<void>
  /** Set when a value that was made is an estimate. */
  readonly isApproximate: boolean
}

/** One range function, for samples that have values. */
export type RangeFold = {
  /** Whether what is kept grows with the samples, not only with the cells. */
  readonly keepsSamples: boolean
  readonly collect: () => Collector
  /** `parameter` is the number before the log range. */
  readonly merge: (parameter: number | undefined) => Merger
}
