/**
 * What a leaf of a metric query needs of whole blocks: known already, or found once and kept. Blocks that it may ask this way are
 * those that show all their rows, as no other source has one of them too, and lie wholly in the range of the leaf; what is known
 * of a block serves any range.
 */
import { BadRequest, throwIfAborted } from '#/kernel/errors.ts'
import type { MetricLeaf } from '#/logs/logql/planner/plan.ts'
import { blockGrid, segmentsInQuery, shiftDiffs, type BlockGrid } from '#/logs/read/cache/block-grid.ts'
import type { BlockKey } from '#/logs/read/cache/block-results.ts'
import { leafKey } from '#/logs/read/cache/fragment-key.ts'
import type { DiffsResult, SamplesResult } from '#/logs/read/scan/scan-job.ts'
import type { StepWindow } from '#/logs/read/scan/step-grid.ts'
import type { DayScan } from './day-scan.ts'
import type { QueryRun } from './query-run.ts'
import type { Source, SourcePage } from './source.ts'

/** Functions that keep neither times nor positions of samples: these are those of one query. */
const timeless = new Set([
  'rate',
  'sum_over_time',
  'avg_over_time',
  'min_over_time',
  'max_over_time',
  'stdvar_over_time',
  'stddev_over_time',
  'quantile_over_time',
  'count_distinct_over_time',
])

/** Results with more bytes of keys of series would drive those of many other queries out of the cache. */
const MAX_KEPT_KEY_BYTES = 64 * 1024

/** The pages of a scan: those of blocks that are asked as a whole, and the others. */
export type DividedPages = { readonly blocks: readonly WholeBlock[]; readonly others: readonly SourcePage[] }

export class LeafBlocks {
  readonly #run: QueryRun
  readonly #window: StepWindow
  readonly #fragment: string | undefined
  readonly #isCounted: boolean

  constructor(run: QueryRun, leaf: MetricLeaf, window: StepWindow) {
    this.#run = run
    this.#window = window
    this.#isCounted = leaf.measure === 'rows' || leaf.measure === 'bytes'
    const isKept = run.results !== undefined && (this.#isCounted || timeless.has(leaf.op))
    this.#fragment = isKept ? leafKey(leaf) : undefined
  }

  /** `pages` are those of the scan that any step may see. */
  divide(scan: DayScan, pages: readonly SourcePage[]): DividedPages {
    if (this.#fragment === undefined) return { blocks: [], others: pages }
    const blocks: WholeBlock[] = []
    const others: SourcePage[] = []
    for (const [source, ofSource] of Map.groupBy(pages, ({ source }) => source)) {
      const block = this.#block(scan, source, ofSource)
      if (block === undefined) others.push(...ofSource)
      else blocks.push(block)
    }
    return { blocks, others }
  }

  #block(scan: DayScan, source: Source, pages: readonly SourcePage[]): WholeBlock | undefined {
    const { results, stats } = this.#run
    if (results === undefined || source.data.kind !== 'block' || source.hidden !== undefined) return undefined
    if (pages.some(({ order }) => scan.dropped.has(order))) return undefined
    const grid = blockGrid(this.#window, scan.day, source)
    const move = grid && this.#mover(grid)
    if (grid === undefined || move === undefined) return undefined
    const { showsTenant } = source
    const key = { block: source.id, showsTenant, fragment: this.#fragment!, grid: grid.key }
    const known = results.samples(key)
    const isInside = source.minTime >= scan.from && source.maxTime < scan.to
    if (known === undefined && !isInside) return undefined
    stats.knownSamples.requests++
    if (known !== undefined) {
      stats.knownSamples.found++
      stats.knownSamples.bytesFound += known.bytes
    }
    return new WholeBlock(this.#run, { key, grid, pages, source, scan, move, known: known?.results })
  }

  /** Undefined when results of the block cannot be moved into the steps of the query. */
  #mover(grid: BlockGrid): MoveSamples | undefined {
    const { stepCount } = this.#window
    if (this.#isCounted) {
      return (result) => (result.kind === 'samples' ? shiftDiffs(result, grid.shift, stepCount) : result)
    }
    const moved = segmentsInQuery(grid, this.#window)
    if (moved === undefined) return undefined
    return (result) =>
      result.kind === 'cells' ? { ...result, segments: result.segments.map((segment) => moved[segment]!) } : result
  }
}

/** From the steps of a block into those of the query. */
type MoveSamples = (result: SamplesResult) => SamplesResult

type WholeBlockOptions = {
  readonly key: BlockKey
  readonly grid: BlockGrid
  readonly source: Source
  /** Those that have the streams. */
  readonly pages: readonly SourcePage[]
  readonly scan: DayScan
  readonly move: MoveSamples
  readonly known: readonly SamplesResult[] | undefined
}

/** A block whose result is known, or is kept once all jobs for its pages are done. */
export class WholeBlock {
  readonly #run: QueryRun
  readonly #options: WholeBlockOptions
  readonly #found: SamplesResult[] = []
  #jobsLeft = 0
  #isKept = true

  constructor(run: QueryRun, options: WholeBlockOptions) {
    this.#run = run
    this.#options = options
  }

  get pages(): readonly SourcePage[] {
    return this.#options.pages
  }

  get isKnown(): boolean {
    return this.#options.known !== undefined
  }

  /** What is known, in the steps of the query. */
  known(): readonly SamplesResult[] {
    return (this.#options.known ?? []).map(this.#options.move)
  }

  /** To be called before the first of so many jobs. */
  begin(jobs: number): void {
    this.#jobsLeft = jobs
  }

  /**
   * Runs one of the jobs. `scan` does what it says for a range and a window, that of the query when none is given. What fails in the window of the block is tried again
   * in that of the query, so that nothing fails that would not have failed without all this.
   */
  async find(scan: (range: DayScan, window: StepWindow | undefined) => Promise<SamplesResult>): Promise<SamplesResult> {
    const { range, window } = this.asked()
    try {
      return this.accept(await scan(range, window))
    } catch (error) {
      this.#isKept = false
      if (!(error instanceof BadRequest)) throw error
      throwIfAborted(this.#run.signal)
      return scan(this.#options.scan, undefined)
    }
  }

  /** What a job must ask: for which times, and in which window, that of the query when none is given. */
  asked(): { readonly range: DayScan; readonly window: StepWindow | undefined } {
    const { grid, source, scan } = this.#options
    const range = { ...scan, from: source.minTime, to: source.maxTime + 1 }
    return { range, window: grid.isQuery ? undefined : grid.window }
  }

  /** Takes the answer of a job; returns it in the steps of the query. */
  accept(result: SamplesResult): SamplesResult {
    this.#add(result)
    return this.#options.move(result)
  }

  #add(result: SamplesResult): void {
    if (result.kind === 'samples' && !isWorthKeeping(result)) this.#isKept = false
    if (this.#isKept) this.#found.push(result)
    if (--this.#jobsLeft > 0 || !this.#isKept) return
    const { results, stats } = this.#run
    const bytes = results?.keepSamples(this.#options.key, this.#found) ?? 0
    if (bytes === 0) return
    stats.knownSamples.stored++
    stats.knownSamples.bytesStored += bytes
  }
}

function isWorthKeeping({ keyed, isPartial = false }: DiffsResult): boolean {
  return !isPartial && (keyed?.bytes.length ?? 0) <= MAX_KEPT_KEY_BYTES
}
