/**
 * Makes a snapshot while everything goes on.
 *
 *     1. flush      what is in memory becomes blocks
 *     2. state      rules, requests to delete and whatever else is not of a day
 *     3. catalog    all days as they are at one moment
 *     4. blocks     linked, copied, or there already from an earlier snapshot
 *     5. day files  as of the blocks that were taken
 *     6. manifest   with it the snapshot is there
 *
 * State comes before the catalog: a request to delete that is copied still masks its rows, whether they are erased by then or not.
 * A block that a merge removes under the copy makes its day be taken anew from the catalog, which then has the merge's output.
 */
import { type ByteSource, hashFile, parentOf, SnapshotFolder } from './snapshot-folder.ts'
import {
  ManifestWriter,
  readManifest,
  readManifestHead,
  type ManifestEntry,
  type ManifestHead,
  type ManifestTotals,
} from './manifest.ts'
import { BadRequest, Corruption, NotFound, throwIfAborted, Unavailable } from '#/kernel/errors.ts'
import type { World } from '#/kernel/world.ts'
import type { SendSnapshotEvent, SnapshotInfo, SnapshotProgress } from '#/logs/wire/snapshot.ts'
import { checkKey } from '#/platform/objstore/key.ts'
import type { ObjectStore } from '#/platform/objstore/objstore.ts'
import { dayPrefix, parseBlockKey, parseKeyDay } from '#/storage/block/block-key.ts'
import type { BlockMeta } from '#/storage/block/meta.ts'
import type { Catalog } from '#/storage/catalog/catalog.ts'
import { DAY_FILE_NAME, type DayState, encodeDayFile } from '#/storage/catalog/day-file.ts'

const SIGNAL = 'logs'
const progressEveryMs = 500
/** How often a day is taken anew because a merge removed a block of it. */
const attemptsPerDay = 10
/** State is replaced as a whole and so read as a whole; nothing of ours is larger. */
const wholeBytes = 64 * 1024 * 1024

export type SnapshotSource = {
  readonly store: ObjectStore
  readonly catalog: Pick<Catalog, 'days' | 'dayState'>
  readonly flush: () => Promise<void>
  /** The file of an object, where there is one that may be linked. */
  readonly pathOf?: (key: string) => string
}

export type CreateOptions = SnapshotSource & {
  readonly world: World
  readonly folder: SnapshotFolder
  /** Undefined: the time. */
  readonly name: string | undefined
  readonly send: SendSnapshotEvent
  readonly signal: AbortSignal
}

export async function createSnapshot(options: CreateOptions): Promise<SnapshotInfo> {
  const { world, folder } = options
  const created = new Date(world.clock.nowMs()).toISOString()
  const name = options.name ?? created.slice(0, 19).replaceAll(':', '-') + 'Z'
  SnapshotFolder.checkName(name)
  const names = await folder.names()
  if (names.includes(name)) throw new BadRequest(`there is a snapshot '${name}' already`)
  return new Creation(options, { name, created }, await knownSums(world, folder, names)).run()
}

/** Checksums of the blocks of the newest snapshot: what is in it need not be read again. None when it is damaged. */
async function knownSums(
  { disk }: World,
  folder: SnapshotFolder,
  names: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const sums = new Map<string, string>()
  try {
    let newest: ManifestHead | undefined
    for (const name of names) {
      const head = await readManifestHead(disk, folder.manifestPath(name))
      if (newest === undefined || head.created > newest.created) newest = { ...head, name }
    }
    if (newest === undefined) return sums
    await readManifest(disk, folder.manifestPath(newest.name), ({ key, kind, sha256 }) => {
      if (kind === 'block') sums.set(key, sha256)
    })
    return sums
  } catch (error) {
    if (!(error instanceof Corruption)) throw error
    return new Map()
  }
}

type Day = ReturnType<Catalog['days']>[number]

