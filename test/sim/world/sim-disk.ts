/**
 * A disk in memory that can lose its power.
 *
 * Every file has two states: what a reader sees, and what is on the platter. `sync` makes them equal for the content, `syncDir`
 * for the names in a directory. At a crash each unsynced sector is kept, lost or garbled, by the seed, and of the unsynced name
 * changes of a directory a prefix survives.
 *
 * Faults are set by the number of the operation: crash before or after it, tear it, or let it fail with EIO or ENOSPC.
 */
import type { AppendFile, DirEntry, Disk, FileStat, ReadFile } from '#/kernel/world.ts'
import { SimRandom } from './sim-random.ts'

export type FaultKind = 'crash-before' | 'crash-after' | 'torn' | 'EIO' | 'ENOSPC'
export const faultKinds: readonly FaultKind[] = ['crash-before', 'crash-after', 'torn', 'EIO', 'ENOSPC']

const SECTOR_BYTES = 512

class Inode {
  static #next = 1
  readonly number = Inode.#next++
  data: Buffer<ArrayBufferLike> = Buffer.alloc(0)
  durable: Buffer<ArrayBufferLike> = Buffer.alloc(0)
  modifiedMs = 0
}

/** The names of a directory: as seen, as on the platter, and the changes between the two in order. */
type Names = Map<string, Inode>
type NameChange = readonly { readonly path: string; readonly inode: Inode | undefined }[]

export class SimDisk implements Disk {
  readonly #random: SimRandom
  #names: Names = new Map()
  #durableNames: Names = new Map()
  #pending: NameChange[] = []
  #dirs = new Set<string>(['', '/'])
  #fault: { readonly at: number; readonly kind: FaultKind } | undefined
  #epoch = 0
  #isDead = false
  /** Operations so far; the next one has this number. */
  operations = 0
  /** Bytes that were read so far. */
  bytesRead = 0
  /** What each operation was, for messages of failing tests. */
  readonly journal: string[] = []
  capacityBytes = Number.MAX_SAFE_INTEGER

  constructor(seed: number) {
    this.#random = new SimRandom(seed)
  }

  /** Lets operation `at` (counted from 0 for the life of the disk) fail. */
  failAt(at: number, kind: FaultKind): void {
    this.#fault = { at, kind }
  }

  /** Takes back a fault that did not come yet. */
  heal(): void {
    this.#fault = undefined
  }

  get isDead(): boolean {
    return this.#isDead
  }

