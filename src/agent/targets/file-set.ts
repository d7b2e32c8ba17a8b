/**
 * The files that are followed: finds new ones by the globs, takes up those of an earlier run where it stopped, and keeps one
 * tail per file, whatever names the file goes by.
 */
import { basename, dirname } from 'node:path'

import { fits, type FilePosition, fingerprintOf, maxFingerprintBytes } from '#/agent/positions/position.ts'
import { labelsOfFile } from '#/agent/pipeline/labels.ts'
import type { AgentTarget } from '#/agent/config.ts'
import type { Disk, FileStat, World } from '#/kernel/world.ts'
import type { Logger } from '#/platform/telemetry/logger.ts'
import { FileTail, type TailOptions, type TailPlace } from './file-tail.ts'
import { compileGlob, expandGlob, type Glob } from './glob.ts'

/** Compressed files are old ones that were shipped before. */
const compressed = /\.(gz|bz2|xz|zst|zip|lz4|Z)$/

const missesUntilGone = 3

export type Discovery = {
  /** Files that were never seen before; from now on they must be found again, whatever their name. */
  readonly added: readonly FilePosition[]
  /** Ids of positions that nobody needs any more. */
  readonly forgotten: readonly number[]
}

export class FileSet {
  readonly #targets: readonly (Pick<AgentTarget, 'labels'> & { readonly paths: Glob[]; readonly exclude: Glob[] })[]
  readonly #options: TailOptions
  readonly #world: World
  readonly #logger: Logger
  readonly #tails = new Map<number, FileTail>()
  /** Positions of files without a tail: of an earlier run, or rotated and silent. They must not be read from the start. */
  #parked: FilePosition[]
  #nextId: number
  readonly #warned = new Set<string>()
  /** How often in a row a parked file was not found, by id. */
  readonly #missed = new Map<number, number>()

