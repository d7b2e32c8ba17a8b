/** The entries of a script in heads, in blocks, and in a mixture of both, each behind a frontend that answers queries. */
import { limits as limitOptions, type Limits } from '#/logs/limits.ts'
import { formatLabels } from '#/logs/model/labels.ts'
import { Frontend } from '#/logs/read/frontend/frontend.ts'
import { Querier } from '#/logs/read/querier/querier.ts'
import { inlineScanPool } from '#/logs/read/scan/inline-scan-pool.ts'
import type { QueryFrontend } from '#/logs/wire/query.ts'
import { defaultsOf } from '#/platform/config/option.ts'
import { MemoryBudget } from '#/platform/memory/memory-budget.ts'
import { MemoryStore } from '#/platform/objstore/memory.ts'
import { FairQueue } from '#/platform/queue/fair-queue.ts'
import { realClock } from '#/platform/world/real-clock.ts'
import type { BlockMeta } from '#/storage/block/meta.ts'
import { blockOpener, FixedIngester, makeHeads, writeBlock, type Entry } from '../reference/sources.ts'
import { ZERO_NS, type ScriptEntry } from './script.ts'

export type ScriptWorld = { readonly name: string; readonly frontend: QueryFrontend }

/** Few rows a page, so that small scripts have several pages in every source. */
const ROWS_OF_PAGE = { heads: 5, blocks: 3 }
const BUDGET_BYTES = 64 * 1024 * 1024

const limits: Limits = { ...(defaultsOf(limitOptions) as Limits), shard_aggregations: ['approx_topk'] }

/** What one replica holds: older entries in blocks, newer ones in heads. */
type Replica = { readonly blocks: readonly ScriptEntry[]; readonly heads: readonly ScriptEntry[] }

export async function makeWorlds(loaded: readonly ScriptEntry[]): Promise<readonly ScriptWorld[]> {
  const entries = withoutRepeats(loaded)
  const repeated = entries.filter(({ isRepeated }) => isRepeated)
  const older = olderHalves(entries)
  const newer = entries.filter((entry) => !older.has(entry))
  const mixed = { blocks: entries.filter((entry) => older.has(entry)), heads: newer }
  return [
    await makeWorld('heads', [
      { blocks: [], heads: entries },
      { blocks: [], heads: repeated },
    ]),
    await makeWorld('blocks', [
      { blocks: entries, heads: [] },
      { blocks: repeated, heads: [] },
    ]),
    await makeWorld('mixed', [mixed, { blocks: repeated, heads: repeated }]),
  ]
}

/** As an ingester does: an entry that equals one before it in everything is not stored again. */
function withoutRepeats(entries: readonly ScriptEntry[]): readonly ScriptEntry[] {
  const keyOf = ({ labels, offsetNs, line, metadata }: ScriptEntry): string =>
    JSON.stringify([labels, String(offsetNs), line, metadata])
  return [...new Map(entries.toReversed().map((entry) => [keyOf(entry), entry])).values()].toReversed()
}

/** The first half of every stream; which of two equal halves it is alternates, so that single entries are spread too. */
function olderHalves(entries: readonly ScriptEntry[]): Set<ScriptEntry> {
  const streams = [...Map.groupBy(entries, ({ labels }) => formatLabels(labels)).values()]
  return new Set(streams.flatMap((own, i) => own.slice(0, Math.floor((own.length + (i % 2)) / 2))))
}

async function makeWorld(name: string, replicas: readonly Replica[]): Promise<ScriptWorld> {
  const store = new MemoryStore(realClock)
  const ingesters: FixedIngester[] = []
  for (const [replica, { heads, blocks }] of replicas.entries()) {
    if (replica > 0 && heads.length + blocks.length === 0) continue
    const metas: BlockMeta[] = []
    for (const head of makeHeads(`${name}-block-${replica}`, blocks.map(toEntry), ROWS_OF_PAGE.blocks))
      metas.push(await writeBlock(store, head, { tenant: 'test', sequence: replica }))
    const snapshots = makeHeads(`${name}-head-${replica}`, heads.map(toEntry), ROWS_OF_PAGE.heads)
    ingesters.push(new FixedIngester(snapshots, metas))
  }
  const querier = new Querier({
    ingesters,
    openBlock: blockOpener(store),
    pool: inlineScanPool(2),
    budget: new MemoryBudget(BUDGET_BYTES),
    clock: realClock,
    // nearly every page is a job of its own
    jobSizes: { firstBytes: 1, maxBytes: 100 },
  })
  const queue = new FairQueue({ maxConcurrent: 4, maxWaitingPerTenant: 100 })
  return { name, frontend: new Frontend({ querier, queue, limitsOf: () => limits, clock: realClock }) }
}

function toEntry({ labels, offsetNs, line, metadata }: ScriptEntry): Entry {
  return { stream: formatLabels(labels), timeNs: ZERO_NS + offsetNs, line, metadata }
}
