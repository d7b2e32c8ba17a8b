/**
 * Finds out which blocks of a tenant's day count: the listing says which objects there are, the day file what is in them, and
 * footers what the day file does not know.
 *
 * A block that a merge made (`replaces` is set) counts only when the merge was completed: the day file names it, or one of the
 * blocks that it replaces is gone or buried. Otherwise its inputs count, and it is buried itself.
 */
import { DAY_FILE_NAME, emptyDay, parseDayFile } from './day-file.ts'
import type { DayState } from './day-file.ts'
import { eachConcurrently } from '#/kernel/each-concurrently.ts'
import { Corruption, NotFound } from '#/kernel/errors.ts'
import type { ObjectHead, ObjectStore } from '#/platform/objstore/objstore.ts'
import type { Logger } from '#/platform/telemetry/logger.ts'
import type { BlockMeta } from '#/storage/block/meta.ts'
import { parseBlockKey } from '#/storage/block/block-key.ts'
import { readBlockMeta } from '#/storage/block/versions.ts'

const FOOTERS_AT_ONCE = 10

export type DayObjects = {
  readonly tenant: string
  readonly day: number
  /** `<tenant>/logs/<yyyy-mm-dd>/`. */
  readonly prefix: string
  readonly objects: readonly ObjectHead[]
}

export type DamagedBlock = { readonly key: string; readonly error: Corruption }

export type LoadedDay = {
  readonly state: DayState
  /** Blocks that cannot be opened. They are reported, do not count, and are never deleted. */
  readonly damaged: readonly DamagedBlock[]
  /** Whether the day file does not say what `state` does. */
  readonly isStale: boolean
}

export async function loadDay(found: DayObjects, store: ObjectStore, logger: Logger): Promise<LoadedDay> {
  const stored = await readDayFile(found, store, logger)
  const known = stored ?? emptyDay
  const sizeOf = new Map(found.objects.map((head) => [head.key, head.sizeBytes]))
  const blocks = new Map<string, BlockMeta>()
  let isStale = stored === undefined
  for (const [key, meta] of known.blocks) {
    if (sizeOf.get(key) === meta.sizeBytes) {
      blocks.set(key, meta)
      continue
    }
    isStale = true
    if (!sizeOf.has(key)) logger.error('a block is gone from the object store', { block: key, rows: meta.rowCount })
  }
  const unknown = found.objects.filter(
    ({ key }) => parseBlockKey(key) !== undefined && !blocks.has(key) && !known.tombstones.has(key),
  )
  const { metas, damaged } = await readFooters(unknown, { found, store, logger })
  const tombstones = new Set([...known.tombstones].filter((key) => sizeOf.has(key)))
  adopt(metas, { blocks, tombstones, logger })
  isStale ||= metas.length > 0 || tombstones.size !== known.tombstones.size
  return { state: { blocks, tombstones, flushed: flushedBy(known.flushed, blocks.values()) }, damaged, isStale }
}

/** Greatest sequence numbers: those known, raised by what `blocks` were made of. */
export function flushedBy(known: ReadonlyMap<string, number>, blocks: Iterable<BlockMeta>): Map<string, number> {
  const flushed = new Map(known)
  const raise = (ingester: string, sequence: number): void =>
    void flushed.set(ingester, Math.max(flushed.get(ingester) ?? 0, sequence))
  for (const { source, covers = {} } of blocks) {
    if (source !== undefined) raise(source.ingester, source.toSequence)
    for (const [ingester, sequence] of Object.entries(covers)) raise(ingester, sequence)
  }
  return flushed
}

async function readDayFile(found: DayObjects, store: ObjectStore, logger: Logger): Promise<DayState | undefined> {
  const key = found.prefix + DAY_FILE_NAME
  if (!found.objects.some((head) => head.key === key)) return undefined
  const parsed = parseDayFile(await store.get(key))
  if (typeof parsed !== 'string') return parsed
  logger.warn('a catalog file cannot be used and is made anew from the blocks', { file: key, reason: parsed })
  return undefined
}

type Surroundings = { readonly found: DayObjects; readonly store: ObjectStore; readonly logger: Logger }

async function readFooters(
  heads: readonly ObjectHead[],
  { found, store, logger }: Surroundings,
): Promise<{ readonly metas: readonly BlockMeta[]; readonly damaged: readonly DamagedBlock[] }> {
  const metas: BlockMeta[] = []
  const damaged: DamagedBlock[] = []
  await eachConcurrently(heads, FOOTERS_AT_ONCE, async (head) => {
    try {
      const meta = await readBlockMeta(store, head)
      if (meta.tenant !== found.tenant || meta.day !== found.day) {
        throw new Corruption({ file: head.key, offset: 0 }, `it belongs to tenant ${meta.tenant} and day ${meta.day}`)
      }
      metas.push(meta)
    } catch (error) {
      if (error instanceof NotFound) return
      if (!(error instanceof Corruption)) throw error
      damaged.push({ key: head.key, error })
      logger.error('a block is damaged and left out', { block: head.key, error: error.message })
    }
  })
  metas.sort((a, b) => (a.key < b.key ? -1 : 1))
  return { metas, damaged }
}

/** Adds blocks that no day file names; changes `blocks` and `tombstones`. */
function adopt(
  metas: readonly BlockMeta[],
  day: { readonly blocks: Map<string, BlockMeta>; readonly tombstones: Set<string>; readonly logger: Logger },
): void {
  const { blocks, tombstones, logger } = day
  for (const meta of metas) {
    if (meta.replaces === undefined) blocks.set(meta.key, meta)
  }
  // inputs are older than outputs, so that all outputs of a merge see the same inputs
  const merged = metas.filter(({ replaces }) => replaces !== undefined).sort((a, b) => (idOf(a) < idOf(b) ? -1 : 1))
  for (const meta of merged) {
    if (meta.replaces === undefined) continue
    if (meta.replaces.length > 0 && meta.replaces.every((key) => blocks.has(key))) {
      tombstones.add(meta.key)
      logger.warn('a merge was not completed, its output is left out', { block: meta.key })
      continue
    }
    blocks.set(meta.key, meta)
  }
  for (const { replaces = [] } of blocks.values()) {
    for (const key of replaces) if (blocks.delete(key)) tombstones.add(key)
  }
}

/** The end of a key, which grows with time. */
function idOf({ key }: BlockMeta): string {
  return key.slice(key.lastIndexOf('-'))
}