  /** Power off and on: unsynced data is lost or torn, open files are gone, and no fault is set any more. */
  crash(): void {
    this.#epoch++
    this.#isDead = false
    this.#fault = undefined
    this.#names = new Map(this.#durableNames)
    const survivors = this.#pending.slice(0, this.#random.below(this.#pending.length + 1))
    for (const change of survivors) applyNames(this.#names, change)
    this.#pending = []
    this.#durableNames = new Map(this.#names)
    // a name that came back is in a directory that came back
    for (const path of this.#names.keys()) this.#dirs.add(dirOf(path))
    for (const inode of new Set(this.#names.values())) {
      inode.data = this.#afterPowerLoss(inode)
      inode.durable = Buffer.from(inode.data)
    }
  }

  /** The process ends, the machine does not: everything written stays. */
  kill(): void {
    this.#epoch++
    this.#isDead = false
    this.#fault = undefined
  }

  #afterPowerLoss({ data, durable }: Inode): Buffer<ArrayBufferLike> {
    if (data.equals(durable)) return data
    const fate = this.#random.below(4)
    if (fate === 0) return Buffer.from(durable)
    if (fate === 1) return Buffer.from(data)
    const least = Math.min(data.length, durable.length)
    const size = least + this.#random.below(Math.max(data.length, durable.length) - least + 1)
    const result = Buffer.alloc(size)
    for (let at = 0; at < size; at += SECTOR_BYTES) {
      const end = Math.min(size, at + SECTOR_BYTES)
      const isSame = data.subarray(at, end).equals(durable.subarray(at, end))
      // a sector of the file that was never written reads as zeros
      const source = isSame || this.#random.chance(0.5) ? data : durable
      if (at < source.length) source.copy(result, at, at, Math.min(end, source.length))
    }
    return result
  }

  /** Flips a bit of a file, on the platter and in the cache. */
  flipBit(path: string, offset: number, bit = 0): void {
    const inode = this.#inode(path)
    inode.data = Buffer.from(inode.data)
    inode.data[offset]! ^= 1 << bit
    inode.durable = Buffer.from(inode.data)
  }

  /** Puts a file in place, durable. */
  plant(path: string, data: Buffer): void {
    const inode = new Inode()
    inode.data = Buffer.from(data)
    inode.durable = Buffer.from(data)
    this.#names.set(path, inode)
    this.#durableNames.set(path, inode)
  }

  /** Takes a file away, durably. */
  unplant(path: string): void {
    this.#names.delete(path)
    this.#durableNames.delete(path)
  }

  paths(): string[] {
    return [...this.#names.keys()].toSorted()
  }

  directories(): string[] {
    return [...this.#dirs].toSorted()
  }

  contentOf(path: string): Buffer {
    return Buffer.from(this.#inode(path).data)
  }

  get usedBytes(): number {
    let sum = 0
    for (const inode of new Set(this.#names.values())) sum += inode.data.length
    return sum
  }

  /** The disk as one process sees it: after the next `crash` or `kill` nothing that the process still does has an effect. */
  session(): Disk {
    const epoch = this.#epoch
    const guard = <T>(act: () => Promise<T>): Promise<T> =>
      epoch === this.#epoch ? act() : Promise.reject(failure('ECRASH', 'the process is gone'))
    return {
      openAppend: async (path, options) => {
        const file = await guard(() => this.openAppend(path, options))
        return {
          get sizeBytes(): number {
            return file.sizeBytes
          },
          append: (buffers) => guard(() => file.append(buffers)),
          sync: () => guard(() => file.sync()),
          close: () => guard(() => file.close()),
        }
      },
      openRead: async (path) => {
        const file = await guard(() => this.openRead(path))
        const { sizeBytes, inode } = file
        return {
          sizeBytes,
          inode,
          read: (target, at) => guard(() => file.read(target, at)),
          close: () => guard(() => file.close()),
        }
      },
      writeFile: (path, data, options) => guard(() => this.writeFile(path, data, options)),
      readFile: (path) => guard(() => this.readFile(path)),
      rename: (from, to) => guard(() => this.rename(from, to)),
      link: (from, to) => guard(() => this.link(from, to)),
      remove: (path) => guard(() => this.remove(path)),
      truncate: (path, sizeBytes) => guard(() => this.truncate(path, sizeBytes)),
      makeDir: (path) => guard(() => this.makeDir(path)),
      removeDir: (path) => guard(() => this.removeDir(path)),
      list: (path) => guard(() => this.list(path)),
      stat: (path) => guard(() => this.stat(path)),
      syncDir: (path) => guard(() => this.syncDir(path)),
      freeBytes: (path) => guard(() => this.freeBytes(path)),
    }
  }

  // Disk, for whoever looks at it from outside

  openAppend(path: string, { create }: { readonly create: boolean }): Promise<AppendFile> {
    return this.#operate(`openAppend ${path}`, () => {
      const exists = this.#names.has(path)
      if (create && exists) throw failure('EEXIST', path)
      this.#requireDir(path)
      const inode = create ? new Inode() : this.#inode(path)
      if (create) this.#change([{ path, inode }])
      return new SimAppendFile(this.#handleOf(path, inode))
    })
  }

  openRead(path: string): Promise<ReadFile> {
    return this.#operate(`openRead ${path}`, () => {
      const inode = this.#inode(path)
      const sizeBytes = inode.data.length
      const read = (target: Uint8Array, position: number): Promise<number> =>
        this.#operate(`read ${path}`, () => {
          const part = inode.data.subarray(position, Math.min(inode.data.length, position + target.byteLength))
          target.set(part)
          this.bytesRead += part.length
          return part.length
        })
      return { sizeBytes, inode: inode.number, read, close: () => this.#operate(`close ${path}`, () => undefined) }
    })
  }

  writeFile(path: string, data: Uint8Array, { sync }: { readonly sync: boolean }): Promise<void> {
    return this.#operate(
      `writeFile ${path}`,
      () => {
        const inode = this.#fileFor(path)
        this.#takeSpace(data.byteLength - inode.data.length)
        inode.data = Buffer.from(data)
        if (sync) inode.durable = Buffer.from(data)
      },
      () => {
        const inode = this.#fileFor(path)
        inode.data = Buffer.from(data.subarray(0, this.#random.below(data.byteLength + 1)))
      },
    )
  }

  #fileFor(path: string): Inode {
    const known = this.#names.get(path)
    if (known !== undefined) return known
    this.#requireDir(path)
    const inode = new Inode()
    this.#change([{ path, inode }])
    return inode
  }

  readFile(path: string): Promise<Buffer> {
    return this.#operate(`readFile ${path}`, () => {
      const data = Buffer.from(this.#inode(path).data)
      this.bytesRead += data.length
      return data
    })
  }

  rename(from: string, to: string): Promise<void> {
    return this.#operate(`rename ${from} ${to}`, () => {
      this.#requireDir(to)
      this.#change([
        { path: to, inode: this.#inode(from) },
        { path: from, inode: undefined },
      ])
    })
  }

  link(from: string, to: string): Promise<void> {
    return this.#operate(`link ${from} ${to}`, () => {
      if (this.#names.has(to)) throw failure('EEXIST', to)
      this.#requireDir(to)
      this.#change([{ path: to, inode: this.#inode(from) }])
    })
  }

  remove(path: string): Promise<void> {
    return this.#operate(`remove ${path}`, () => {
      if (this.#names.has(path)) this.#change([{ path, inode: undefined }])
    })
  }

  truncate(path: string, sizeBytes: number): Promise<void> {
    return this.#operate(`truncate ${path}`, () => {
      const inode = this.#inode(path)
      const { data } = inode
      inode.data = Buffer.alloc(sizeBytes)
      data.copy(inode.data, 0, 0, Math.min(sizeBytes, data.length))
    })
  }

  makeDir(path: string): Promise<void> {
    return this.#operate(`makeDir ${path}`, () => {
      const parts = path.split('/')
      for (let length = 1; length <= parts.length; length++) this.#dirs.add(parts.slice(0, length).join('/'))
    })
  }

  removeDir(path: string): Promise<boolean> {
    return this.#operate(`removeDir ${path}`, () => {
      const inside = `${path}/`
      if ([...this.#names.keys(), ...this.#dirs].some((one) => one.startsWith(inside))) return false
      return this.#dirs.delete(path)
    })
  }

  list(path: string): Promise<readonly DirEntry[]> {
    return this.#operate(`list ${path}`, () => {
      const prefix = `${path}/`
      const found = new Map<string, boolean>()
      for (const dir of this.#dirs) {
        if (dir.startsWith(prefix) && !dir.slice(prefix.length).includes('/')) found.set(dir.slice(prefix.length), true)
      }
      for (const name of this.#names.keys()) {
        const rest = name.startsWith(prefix) ? name.slice(prefix.length) : ''
        if (rest !== '' && !rest.includes('/')) found.set(rest, false)
      }
      return [...found]
        .map(([name, isDirectory]) => ({ name, isDirectory }))
        .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    })
  }

  stat(path: string): Promise<FileStat | undefined> {
    return this.#operate(`stat ${path}`, () => {
      const inode = this.#names.get(path)
      return inode && { sizeBytes: inode.data.length, modifiedMs: inode.modifiedMs, inode: inode.number }
    })
  }

  syncDir(path: string): Promise<void> {
    return this.#operate(`syncDir ${path}`, () => {
      const isHere = (change: NameChange): boolean => change.some((one) => isIn(path, one.path))
      for (const change of this.#pending.filter(isHere)) applyNames(this.#durableNames, change)
      this.#pending = this.#stillPending(isHere)
    })
  }

  /** Neither those that are durable now, nor those that these undid: a name that was durably taken away does not come back. */
  #stillPending(isDurable: (change: NameChange) => boolean): NameChange[] {
    const settled = new Set<string>()
    const pending = this.#pending.toReversed().filter((change) => {
      if (!isDurable(change)) return !change.every(({ path }) => settled.has(path))
      for (const { path } of change) settled.add(path)
      return false
    })
    return pending.reverse()
  }

  freeBytes(path: string): Promise<number> {
    return this.#operate(`freeBytes ${path}`, () => Math.max(0, this.capacityBytes - this.usedBytes))
  }

  // how operations run, and fail

  #handleOf(path: string, inode: Inode): SimHandle {
    return {
      inode,
      append: (data) =>
        this.#operate(
          `append ${path} ${data.length}`,
          () => {
            this.#appendWithin(inode, data)
          },
          () => {
            inode.data = Buffer.concat([inode.data, data.subarray(0, this.#random.below(data.length + 1))])
          },
        ),
      sync: () =>
        this.#operate(
          `sync ${path}`,
          () => {
            inode.durable = Buffer.from(inode.data)
          },
          // what a failed fdatasync leaves on the platter is anybody's guess
          () => {
            if (this.#random.chance(0.5)) inode.durable = this.#afterPowerLoss(inode)
          },
        ),
      close: () => this.#operate(`close ${path}`, () => undefined),
    }
  }

  #appendWithin(inode: Inode, data: Buffer): void {
    const room = Math.max(0, this.capacityBytes - this.usedBytes)
    inode.data = Buffer.concat([inode.data, data.subarray(0, room)])
    if (data.length > room) throw failure('ENOSPC', 'write')
  }

  #takeSpace(bytes: number): void {
    if (bytes > this.capacityBytes - this.usedBytes) throw failure('ENOSPC', 'write')
  }

  /** `tear` does a part of what `act` does. Each operation takes a turn of the event queue, as a real one would. */
  async #operate<T>(what: string, act: () => T, tear: () => void = () => undefined): Promise<T> {
    const epoch = this.#epoch
    await Promise.resolve()
    if (this.#isDead || epoch !== this.#epoch) throw failure('ECRASH', what)
    const number = this.operations++
    this.journal.push(what)
    if (number !== this.#fault?.at) return act()
    switch (this.#fault.kind) {
      case 'crash-before':
        this.#isDead = true
        throw failure('ECRASH', what)
      case 'crash-after':
        act()
        this.#isDead = true
        throw failure('ECRASH', what)
      case 'torn':
        tear()
        this.#isDead = true
        throw failure('ECRASH', what)
      case 'EIO':
      case 'ENOSPC':
        tear()
        throw failure(this.#fault.kind, what)
    }
  }

  #change(change: NameChange): void {
    applyNames(this.#names, change)
    this.#pending.push(change)
  }

  #inode(path: string): Inode {
    const inode = this.#names.get(path)
    if (inode === undefined) throw failure('ENOENT', path)
    return inode
  }

  #requireDir(path: string): void {
    if (!this.#dirs.has(dirOf(path))) throw failure('ENOENT', path)
  }
}

type SimHandle = {
  readonly inode: Inode
  append(data: Buffer): Promise<void>
  sync(): Promise<void>
  close(): Promise<void>
}

class SimAppendFile implements AppendFile {
  readonly #handle: SimHandle

  constructor(handle: SimHandle) {
    this.#handle = handle
  }

  get sizeBytes(): number {
    return this.#handle.inode.data.length
  }

  append(buffers: readonly Uint8Array[]): Promise<void> {
    return this.#handle.append(Buffer.concat(buffers))
  }

  sync(): Promise<void> {
    return this.#handle.sync()
  }

  close(): Promise<void> {
    return this.#handle.close()
  }
}

function applyNames(names: Names, change: NameChange): void {
  for (const { path, inode } of change) {
    if (inode === undefined) names.delete(path)
    else names.set(path, inode)
  }
}

/** Whether `dirOf(path)` is `dir`, without making a text: it is asked of every change for every sync. */
function isIn(dir: string, path: string): boolean {
  return path[dir.length] === '/' && path.lastIndexOf('/') === dir.length && path.startsWith(dir)
}

function dirOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')))
}

function failure(code: string, what: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: ${what}`), { code })
}
