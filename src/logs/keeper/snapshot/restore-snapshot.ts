/**
 * Makes a data directory of a snapshot. Every byte is compared with the checksums of the manifest on its way.
 *
 * While it is at work a file says so; a server refuses a directory with that file, and the same restore goes on where it was.
 */
import { readManifest, type ManifestEntry, type ReadManifest } from './manifest.ts'
import { hashFile, SnapshotFolder } from './snapshot-folder.ts'
import { BadRequest, Corruption, EddaError, NotFound, throwIfAborted, Unavailable } from '#/kernel/errors.ts'
import type { Disk, ReadFile, World } from '#/kernel/world.ts'
import type { RestoreReport, SnapshotProgress } from '#/logs/wire/snapshot.ts'
import { checkKey, tempDirName } from '#/platform/objstore/key.ts'

const markerName = '.restore-unfinished'
const progressEveryMs = 500
/** How many damaged objects are named before the rest is only counted. */
const namedDamages = 20

export type RestoreOptions = {
  readonly world: World
  /** The directory of snapshots. */
  readonly from: string
  readonly name: string
  /** The data directory to be made: the blocks go to `blocks` in it. */
  readonly to: string
  readonly onProgress: (progress: SnapshotProgress) => void
  readonly signal: AbortSignal
}

/** @throws BadRequest, NotFound; Corruption when any byte is not what was stored; then no server takes the directory. */
export async function restoreSnapshot(options: RestoreOptions): Promise<RestoreReport> {
  const { world, name, to } = options
  const { disk } = world
  SnapshotFolder.checkName(name)
  const folder = new SnapshotFolder(world, options.from)
  const path = folder.manifestPath(name)
  if ((await disk.stat(path)) === undefined) throw new NotFound(`there is no snapshot '${name}' in ${folder.root}`)
  // the whole manifest is checked before the first byte is written
  const checked = await readManifest(disk, path)
  const root = `${to}/blocks`
  const isResumed = await requireEmpty(disk, to, name)
  const freeBytes = await disk.freeBytes(to)
  if (!isResumed && freeBytes < checked.totals.bytes) {
    throw new Unavailable(`${checked.totals.bytes} bytes do not fit ${to}, which has ${freeBytes} free`)
  }
  const target = new SnapshotFolder(world, root, tempDirName)
  await target.place(`${root}/${markerName}`, (file) => file.append([Buffer.from(`${name}\n`)]))
  await target.settle()
  await target.clean()
  await new Restoring(options, { folder, target, manifest: path }).run(checked)
  await target.settle()
  await disk.remove(`${root}/${markerName}`)
  await disk.syncDir(root)
  return { name, ...checked.totals }
}

/** @throws Unavailable when a restore into the directory of blocks was begun and not finished. */
export async function refuseUnfinishedRestore(disk: Disk, root: string): Promise<void> {
  if ((await disk.stat(`${root}/${markerName}`)) === undefined) return
  throw new Unavailable(
    `${root} holds a restore that was not finished: run 'edda snapshot restore' again, or choose another directory`,
  )
}

/** Whether an unfinished restore of the same snapshot goes on. @throws BadRequest when there is anything else. */
async function requireEmpty(disk: Disk, to: string, name: string): Promise<boolean> {
  const entries = await disk.list(to)
  if (entries.length === 0) return false
  const marker = `${to}/blocks/${markerName}`
  // a server that refused to start with it has made the directory of its log
  const hasLog = (await disk.list(`${to}/wal`)).some((entry) => entry.name !== 'lock')
  if (!hasLog && entries.every((entry) => entry.name === 'blocks' || entry.name === 'wal')) {
    if ((await disk.list(`${to}/blocks`)).every((entry) => entry.name === tempDirName)) return false
    if ((await disk.stat(marker)) !== undefined && (await disk.readFile(marker)).toString() === `${name}\n`) return true
  }
  throw new BadRequest(`${to} is not empty: a snapshot is restored into an empty directory only`)
}

type Places = { readonly folder: SnapshotFolder; readonly target: SnapshotFolder; readonly manifest: string }

class Restoring {
  readonly #options: RestoreOptions
  readonly #places: Places
  readonly #damages: string[] = []
  #damaged = 0
  #toldMs = -Infinity

  constructor(options: RestoreOptions, places: Places) {
    this.#options = options
    this.#places = places
  }

  async run({ totals }: ReadManifest): Promise<void> {
    const { world, signal, onProgress } = this.#options
    const done = { objects: 0, bytes: 0, totalObjects: totals.objects, totalBytes: totals.bytes }
    await readManifest(world.disk, this.#places.manifest, async (entry) => {
      throwIfAborted(signal)
      await this.#restore(entry)
      done.objects++
      done.bytes += entry.sizeBytes
      if (world.clock.monotonicMs() - this.#toldMs < progressEveryMs) return
      this.#toldMs = world.clock.monotonicMs()
      onProgress(done)
    })
    onProgress(done)
    if (this.#damaged === 0) return
    const more = this.#damaged > this.#damages.length ? `, and ${this.#damaged - this.#damages.length} more` : ''
    throw new EddaError(
      'corruption',
      `the snapshot is damaged, nothing was restored: ${this.#damages.join('; ')}${more}`,
    )
  }

  async #restore(entry: ManifestEntry): Promise<void> {
    const { folder, target } = this.#places
    const { name, world, signal } = this.#options
    checkKey(entry.key)
    const from = entry.kind === 'block' ? folder.blockPath(entry.key) : folder.statePath(name, entry.key)
    const to = `${target.root}/${entry.key}`
    try {
      const there = await world.disk.stat(to)
      if (there?.sizeBytes === entry.sizeBytes && (await hashFile(world.disk, to, signal)) === entry.sha256) return
      await this.#copy(entry, from, to)
    } catch (error) {
      if (!(error instanceof Corruption)) throw error
      this.#damaged++
      if (this.#damages.length < namedDamages) this.#damages.push(error.message)
    }
  }

  async #copy(entry: ManifestEntry, from: string, to: string): Promise<void> {
    const { world, signal } = this.#options
    const file = await openOrDamage(world.disk, from)
    try {
      if (file.sizeBytes !== entry.sizeBytes) {
        const offset = Math.min(file.sizeBytes, entry.sizeBytes)
        throw new Corruption({ file: from, offset }, `it has ${file.sizeBytes} bytes, ${entry.sizeBytes} were stored`)
      }
      const read = async (offset: number, target: Buffer): Promise<void> => void (await file.read(target, offset))
      const found = await this.#places.target.write(to, { sizeBytes: entry.sizeBytes, read }, signal)
      if (found === entry.sha256) return
      await world.disk.remove(to)
      throw new Corruption({ file: from, offset: 0 }, `its SHA-256 is ${found}, ${entry.sha256} was stored`)
    } finally {
      await file.close()
    }
  }
}

async function openOrDamage(disk: Disk, path: string): Promise<ReadFile> {
  try {
    return await disk.openRead(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    throw new Corruption({ file: path, offset: 0 }, 'it is named by the manifest and is not there')
  }
}