  constructor(
    targets: readonly AgentTarget[],
    restored: readonly FilePosition[],
    options: TailOptions,
    world: World,
    logger: Logger,
  ) {
    this.#targets = targets.map(({ paths, exclude, labels }) => ({
      paths: paths.map(compileGlob),
      exclude: exclude.map(compileGlob),
      labels,
    }))
    this.#parked = [...restored]
    this.#nextId = restored.reduce((most, { id }) => Math.max(most, id), 0) + 1
    this.#options = options
    this.#world = world
    this.#logger = logger
  }

  /** Rotated files first: what they still hold is older than what the files in their place hold. */
  get tails(): readonly FileTail[] {
    const all = [...this.#tails.values()]
    return [...all.filter((tail) => tail.state === 'rotated'), ...all.filter((tail) => tail.state === 'live')]
  }

  /** Matches the globs against the disk. */
  async discover(): Promise<Discovery> {
    const added: FilePosition[] = []
    for (const target of this.#targets) {
      for (const glob of target.paths) {
        for (const path of await expandGlob(glob, this.#world.disk, this.warnOnce)) {
          if (compressed.test(path) || target.exclude.some((one) => one.matches(path))) continue
          const met = await this.#meet(path, target.labels).catch((error: unknown) => this.warnOnce(path, error))
          if (met) added.push(met)
        }
      }
    }
    return { added, forgotten: await this.#settleParked() }
  }

  /** Lets go of a tail whose file has ended, but remembers the file. */
  async park(tail: FileTail): Promise<void> {
    this.#tails.delete(tail.id)
    this.#parked.push(tail.position)
    await tail.close()
  }

  /** One warning for each path that cannot be read. */
  readonly warnOnce = (path: string, error: unknown): void => {
    if (this.#warned.has(path)) return
    this.#warned.add(path)
    const { code, message } = error as { code?: string; message?: string }
    this.#logger.warn('a file cannot be read, it is left out', { path, reason: code ?? message ?? String(error) })
  }

  async close(): Promise<void> {
    for (const tail of this.#tails.values()) await tail.close()
  }

  /** Follows the file at `path` unless that is done already; returns its position when it was never seen before. */
  async #meet(path: string, labels: AgentTarget['labels']): Promise<FilePosition | undefined> {
    const tails = [...this.#tails.values()]
    const found = await this.#world.disk.stat(path)
    if (found === undefined) return undefined
    // a tail whose name was taken by another file finds out by itself, at its next look
    if (tails.some((tail) => tail.path === path && tail.state === 'live')) return undefined
    const first = await this.#firstBytes(path, found)
    // the name went to another file in between: the next look finds both
    if (first === undefined) return undefined
    const twins = tails.filter((tail) => tail.inode === found.inode)
    const known = this.#parked.filter((position) => position.inode === found.inode)
    if (twins.length + known.length > 0) {
      // the same file under another name
      if (twins.some((tail) => fits(tail.fingerprint, first))) return undefined
      const position = known.find((one) => found.sizeBytes >= one.offset && fits(one.fingerprint, first))
      if (position !== undefined) {
        const isAtHome = position.path === path
        if (isAtHome || found.sizeBytes > position.offset)
          this.#takeUp(position, labels, isAtHome ? 'live' : 'rotated', path)
        return undefined
      }
    }
    const fingerprint = fingerprintOf(first)
    const position = { id: this.#nextId++, path, inode: found.inode, offset: 0, fingerprint, cut: false }
    this.#add(position, { labels: labelsOfFile(path, labels), state: 'live', foundAt: path })
    return position
  }

  #takeUp(position: FilePosition, labels: AgentTarget['labels'], state: 'live' | 'rotated', foundAt: string): void {
    this.#parked = this.#parked.filter((one) => one !== position)
    this.#add(position, { labels: labelsOfFile(position.path, labels), state, foundAt })
  }

  /**
   * Goes on with files that were rotated to names that no glob matches, and forgets those that are gone: their ids are
   * returned.
   */
  async #settleParked(): Promise<readonly number[]> {
    const forgotten: number[] = []
    const pathOf = inodeFinder(this.#world.disk)
    for (const position of this.#parked) {
      const target = this.#targets.find(({ paths }) => paths.some((glob) => glob.matches(position.path)))
      const path = target && (await pathOf(position))
      const found = path === undefined ? 'missing' : await this.#find(position, path)
      const isForgotten = target === undefined || found === 'replaced' || this.#isGone(position, found === 'missing')
      if (isForgotten) {
        forgotten.push(position.id)
        this.#missed.delete(position.id)
        this.#parked = this.#parked.filter((one) => one !== position)
      } else if (path !== undefined && typeof found === 'object' && found.sizeBytes > position.offset) {
        this.#takeUp(position, target.labels, 'rotated', path)
      }
    }
    return forgotten
  }

  /** A file that is renamed while its directory is read may be seen under no name; gone is what was missed several times. */
  #isGone({ id }: FilePosition, isMissing: boolean): boolean {
    const misses = isMissing ? (this.#missed.get(id) ?? 0) + 1 : 0
    if (misses === 0) this.#missed.delete(id)
    else this.#missed.set(id, misses)
    return misses >= missesUntilGone
  }

  /** The file at `path` if it is the one that was read to `position`; `replaced` when its inode holds something else. */
  async #find(position: FilePosition, path: string): Promise<FileStat | 'missing' | 'replaced'> {
    const found = await this.#world.disk.stat(path)
    if (found?.inode !== position.inode) return 'missing'
    if (found.sizeBytes < position.offset) return 'replaced'
    // a file that was empty is known by its inode alone, which may be another file's by now
    if (position.fingerprint.length === 0 && !basename(path).startsWith(basename(position.path))) return 'replaced'
    const first = await this.#firstBytes(path, found).catch(() => undefined)
    if (first === undefined) return 'missing'
    return fits(position.fingerprint, first) ? found : 'replaced'
  }

  #add(position: FilePosition, place: TailPlace): void {
    this.#tails.set(position.id, new FileTail(position, place, this.#options, this.#world, this.#logger))
  }

  /** Undefined when another file is at `path` by now. */
  async #firstBytes(path: string, found: FileStat): Promise<Buffer | undefined> {
    const file = await this.#world.disk.openRead(path)
    try {
      if (file.inode !== found.inode) return undefined
      const bytes = Buffer.alloc(maxFingerprintBytes)
      return bytes.subarray(0, await file.read(bytes, 0))
    } finally {
      await file.close()
    }
  }
}

/** Finds files by inode in the directory of their old path; each directory is read once. */
function inodeFinder(disk: Disk): (position: FilePosition) => Promise<string | undefined> {
  const dirs = new Map<string, Map<number, string>>()
  return async ({ path, inode }) => {
    const dir = dirname(path)
    let inodes = dirs.get(dir)
    if (inodes === undefined) {
      dirs.set(dir, (inodes = new Map()))
      for (const { name, isDirectory } of await disk.list(dir)) {
        const found = isDirectory ? undefined : await disk.stat(`${dir}/${name}`).catch(() => undefined)
        if (found !== undefined) inodes.set(found.inode, `${dir}/${name}`)
      }
    }
    return inodes.get(inode)
  }
}
