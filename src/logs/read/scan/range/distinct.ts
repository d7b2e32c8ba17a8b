/**
 * `count_distinct_over_time`: how many different values a label has. Exact while a window of a series has at most
 * MAX_EXACT_VALUES of them; beyond that the answer is an estimate, and says so. A cell with more than that many becomes a sketch
 * (kernel/hyper-log-log.ts) while it is collected, so that its memory stays fixed.
 */
import { assert } from '#/kernel/assert.ts'
import { locate, place, REGISTERS } from '#/kernel/hyper-log-log.ts'
import type { Series } from '#/series/series-set.ts'
import { CellRuns } from './cell-runs.ts'
import { DistinctWindow, SketchWindow, type Texts } from './distinct-window.ts'
import { grown, sharedCopy } from './grow.ts'
import { PairSet } from './pair-set.ts'
import type { Collector, Merger, PostedCells, PostedTexts, RangeFold, Sample, Windows } from './sample.ts'

/** Different values of a label in one window of one series up to which they are counted exactly. */
export const MAX_EXACT_VALUES = 65_536

export const distinct: RangeFold = {
  keepsSamples: true,
  collect: () => new TextCollector(),
  merge: () => new TextMerger(),
}

/** A text in the table of texts: string, map entry. */
const TEXT_OVERHEAD_BYTES = 96

class TextCollector implements Collector {
  readonly #ids = new Map<string, number>()
  readonly #texts: string[] = []
  #textBytes = 0
  /** Cell and id of what was seen. */
  readonly #pairs = new PairSet()
  #counts = new Uint32Array(16)
  readonly #sketches = new Map<number, Uint8Array>()

  get sizeBytes(): number {
    return this.#textBytes + this.#pairs.sizeBytes + this.#counts.byteLength + this.#sketches.size * REGISTERS
  }

  add(cell: number, { text }: Sample): void {
    const sketch = this.#sketches.get(cell)
    if (sketch !== undefined) return offer(sketch, text)
    if (!this.#pairs.add(cell, this.#idOf(text))) return
    this.#counts = grown(this.#counts, cell + 1)
    if (++this.#counts[cell]! > MAX_EXACT_VALUES) this.#sketch(cell)
  }

  finish(cellCount: number): PostedTexts {
    const starts = new Uint32Array(new SharedArrayBuffer((cellCount + 1) * 4))
    const isKept = (cell: number): boolean => !this.#sketches.has(cell)
    this.#pairs.forEach((cell) => isKept(cell) && starts[cell + 1]!++)
    for (let cell = 0; cell < cellCount; cell++) starts[cell + 1]! += starts[cell]!
    const ids = new Uint32Array(new SharedArrayBuffer(starts[cellCount]! * 4))
    const next = starts.slice()
    this.#pairs.forEach((cell, id) => isKept(cell) && void (ids[next[cell]!++] = id))
    const sketches = Array.from(this.#sketches, ([cell, registers]) => ({
      cell,
      registers: sharedCopy(registers, REGISTERS),
    }))
    return { kind: 'texts', texts: this.#texts, starts, ids, sketches }
  }

  #idOf(text: string): number {
    let id = this.#ids.get(text)
    if (id === undefined) {
      this.#ids.set(text, (id = this.#texts.push(text) - 1))
      this.#textBytes += text.length * 2 + TEXT_OVERHEAD_BYTES
    }
    return id
  }

  #sketch(cell: number): void {
    const sketch = new Uint8Array(REGISTERS)
    this.#pairs.forEach((other, id) => {
      if (other === cell) offer(sketch, this.#texts[id]!)
    })
    this.#sketches.set(cell, sketch)
  }
}

function offer(registers: Uint8Array, text: string): void {
  locate(text)
  if (place.rank > registers[place.register]!) registers[place.register] = place.rank
}

class TextMerger implements Merger, Texts {
  isApproximate = false
  readonly texts: string[] = []
  readonly sketches: Uint8Array[] = []
  readonly #ids = new Map<string, number>()
  readonly #runs = new CellRuns()
  /** Sketches of a cell, as positions in `sketches`. */
  readonly #sketchesOf = new Map<number, number[]>()
  /** For each result, ids of its entries here. */
  readonly posted: Uint32Array[] = []

  costOf(posted: PostedCells): number {
    assert(posted.kind === 'texts', `texts are merged, not ${posted.kind}`)
    const { texts, ids, starts, sketches } = posted
    const newTexts = texts.filter((text) => !this.#ids.has(text))
    const textBytes = newTexts.reduce((sum, text) => sum + text.length * 2 + TEXT_OVERHEAD_BYTES, 0)
    return textBytes + ids.byteLength + starts.length * CellRuns.runBytes + sketches.length * REGISTERS
  }

  absorb(posted: PostedCells, cells: Uint32Array): void {
    assert(posted.kind === 'texts', `texts are merged, not ${posted.kind}`)
    const here = Uint32Array.from(posted.texts, (text) => this.#idOf(text))
    const index = this.posted.push(posted.ids.map((id) => here[id]!)) - 1
    for (let i = 0; i < cells.length; i++) this.#runs.add(cells[i]!, index, posted.starts[i]!, posted.starts[i + 1]!)
    for (const { cell, registers } of posted.sketches) {
      const own = this.#sketchesOf.get(cells[cell]!) ?? []
      own.push(this.sketches.push(registers) - 1)
      this.#sketchesOf.set(cells[cell]!, own)
    }
  }

  *evaluate(cells: Int32Array, windows: Windows, into: Series): Iterable<void> {
    const segments = Array.from(cells, (cell) => ({
      runs: cell === 0 ? [] : this.#runs.of(cell - 1),
      sketches: this.#sketchesOf.get(cell - 1) ?? [],
    }))
    const inexact = new DistinctWindow(this, segments, MAX_EXACT_VALUES).countAll(windows, into)
    if (inexact.length === 0) return
    this.isApproximate = true
    yield
    new SketchWindow(this, segments).estimateAll(windows, inexact, into)
  }

  #idOf(text: string): number {
    let id = this.#ids.get(text)
    if (id === undefined) this.#ids.set(text, (id = this.texts.push(text) - 1))
    return id
  }
}
