/**
 * Answers from the index alone: the runs of a block tell how many rows and bytes of lines a stream has between two times. Where
 * these are all that a leaf counts, and all rows of a run count at the same steps, the rows themselves need not be read.
 */
import type { MetricLeaf } from '#/logs/logql/planner/plan.ts'
import type { Pipeline } from '#/logs/logql/pipeline/row.ts'
import { decides } from '#/logs/read/scan/code-columns.ts'
import { DiffTable } from '#/logs/read/scan/diff-table.ts'
import type { DiffsResult } from '#/logs/read/scan/scan-job.ts'
import { SeriesSlots } from '#/logs/read/scan/series-slots.ts'
import { StepGrid, type StepWindow } from '#/logs/read/scan/step-grid.ts'
import type { PageEntry } from '#/logs/store/log-block.ts'
import type { StreamGroups } from '#/storage/index/stream-groups.ts'
import { blockTotals, isBlock, sumGroups, type BlockSource, type TotalsQuestion } from './block-totals.ts'
import type { DayScan } from './day-scan.ts'
import type { QueryRun } from './query-run.ts'
import type { SourcePage } from './source.ts'
import { groupsOf } from './source-groups.ts'

export type IndexedPages = {
  /** What was counted; undefined when there was nothing. */
  readonly result: DiffsResult | undefined
  /** Pages that must be read. */
  readonly left: readonly SourcePage[]
}

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
    const counter = new RunCounter(this.#run, this.#leaf, this.#window, scan)
    const left: SourcePage[] = []
    for (const [source, ofSource] of Map.groupBy(pages, (page) => page.source)) {
      const counted = isBlock(source) ? this.#countSource(counter, source, ofSource, unit) : []
      this.#run.progress.read(counted)
      this.#run.stats.pagesByIndex += counted.length
      if (counted.length === ofSource.length) continue
      const isCounted = new Set(counted)
      left.push(...ofSource.filter((page) => !isCounted.has(page)))
    }
    if (left.length === pages.length) return { result: undefined, left }
    this.#run.stats.blockRows += counter.rows
    this.#run.stats.postFilterRows += counter.rows
    return { result: counter.finish(), left }
  }

  /** The pages that were counted. */
  #countSource(
    counter: RunCounter,
    source: BlockSource,
    pages: readonly SourcePage[],
    unit: 'block' | 'page',
  ): readonly SourcePage[] {
    if (counter.addBlock(source, pages)) return pages
    const known = pages.filter((page) => counter.knows(source, page))
    if (unit === 'block' && known.length < pages.length) return []
    for (const page of known) counter.add(source, page)
    return known
  }
}

/** Adds up runs. */
class RunCounter {
  readonly #run: QueryRun
  readonly #leaf: MetricLeaf
  readonly #question: TotalsQuestion
  readonly #scan: DayScan
  readonly #grid: StepGrid
  readonly #series = new SeriesSlots()
  readonly #diffs: DiffTable
  /** Whose groups these are, and by group 1 + its series, 0 where that is not known yet. */
  #source: BlockSource | undefined
  #groups: StreamGroups | undefined
  #slots = new Uint32Array(0)
  rows = 0

