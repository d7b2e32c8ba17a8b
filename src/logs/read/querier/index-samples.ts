/**
 * Answers from the index alone: the runs of a block tell how many rows and bytes of lines a stream has between two times. Where
 * these are all that a leaf counts, and all rows of a run count at the same steps, the rows themselves need not be read.
 */
import type { MetricLeaf } from '#/logs/logql/planner/plan.ts'
import type { Pipeline } from '#/logs/logql/pipeline/row.ts'
import { decides } from '#/logs/read/scan/code-columns.ts'
import { DiffTable } from '#/logs/read/scan/diff-table.ts'
import { GroupSlots } from '#/logs/read/scan/group-slots.ts'
import type { DiffsResult } from '#/logs/read/scan/scan-job.ts'
import { SeriesSlots } from '#/logs/read/scan/series-slots.ts'
import { StepGrid, type StepWindow } from '#/logs/read/scan/step-grid.ts'
import { StreamLabels } from '#/logs/read/scan/stream-labels.ts'
import type { CodedLabels } from '#/storage/index/coded-labels.ts'
import type { DayScan } from './day-scan.ts'
import type { QueryRun } from './query-run.ts'
import type { Source, SourcePage } from './source.ts'

export type IndexedPages = {
  /** What was counted; undefined when there was nothing. */
  readonly result: DiffsResult | undefined
  /** Pages that must be read. */
  readonly left: readonly SourcePage[]
}

type BlockSource = Source & { readonly data: Source['data'] & { readonly kind: 'block' } }

export class IndexSamples {
  readonly #run: QueryRun
  readonly #leaf: MetricLeaf
  readonly #window: StepWindow
  readonly #isPossible: boolean

  constructor(run: QueryRun, leaf: MetricLeaf, pipeline: Pipeline, window: StepWindow) {
    this.#run = run
    this.#leaf = leaf
    this.#window = window
    const countsOnly = leaf.unwrap === undefined && (leaf.measure === 'rows' || leaf.measure === 'bytes')
    this.#isPossible = countsOnly && pipeline.isTrivial && pipeline.pageFilters.length === 0
  }

  /**
   * Counts what the index knows of `pages`, which are among those of `scan`: block by block (`whole`: a block is counted when none
   * of its pages must be read) or page by page.
   */
  count(scan: DayScan, pages: readonly SourcePage[], unit: 'block' | 'page'): IndexedPages {
    if (!this.#isPossible) return { result: undefined, left: pages }
    const counter = new RunCounter(this.#leaf, this.#window, scan, this.#run.shareBytes)
    const left: SourcePage[] = []
    for (const [source, ofSource] of Map.groupBy(pages, (page) => page.source)) {
      const known = isBlock(source) ? ofSource.filter((page) => counter.knows(source, page)) : []
      const counted = unit === 'page' || known.length === ofSource.length ? known : []
      for (const page of counted) counter.add(source as BlockSource, page)
      const isCounted = new Set(counted)
      left.push(...ofSource.filter((page) => !isCounted.has(page)))
      this.#run.progress.read(counted)
      this.#run.stats.pagesByIndex += counted.length
    }
    if (left.length === pages.length) return { result: undefined, left }
    this.#run.stats.blockRows += counter.rows
    this.#run.stats.postFilterRows += counter.rows
    return { result: counter.finish(), left }
  }
}

function isBlock(source: Source): source is BlockSource {
  return source.data.kind === 'block'
}

/** Adds up runs. */
class RunCounter {
  readonly #leaf: MetricLeaf
  readonly #scan: DayScan
  readonly #grid: StepGrid
  readonly #series = new SeriesSlots()
  readonly #slots: GroupSlots
  readonly #diffs: DiffTable
  /** By class of streams; undefined where not known yet. */
  readonly #slotOfClass: (number | undefined)[] = []
  #source: BlockSource | undefined
  rows = 0

  constructor(leaf: MetricLeaf, window: StepWindow, scan: DayScan, maxBytes: number) {
    this.#leaf = leaf
    this.#scan = scan
    this.#grid = new StepGrid(window, scan.day)
    this.#slots = new GroupSlots(this.#series, leaf.grouping)
    const { first, last } = this.#grid.stepsOf(scan.from, scan.to)
    const width = Math.max(last - first, 0) + 1
    this.#diffs = new DiffTable(this.#series, {
      firstStep: first,
      width,
      hasValues: leaf.measure === 'bytes',
      maxBytes,
    })
  }

