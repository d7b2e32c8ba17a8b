/** What a range function keeps of the samples of each series and segment: the table of cells of a job. */
import { grown, sharedCopy } from './range/grow.ts'
import type { Collector, Sample } from './range/sample.ts'
import type { CellsResult } from './scan-job.ts'
import { tooManySamples, tooManySeries, type SeriesSlots } from './series-slots.ts'

const INITIAL_CELLS = 64
/** Memory is looked at after so many samples. */
const SAMPLES_BETWEEN_CHECKS = 1024

export type CellOptions = {
  /** Name of the function. */
  readonly op: string
  readonly firstSegment: number
  /** How many segments the samples of the job can be in. */
  readonly width: number
  readonly maxBytes: number
}

export class CellTable {
  readonly #options: CellOptions
  readonly #series: SeriesSlots
  readonly #collector: Collector
  /** 1 + the cell of a series and segment, or 0; row `slot` begins at `slot * width`. */
  #cells = new Uint32Array(INITIAL_CELLS)
  #count = 0
  #slots = new Uint32Array(INITIAL_CELLS)
  #segments = new Uint32Array(INITIAL_CELLS)
  #unchecked = 0

  constructor(series: SeriesSlots, collector: Collector, options: CellOptions) {
    this.#series = series
    this.#collector = collector
    this.#options = options
  }

  /** @throws EddaError beyond the memory allowed. */
  add(slot: number, segment: number, sample: Sample): void {
    const { width, firstSegment } = this.#options
    const at = slot * width + segment - firstSegment
    if (at >= this.#cells.length) this.#growDirectory((slot + 1) * width)
    let cell = this.#cells[at]! - 1
    if (cell < 0) {
      cell = this.#newCell(slot, segment)
      this.#cells[at] = cell + 1
    }
    this.#collector.add(cell, sample)
    if (++this.#unchecked >= SAMPLES_BETWEEN_CHECKS) this.#checkMemory()
  }

  finish(): Omit<CellsResult, 'counts'> {
    this.#checkMemory()
    return {
      kind: 'cells',
      series: this.#series.labels,
      slots: sharedCopy(this.#slots, this.#count),
      segments: sharedCopy(this.#segments, this.#count),
      cells: this.#collector.finish(this.#count),
    }
  }

  #newCell(slot: number, segment: number): number {
    const cell = this.#count++
    this.#slots = grown(this.#slots, this.#count)
    this.#segments = grown(this.#segments, this.#count)
    this.#slots[cell] = slot
    this.#segments[cell] = segment
    return cell
  }

  #growDirectory(needed: number): void {
    if (needed * 4 > this.#options.maxBytes) throw tooManySeries(this.#series.labels.length, this.#options.maxBytes)
    this.#cells = grown(this.#cells, needed)
  }

  #checkMemory(): void {
    this.#unchecked = 0
    const { maxBytes, op } = this.#options
    const tableBytes = this.#cells.byteLength + this.#slots.byteLength + this.#segments.byteLength
    const seriesBytes = this.#series.sizeBytes + tableBytes
    const samplesBytes = this.#collector.sizeBytes
    if (seriesBytes + samplesBytes <= maxBytes) return
    throw samplesBytes > seriesBytes
      ? tooManySamples(op, maxBytes)
      : tooManySeries(this.#series.labels.length, maxBytes)
  }
}