class Creation {
  readonly #options: CreateOptions
  readonly #head: ManifestHead
  readonly #known: ReadonlyMap<string, string>
  readonly #progress: { -readonly [K in keyof SnapshotProgress]: number } = {
    objects: 0,
    totalObjects: 0,
    bytes: 0,
    totalBytes: 0,
  }
  #toldMs = -Infinity
  #newBytes = 0

  constructor(options: CreateOptions, head: ManifestHead, known: ReadonlyMap<string, string>) {
    this.#options = options
    this.#head = head
    this.#known = known
  }

  async run(): Promise<SnapshotInfo> {
    const { folder, flush, world } = this.#options
    await this.#tell('flush')
    await flush()
    await folder.clean()
    const path = folder.manifestPath(this.#head.name)
    try {
      return { ...this.#head, ...(await this.#write(path)), newBytes: this.#newBytes }
    } catch (error) {
      // nobody is told of it, so it shall not be there; only the last sync of a name can leave it
      await world.disk.remove(path).catch(() => undefined)
      throw error
    }
  }

  async #write(path: string): Promise<ManifestTotals> {
    const { folder } = this.#options
    let totals = { objects: 0, bytes: 0, rows: 0 }
    await folder.place(path, async (file) => {
      const manifest = new ManifestWriter(file, this.#head)
      for await (const entry of this.#state()) await manifest.add(entry)
      for await (const entry of this.#blocks()) await manifest.add(entry)
      // everything that the manifest names is durable before its own name can be
      await folder.settle()
      totals = await manifest.finish()
    })
    await folder.settle()
    return totals
  }

  async *#state(): AsyncGenerator<ManifestEntry> {
    const { store, signal } = this.#options
    for await (const { key, sizeBytes } of store.list({ prefix: '' }, signal)) {
      if (isOfDay(key) || isPassing(key) || !isKey(key)) continue
      try {
        if (sizeBytes > wholeBytes) {
          yield await this.#putState(key, sizeBytes, (offset, target) => store.readInto(key, offset, target, signal))
        } else yield await this.#putBytes(key, await store.get(key, signal))
      } catch (error) {
        // it was removed since it was listed
        if (!(error instanceof NotFound)) throw error
      }
    }
  }

  #putBytes(key: string, bytes: Buffer): Promise<ManifestEntry> {
    return this.#putState(key, bytes.length, async (offset, target) => void bytes.copy(target, 0, offset))
  }

  async #putState(key: string, sizeBytes: number, read: ByteSource['read']): Promise<ManifestEntry> {
    const { folder, signal } = this.#options
    const sha256 = await folder.write(folder.statePath(this.#head.name, key), { sizeBytes, read }, signal)
    this.#newBytes += sizeBytes
    return { key, kind: 'state', sizeBytes, sha256 }
  }

  async *#blocks(): AsyncGenerator<ManifestEntry> {
    const days = this.#options.catalog.days().filter(({ state }) => state.blocks.size > 0)
    for (const { state } of days) {
      this.#progress.totalObjects += state.blocks.size
      for (const { sizeBytes } of state.blocks.values()) this.#progress.totalBytes += sizeBytes
    }
    for (const day of days) yield* await this.#day(day)
    await this.#tell('copy')
  }

  /** The blocks of a day that belong together, and their day file. */
  async #day(day: Day): Promise<ManifestEntry[]> {
    const { catalog } = this.#options
    let state: DayState | undefined = day.state
    for (let attempt = 1; state !== undefined && state.blocks.size > 0; attempt++) {
      const entries = await this.#takeBlocks(state)
      if (Array.isArray(entries)) {
        const key = dayPrefix(day.tenant, SIGNAL, day.day) + DAY_FILE_NAME
        const bytes = encodeDayFile({ ...state, tombstones: new Set() })
        return [...entries, await this.#putBytes(key, bytes)]
      }
      const next = catalog.dayState(day.tenant, day.day)
      if (next === state) {
        throw new Corruption(
          { file: entries.gone, offset: 0 },
          'the catalog names a block that is not there; run edda doctor',
        )
      }
      if (attempt === attemptsPerDay) {
        throw new Unavailable(
          `blocks of tenant ${day.tenant} and one day were replaced ${attempt} times under the copy`,
        )
      }
      state = next
    }
    return []
  }

  async #takeBlocks(state: DayState): Promise<ManifestEntry[] | { readonly gone: string }> {
    const entries: ManifestEntry[] = []
    const before = { ...this.#progress }
    for (const meta of state.blocks.values()) {
      throwIfAborted(this.#options.signal)
      try {
        const sha256 = await this.#takeBlock(meta)
        entries.push({ key: meta.key, kind: 'block', sizeBytes: meta.sizeBytes, sha256, rows: meta.rowCount })
      } catch (error) {
        if (!isGone(error)) throw error
        Object.assign(this.#progress, before)
        return { gone: meta.key }
      }
      this.#progress.objects++
      this.#progress.bytes += meta.sizeBytes
      await this.#tellSometimes()
    }
    return entries
  }

  async #takeBlock({ key, sizeBytes }: BlockMeta): Promise<string> {
    const { world, folder, store, pathOf, signal } = this.#options
    const path = folder.blockPath(key)
    if ((await world.disk.stat(path))?.sizeBytes === sizeBytes) {
      return this.#known.get(key) ?? (await hashFile(world.disk, path, signal))
    }
    // one of another size is not what a snapshot wrote
    await world.disk.remove(path)
    this.#newBytes += sizeBytes
    if (pathOf !== undefined && (await folder.link(pathOf(key), path))) return hashFile(world.disk, path, signal)
    return folder.write(
      path,
      { sizeBytes, read: (offset, target) => store.readInto(key, offset, target, signal) },
      signal,
    )
  }

  async #tellSometimes(): Promise<void> {
    if (this.#options.world.clock.monotonicMs() - this.#toldMs >= progressEveryMs) await this.#tell('copy')
  }

  async #tell(phase: 'flush' | 'copy'): Promise<void> {
    this.#toldMs = this.#options.world.clock.monotonicMs()
    await this.#options.send({ type: 'progress', phase, ...this.#progress })
  }
}

/** Blocks and day files: those come from the catalog. */
function isOfDay(key: string): boolean {
  if (parseBlockKey(key) !== undefined) return true
  const day = parentOf(key).split('/')
  return (
    key.endsWith(`/${DAY_FILE_NAME}`) && day.length === 3 && day[1] === SIGNAL && parseKeyDay(day[2]!) !== undefined
  )
}

/** Who works on what at this moment is nothing to restore. */
function isPassing(key: string): boolean {
  return key.endsWith('/compactor/lease.json')
}

/** A file that somebody put there may have a name that no object has. */
function isKey(key: string): boolean {
  try {
    checkKey(key)
    return true
  } catch {
    return false
  }
}

function isGone(error: unknown): boolean {
  return error instanceof NotFound || (error as NodeJS.ErrnoException).code === 'ENOENT'
}