  constructor(run: QueryRun, leaf: MetricLeaf, window: StepWindow, scan: DayScan) {
    this.#run = run
    this.#leaf = leaf
    this.#question = { grouping: leaf.grouping, measure: leaf.measure === 'bytes' ? 'line bytes' : 'rows' }
    this.#scan = scan
    this.#grid = new StepGrid(window, scan.day)
    const { first, last } = this.#grid.stepsOf(scan.from, scan.to)
    const width = Math.max(last - first, 0) + 1
    this.#diffs = new DiffTable(this.#series, {
      firstStep: first,
      width,
      hasValues: leaf.measure === 'bytes',
      maxBytes: run.shareBytes,
    })
  }

  /** Adds a block whose rows all count at the same steps; whether it is one, of which the index tells all. */
  addBlock(source: BlockSource, pages: readonly SourcePage[]): boolean {
    const { minTime, maxTime, hidden } = source
    if (hidden !== undefined || !this.#isOnePiece(minTime, maxTime)) return false
    if (!pages.every((page) => this.#isPlain(source, page))) return false
    const isWanted = this.#scan.streams.get(source)
    // without a selection of streams and times, all pages are asked for
    const isWhole = isWanted === undefined && pages.length === source.pages.length
    if (isWanted === undefined && !isWhole) return false
    const totals = isWhole
      ? blockTotals(this.#run, source, this.#question)
      : sumGroups(source, this.#question, isWanted)
    if (totals === undefined) return false
    const { labels, rows, bytes } = totals
    this.#grid.locate(minTime)
    const { enterStep, leaveStep } = this.#grid
    for (let group = 0; group < labels.length; group++) {
      this.rows += rows[group]!
      if (enterStep >= leaveStep) continue
      this.#diffs.add(this.#series.of(labels[group]!), enterStep, leaveStep, rows[group]!, bytes?.[group] ?? 0)
    }
    return true
  }

  /** Whether the index tells all that there is to know of a page. */
  knows(source: BlockSource, page: SourcePage): boolean {
    const { runs } = source.data.block
    if (!this.#isPlain(source, page)) return false
    if (this.#leaf.measure === 'bytes' && runs.lineBytes === undefined) return false
    if (this.#isWhole(page)) return true
    const { minTime, maxTime } = runs
    let isKnown = true
    this.#eachRun(page, (run) => (isKnown &&= this.#isOnePiece(minTime[run]!, maxTime[run]!)))
    return isKnown
  }

  /** Whether no row of a page counts other than its stream does, or not at all. */
  #isPlain({ data: { block } }: BlockSource, page: SourcePage): boolean {
    return !this.#scan.dropped.has(page.order) && !this.#looksInto(block.pages[page.position]!)
  }

  /** Whether metadata of a page decide: errors that came with entries fail the query, unless it looks at them. */
  #looksInto({ metaNames }: PageEntry): boolean {
    for (const name of metaNames) if (name.startsWith('__error') || decides(name, this.#leaf.grouping)) return true
    return false
  }

  add(source: BlockSource, page: SourcePage): void {
    if (this.#isWhole(page)) return this.#addWhole(source, page)
    const { stream, rowCount, minTime } = source.data.block.runs
    const lineBytes = this.#bytesOf(source)
    this.#eachRun(page, (run) => {
      const rows = rowCount[run]!
      this.rows += rows
      this.#grid.locate(minTime[run]!)
      const { enterStep, leaveStep } = this.#grid
      if (enterStep >= leaveStep) return
      this.#diffs.add(this.#slotOf(source, stream[run]!), enterStep, leaveStep, rows, lineBytes?.[run] ?? 0)
    })
  }

  /** A page whose rows all count at the same steps: nothing of it is looked at but streams and counts. */
  #addWhole(source: BlockSource, { position, minTime }: SourcePage): void {
    const { pageEnds, stream, rowCount } = source.data.block.runs
    const lineBytes = this.#bytesOf(source)
    const isWanted = this.#scan.streams.get(source)
    this.#grid.locate(minTime)
    const { enterStep, leaveStep } = this.#grid
    for (let run = position === 0 ? 0 : pageEnds[position - 1]!; run < pageEnds[position]!; run++) {
      const ordinal = stream[run]!
      if (isWanted !== undefined && isWanted[ordinal] === 0) continue
      this.rows += rowCount[run]!
      if (enterStep >= leaveStep) continue
      this.#diffs.add(this.#slotOf(source, ordinal), enterStep, leaveStep, rowCount[run]!, lineBytes?.[run] ?? 0)
    }
  }

  /** Bytes of runs, where they are counted. */
  #bytesOf({ data: { block } }: BlockSource): Uint32Array | undefined {
    return this.#leaf.measure === 'bytes' ? block.runs.lineBytes : undefined
  }

  #slotOf(source: BlockSource, ordinal: number): number {
    if (this.#source !== source || this.#groups === undefined) {
      this.#source = source
      this.#groups = groupsOf(source.index, this.#leaf.grouping)
      this.#slots = new Uint32Array(this.#groups.count)
    }
    const group = this.#groups.of[ordinal]!
    return (this.#slots[group] ||= this.#series.of(this.#groups.labelsOf(group)) + 1) - 1
  }

  /** Whether all rows of a page, of which none is hidden, are one piece. */
  #isWhole({ source, minTime, maxTime }: SourcePage): boolean {
    return source.hidden === undefined && this.#isOnePiece(minTime, maxTime)
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
