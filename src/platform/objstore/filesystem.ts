/**
 * Objects as files below a root directory, on the `Disk` interface.
 *
 * put:  1. write a new file in `<root>/.~tmp`, sync it
 *       2. make the directories of the key, each one's name synced in its parent
 *       3. rename the file to its place, sync the directory
 *
 * A crash before 3 leaves a file in `.~tmp`, which no reader sees and the next start removes; a reader sees the old object,
 * the new one, or none. The last object of a directory takes it away, else every day that ever was would be listed at each start. A
 * directory that is empty all the same, after a crash, does not count as a prefix.
 */
import { eachConcurrently } from '#/kernel/each-concurrently.ts'
import { EddaError, NotFound, Unavailable, throwIfAborted } from '#/kernel/errors.ts'
import type { Disk, Random } from '#/kernel/world.ts'
import { checkKey, compareKeys, splitPrefix, tempDirName } from './key.ts'
import { checkPrefixLevel, checkRange } from './memory.ts'
import type { ListOptions, ObjectHead, ObjectStore, RangeRead } from './objstore.ts'

export type FilesystemStoreOptions = { readonly disk: Disk; readonly random: Random; readonly root: string }

/** How many directories we remember as made and synced. */
const knownDirsMax = 10_000
/** Files of one directory that are looked at together while listing. */
const statsAtOnce = 32
/** Ranges of one file that are read together. */
const readsAtOnce = 4
/** A read of the page cache takes some 30 µs of CPU, in which it copies as much. */
const nearBytes = 64 * 1024
/** Another process that starts on the same root may clean our temporary file away; then we write it again. */
const putAttempts = 3

export class FilesystemStore implements ObjectStore {
  readonly nearBytes = nearBytes
  readonly #disk: Disk
  readonly #random: Random
  readonly #root: string
  readonly #tempDir: string
  /** Directories whose names are safe, or on their way to be. */
  readonly #dirs = new Map<string, Promise<void>>()

  private constructor({ disk, random, root }: FilesystemStoreOptions) {
    this.#disk = disk
    this.#random = random
    this.#root = root.endsWith('/') ? root.slice(0, -1) : root
    this.#tempDir = `${this.#root}/${tempDirName}`
  }

  /** Makes the root when it is not there, and removes what an earlier process left half written. */
  static async open(options: FilesystemStoreOptions): Promise<FilesystemStore> {
    const store = new FilesystemStore(options)
    await options.disk.makeDir(store.#tempDir)
    for (const { name } of await options.disk.list(store.#tempDir))
      await options.disk.remove(`${store.#tempDir}/${name}`)
    await options.disk.syncDir(store.#root)
    return store
  }

  /** For reading beside a process that has it open, and without leaving a trace: nothing is made or removed. */
  static view(options: FilesystemStoreOptions): FilesystemStore {
    return new FilesystemStore(options)
  }

  async put(key: string, data: readonly Uint8Array[], signal?: AbortSignal): Promise<void> {
    checkKey(key)
    for (let attempt = 1; ; attempt++) {
      throwIfAborted(signal)
      try {
        await this.#write(key, data, signal)
        return
      } catch (error) {
        if (!isMissing(error) || attempt === putAttempts) throw asUnavailable(`cannot write object ${key}`, error)
        this.#dirs.clear()
      }
    }
  }

  async #write(key: string, data: readonly Uint8Array[], signal: AbortSignal | undefined): Promise<void> {
    const temp = `${this.#tempDir}/${this.#random.bytes(16).toString('hex')}`
    const path = this.#path(key)
    const dir = path.slice(0, path.lastIndexOf('/'))
    try {
      await this.#makeDir(this.#tempDir)
      const file = await this.#disk.openAppend(temp, { create: true })
      try {
        await file.append(data)
        throwIfAborted(signal)
        await file.sync()
      } finally {
        await file.close()
      }
      await this.#makeDir(dir)
      throwIfAborted(signal)
      await this.#disk.rename(temp, path)
      // a delete may have taken the directory away, and another put be making it anew
      await this.#makeDir(dir)
    } catch (error) {
      await this.#disk.remove(temp).catch(() => undefined)
      throw error
    }
    await this.#disk.syncDir(dir)
  }

  /** Makes a directory and syncs its name, once for all that need it, parents first. */
  #makeDir(dir: string): Promise<void> {
    if (dir === this.#root) return Promise.resolve()
    const known = this.#dirs.get(dir)
    if (known !== undefined) return known
    if (this.#dirs.size >= knownDirsMax) this.#dirs.clear()
    const made = this.#makeDirDurably(dir)
    this.#dirs.set(dir, made)
    made.catch(() => this.#dirs.delete(dir))
    return made
  }

  async #makeDirDurably(dir: string): Promise<void> {
    const parent = dir.slice(0, dir.lastIndexOf('/'))
    await this.#makeDir(parent)
    await this.#disk.makeDir(dir)
    await this.#disk.syncDir(parent)
  }

  readInto(key: string, offset: number, target: Uint8Array, signal?: AbortSignal): Promise<void> {
    return this.readRanges(key, [{ offset, target }], signal)
  }

  async readRanges(key: string, ranges: readonly RangeRead[], signal?: AbortSignal): Promise<void> {
    checkKey(key)
    throwIfAborted(signal)
    await this.#reading(key, async () => {
      const file = await this.#disk.openRead(this.#path(key))
      try {
        for (const { offset, target } of ranges) checkRange(key, file.sizeBytes, offset, target.byteLength)
        await eachConcurrently(ranges, readsAtOnce, async ({ offset, target }) => {
          throwIfAborted(signal)
          const length = await file.read(target, offset)
          checkRange(key, offset + length, offset, target.byteLength)
        })
      } finally {
        await file.close()
      }
    })
  }

  fileOf(key: string): string | undefined {
    checkKey(key)
    return this.#disk.isOfProcess === true ? this.#path(key) : undefined
  }

  async get(key: string, signal?: AbortSignal): Promise<Buffer> {
    checkKey(key)
    throwIfAborted(signal)
    return this.#reading(key, () => this.#disk.readFile(this.#path(key)))
  }

  async #reading<T>(key: string, read: () => Promise<T>): Promise<T> {
    try {
      return await read()
    } catch (error) {
      if (isMissing(error)) throw new NotFound(`object ${key} does not exist`)
      throw asUnavailable(`cannot read object ${key}`, error)
    }
  }

  async head(key: string, signal?: AbortSignal): Promise<ObjectHead | undefined> {
    checkKey(key)
    throwIfAborted(signal)
    return this.#head(key)
  }

  async #head(key: string): Promise<ObjectHead | undefined> {
    const found = await this.#disk.stat(this.#path(key))
    return found && { key, sizeBytes: found.sizeBytes, modifiedMs: found.modifiedMs }
  }