  /** Whether the index tells all that there is to know of a page. */
  knows({ data: { block } }: BlockSource, page: SourcePage): boolean {
    const { measure, grouping } = this.#leaf
    if (this.#scan.dropped.has(page.order)) return false
    if (measure === 'bytes' && block.runs.lineBytes === undefined) return false
    const { metaNames } = block.pages[page.position]!
    // errors that came with entries fail the query, unless it looks at them
    if (metaNames.some((name) => name.startsWith('__error') || decides(name, grouping))) return false
    if (this.#isWhole(page)) return true
    let isKnown = true
    this.#eachRun(page, (run) => (isKnown &&= this.#isOnePiece(block.runs.minTime[run]!, block.runs.maxTime[run]!)))
    return isKnown
  }

  add(source: BlockSource, page: SourcePage): void {
    const { runs } = source.data.block
    if (this.#source !== source) {
      this.#source = source
      this.#slots.beginPart(new StreamLabels(this.#labelsOf(source)))
    }
    if (this.#isWhole(page)) return this.#addWhole(source, page)
    this.#eachRun(page, (run) => {
      const rows = runs.rowCount[run]!
      this.rows += rows
      this.#grid.locate(runs.minTime[run]!)
      const { enterStep, leaveStep } = this.#grid
      if (enterStep >= leaveStep) return
      this.#diffs.add(this.#slotOf(runs.stream[run]!), enterStep, leaveStep, rows, runs.lineBytes?.[run] ?? 0)
    })
  }

  /** A page whose rows all count at the same steps: nothing of it is looked at but streams and counts. */
  #addWhole(source: BlockSource, { position, minTime }: SourcePage): void {
    const { pageEnds, stream, rowCount, lineBytes } = source.data.block.runs
    const isWanted = this.#scan.streams.get(source)
    this.#grid.locate(minTime)
    const { enterStep, leaveStep } = this.#grid
    for (let run = position === 0 ? 0 : pageEnds[position - 1]!; run < pageEnds[position]!; run++) {
      const ordinal = stream[run]!
      if (isWanted !== undefined && isWanted[ordinal] === 0) continue
      this.rows += rowCount[run]!
      if (enterStep >= leaveStep) continue
      this.#diffs.add(this.#slotOf(ordinal), enterStep, leaveStep, rowCount[run]!, lineBytes?.[run] ?? 0)
    }
  }

  #slotOf(ordinal: number): number {
    return (this.#slotOfClass[this.#slots.classOf(ordinal)] ??= this.#slots.slotOf(ordinal, [], 0))
  }

  /** Whether all rows of a page, of which none is hidden, are one piece. */
  #isWhole({ source, minTime, maxTime }: SourcePage): boolean {
    return source.hidden === undefined && this.#isOnePiece(minTime, maxTime)
  }

  /** Of the labels of streams those that make a difference to the series. */
  #labelsOf({ index }: BlockSource): CodedLabels {
    const { relevant } = this.#slots
    return (relevant && index.codedOf?.({ names: relevant })) ?? index.coded()
  }

  finish(): DiffsResult {
    const counts = { rows: this.rows, lineBytes: 0, metadataBytes: 0, passedRows: this.rows, filteredPages: 0 }
    return { ...this.#diffs.finish(), counts }
  }

  /** Whether all times of a run are in the range, and count at the same steps. */
  #isOnePiece(minTime: number, maxTime: number): boolean {
    if (minTime < this.#scan.from || maxTime >= this.#scan.to) return false
    this.#grid.locate(minTime)
    return maxTime <= this.#grid.validTo
  }

  /** Runs of wanted streams that reach into the range. */
  #eachRun({ source, position }: SourcePage, visit: (run: number) => void): void {
    if (!isBlock(source)) return
    const { from, to, streams } = this.#scan
    const { pageEnds, stream, minTime, maxTime } = source.data.block.runs
    const isWanted = streams.get(source)
    for (let run = position === 0 ? 0 : pageEnds[position - 1]!; run < pageEnds[position]!; run++) {
      if (isWanted !== undefined && isWanted[stream[run]!] === 0) continue
      if (minTime[run]! < to && maxTime[run]! >= from) visit(run)
    }
  }
}
