/**
 * Merges blocks of one tenant and day. Runs on the main thread; CPU work goes to worker threads.
 *
 *     1. open      the indexes of the inputs are read
 *     2. plan      outputs are cut, so that one fits in memory                 ./plan-merge.ts
 *     3. for each output:
 *        build     its pages are read, and a worker makes the block            ./build-output.ts
 *        announce  the catalog buries its key: should we crash now, the block does not count
 *        put       the object is written
 *     4. replace   in one step the outputs count and the inputs are buried
 *
 * A crash or failure before 4 leaves the inputs as they are, and buried objects that a sweep deletes (./sweep.ts).
 */
import type { OutputInput, OutputJob } from './build-output.ts'
import type { EraseOrder, ErasedRows } from './erase.ts'
import { indexOf, positionsIn, type OpenInput } from './open-input.ts'
import type { MergeThreads } from './merge-threads.ts'
import type { RankedInput } from './merge-input.ts'
import { type MergeLimits, outputMemory, takeMemory } from './merge-memory.ts'
import type { MergePlan } from './plan-merge.ts'
import type { PlannedOutput } from './plan-outputs.ts'
import { assert } from '#/kernel/assert.ts'
import { throwIfAborted } from '#/kernel/errors.ts'
import { makeUlid } from '#/kernel/ulid.ts'
import type { World } from '#/kernel/world.ts'
import { openLogBlock } from '#/logs/store/open-log-block.ts'
import type { MemoryBudget } from '#/platform/memory/memory-budget.ts'
import type { SharedBuffers } from '#/platform/memory/shared-buffers.ts'
import type { ObjectStore } from '#/platform/objstore/objstore.ts'
import type { BlockMeta } from '#/storage/block/meta.ts'

/** What a merge asks of the catalog. */
export interface MergeCatalog {
  /** The key does not count, whether there is such an object or not, until `replace` names it as an output. */
  bury(tenant: string, day: number, keys: readonly string[]): Promise<void>
  /** @throws Unavailable when an input is not there any more. */
  replace(ins: readonly BlockMeta[], outs: readonly BlockMeta[], onVisible?: () => void): Promise<void>
}

export type MergeNeeds = {
  readonly store: ObjectStore
  readonly catalog: MergeCatalog
  readonly threads: MergeThreads
  readonly world: Pick<World, 'clock' | 'random'>
  readonly budget: MemoryBudget
  /** For the pages that are read. */
  readonly buffers: SharedBuffers
  readonly limits: MergeLimits
}

export type MergeRequest = {
  /** Of one tenant and day, at least one. */
  readonly inputs: readonly BlockMeta[]
  /** Of the outputs. */
  readonly level: number
  /** Rows to be left out. */
  readonly orders: readonly EraseOrder[]
  readonly minesPatterns: boolean
  /** Most rows of a page, instead of the default, for tests. */
  readonly pageRows?: number
  /** Called in the step in which queries begin to see the outputs. */
  readonly onVisible?: (result: MergeResult) => void
  /** Told of each output that has been written. */
  readonly onProgress?: (progress: { readonly outputs: number; readonly planned: number }) => void
}

export type MergeResult = {
  readonly inputs: readonly BlockMeta[]
  /** None when nothing was left. */
  readonly outputs: readonly BlockMeta[]
  readonly duplicates: number
  readonly erased: readonly ErasedRows[]
}

/** @throws LimitExceeded when the budget will never have room for it: a merge of fewer blocks may succeed. */
export async function mergeBlocks(
  needs: MergeNeeds,
  request: MergeRequest,
  signal?: AbortSignal,
): Promise<MergeResult> {
  const inputs = request.inputs.toSorted(byInsertion)
  const [first] = inputs
  assert(first !== undefined, 'a merge has inputs')
  const opened: OpenInput[] = []
  for (const meta of inputs) opened.push(await openLogBlock(needs.store, meta, signal === undefined ? {} : { signal }))
  const indexes = opened.map(indexOf)
  const { outputBytes, outputStoredBytes, sliceBytes, sliceRows } = needs.limits
  const limits = { outputBytes, outputStoredBytes, sliceBytes, sliceRows }
  const plan = await needs.threads.plan({ inputs: indexes, limits }, signal)
  const ranked = indexes.map((index, i) => ({ ...index, rankOf: plan.rankOf[i]! }))
  const merge: Merge = { needs, request, inputs, opened, ranked, plan }
  const outputs: BlockMeta[] = []
  const erased = new Map(request.orders.map(({ id }) => [id, { id, rows: 0, bytes: 0 }]))
  let duplicates = 0
  for (const [position, planned] of plan.outputs.entries()) {
    const built = await writeOutput(merge, planned, signal)
    if (built.meta !== undefined) outputs.push(built.meta)
    duplicates += built.duplicates
    for (const { id, rows, bytes } of built.erased) {
      const sum = erased.get(id)!
      sum.rows += rows
      sum.bytes += bytes
    }
    request.onProgress?.({ outputs: position + 1, planned: plan.outputs.length })
  }
  throwIfAborted(signal)
  const result: MergeResult = { inputs, outputs, duplicates, erased: [...erased.values()] }
  await needs.catalog.replace(inputs, outputs, () => request.onVisible?.(result))
  return result
}