  async *list({ prefix, startAfter = '' }: ListOptions, signal?: AbortSignal): AsyncIterable<ObjectHead> {
    const { dir } = splitPrefix(prefix)
    const wanted = (key: string): boolean => key.startsWith(prefix) && compareKeys(key, startAfter) > 0
    // a directory is of use when it may hold keys behind `startAfter`: it lies behind it, or `startAfter` lies in it
    const enter = (key: string): boolean =>
      key.startsWith(prefix) && (compareKeys(key, startAfter) > 0 || startAfter.startsWith(key))
    yield* this.#walk(dir, { wanted, enter }, signal)
  }

  async *#walk(dir: string, select: Selection, signal: AbortSignal | undefined): AsyncGenerator<ObjectHead> {
    let files: string[] = []
    for (const key of await this.#children(dir)) {
      throwIfAborted(signal)
      if (!key.endsWith('/')) {
        if (select.wanted(key)) files.push(key)
        if (files.length < statsAtOnce) continue
      }
      yield* await this.#heads(files)
      files = []
      if (key.endsWith('/') && select.enter(key)) yield* this.#walk(key, select, signal)
    }
    yield* await this.#heads(files)
  }

  /** Heads of those that are still there. */
  async #heads(keys: readonly string[]): Promise<ObjectHead[]> {
    const found = await Promise.all(keys.map((key) => this.#head(key)))
    return found.filter((head) => head !== undefined)
  }

  /** Keys of the files and, with a `/`, of the directories in `dir`, in the byte order of everything below them. */
  async #children(dir: string): Promise<string[]> {
    const entries = await this.#disk.list(this.#path(dir.slice(0, -1)))
    return entries
      .filter(({ name }) => dir !== '' || name !== tempDirName)
      .map(({ name, isDirectory }) => dir + name + (isDirectory ? '/' : ''))
      .toSorted(compareKeys)
  }

  async listPrefixes(prefix: string, signal?: AbortSignal): Promise<readonly string[]> {
    checkPrefixLevel(prefix)
    const found: string[] = []
    for (const key of await this.#children(prefix)) {
      throwIfAborted(signal)
      if (key.endsWith('/') && (await this.#holdsObjects(key))) found.push(key)
    }
    return found
  }

  async #holdsObjects(dir: string): Promise<boolean> {
    const children = await this.#children(dir)
    if (children.some((key) => !key.endsWith('/'))) return true
    for (const child of children) if (await this.#holdsObjects(child)) return true
    return false
  }

  async delete(key: string, signal?: AbortSignal): Promise<void> {
    checkKey(key)
    throwIfAborted(signal)
    if ((await this.#head(key)) === undefined) return
    const path = this.#path(key)
    const dir = path.slice(0, path.lastIndexOf('/'))
    try {
      await this.#disk.remove(path)
      await this.#disk.syncDir(dir)
    } catch (error) {
      throw asUnavailable(`cannot delete object ${key}`, error)
    }
    // the object is gone; whether its directory can be removed, too, is no matter
    await this.#removeEmpty(dir).catch(() => undefined)
  }

  /** Removes a directory, and those above it, as far as they are empty. Whoever is about to put something there makes it again. */
  async #removeEmpty(dir: string): Promise<void> {
    for (let path = dir; path !== this.#root; path = path.slice(0, path.lastIndexOf('/'))) {
      const isGone = await this.#disk.removeDir(path)
      if (!isGone) return
      this.#dirs.delete(path)
    }
  }

  #path(key: string): string {
    return key === '' ? this.#root : `${this.#root}/${key}`
  }
}

type Selection = { readonly wanted: (key: string) => boolean; readonly enter: (dir: string) => boolean }

/** EISDIR: the key names a directory, which is no object. */
function isMissing(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException
  return code === 'ENOENT' || code === 'ENOTDIR' || code === 'EISDIR'
}

function asUnavailable(what: string, error: unknown): EddaError {
  if (error instanceof EddaError) return error
  return new Unavailable(`${what}: ${(error as Error).message}`, { cause: error })
}