type Merge = {
  readonly needs: MergeNeeds
  readonly request: MergeRequest
  /** In the order in which their rows came. */
  readonly inputs: readonly BlockMeta[]
  readonly opened: readonly OpenInput[]
  readonly ranked: readonly RankedInput[]
  readonly plan: MergePlan
}

type WrittenOutput = {
  readonly meta: BlockMeta | undefined
  readonly duplicates: number
  readonly erased: readonly ErasedRows[]
}

async function writeOutput(
  merge: Merge,
  planned: PlannedOutput,
  signal: AbortSignal | undefined,
): Promise<WrittenOutput> {
  const { needs, opened, ranked } = merge
  const end = planned.sliceEnds.at(-1)!
  const positions = ranked.map((index) => positionsIn(index, planned.start, end))
  using memory = needs.budget.reserve('compaction')
  await takeMemory(memory, outputMemory(opened, positions, planned), { needs, signal })
  const lease = needs.buffers.lease()
  try {
    const inputs: OutputInput[] = []
    for (const [i, block] of opened.entries()) {
      const pages = await block.readPages(positions[i]!, { lengths: true, lines: true, meta: 'all' }, signal, lease)
      inputs.push({ ...ranked[i]!, pages })
    }
    const { block, duplicates, erased } = await needs.threads.build(jobOf(merge, planned, inputs), signal)
    if (block === undefined) return { meta: undefined, duplicates, erased }
    const { tenant, day, key } = block.meta
    await needs.catalog.bury(tenant, day, [key])
    await needs.store.put(key, block.parts, signal)
    return { meta: block.meta, duplicates, erased }
  } finally {
    lease.release()
  }
}

function jobOf(
  { needs, request, inputs: metas, plan }: Merge,
  { start, sliceEnds, lineBytes, rows }: PlannedOutput,
  inputs: readonly OutputInput[],
): OutputJob {
  const { clock, random } = needs.world
  const { tenant, day } = metas[0]!
  const { level, orders, minesPatterns, pageRows } = request
  return {
    tenant,
    day,
    level,
    ulid: makeUlid(clock.nowMs(), random.bytes(10)),
    replaces: metas.map(({ key }) => key),
    covers: coveredBy(metas),
    minesPatterns,
    inputs,
    streamCount: plan.streamCount,
    start,
    sliceEnds,
    lineBytes,
    rows,
    orders,
    pageRows,
  }
}

/** By ingester, the last WAL record whose rows are in these blocks, or were. */
function coveredBy(metas: readonly BlockMeta[]): Record<string, number> {
  const covered: Record<string, number> = {}
  for (const { source, covers = {} } of metas) {
    const all = source === undefined ? covers : { ...covers, [source.ingester]: source.toSequence }
    for (const [ingester, last] of Object.entries(all)) covered[ingester] = Math.max(covered[ingester] ?? 0, last)
  }
  return covered
}

/** As queries order blocks: merged ones first, as they are older, then by the WAL records that they hold. */
function byInsertion(a: BlockMeta, b: BlockMeta): number {
  const sequence = (meta: BlockMeta): number => meta.source?.fromSequence ?? -1
  const [idA, idB] = [a.key.slice(a.key.lastIndexOf('-')), b.key.slice(b.key.lastIndexOf('-'))]
  return sequence(a) - sequence(b) || (idA < idB ? -1 : idA > idB ? 1 : 0)
}
