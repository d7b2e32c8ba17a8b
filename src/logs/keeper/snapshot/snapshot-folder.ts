/**
 * The directory of snapshots:
 *
 *     <name>.snapshot        the manifest, written last: with it the snapshot is there, without it not
 *     blocks/<key>           blocks, which never change: snapshots share them
 *     state/<name>/<key>     everything else of that snapshot: day files, rules, requests to delete
 *     .tmp/                  what is being written
 *
 * A file appears under its name whole, by a rename. Names are made durable by `settle`, before the manifest is.
 */
import { createHash } from 'node:crypto'

import { BadRequest, throwIfAborted } from '#/kernel/errors.ts'
import type { AppendFile, Disk, Random } from '#/kernel/world.ts'

const namePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/
const manifestSuffix = '.snapshot'
const chunkBytes = 1024 * 1024

/** Where a file's bytes come from; `read` fills the buffer. */
export type ByteSource = {
  readonly sizeBytes: number
  readonly read: (offset: number, target: Buffer) => Promise<void>
}

export class SnapshotFolder {
  readonly root: string
  readonly #temp: string
  readonly #disk: Disk
  readonly #random: Random
  readonly #made = new Set<string>()
  /** Directories with names that are not durable. */
  readonly #unsettled = new Set<string>()

  constructor({ disk, random }: { readonly disk: Disk; readonly random: Random }, root: string, tempName = '.tmp') {
    this.#disk = disk
    this.#random = random
    this.root = root.endsWith('/') ? root.slice(0, -1) : root
    this.#temp = `${this.root}/${tempName}`
  }

  static checkName(name: string): void {
    if (namePattern.test(name) && !name.endsWith(manifestSuffix)) return
    throw new BadRequest(
      `snapshot name ${JSON.stringify(name.slice(0, 200))} is not of at most 100 letters, digits, '.', '_' and '-', beginning with a letter or digit`,
    )
  }

  manifestPath(name: string): string {
    return `${this.root}/${name}${manifestSuffix}`
  }

  blockPath(key: string): string {
    return `${this.root}/blocks/${key}`
  }

  statePath(name: string, key: string): string {
    return `${this.root}/state/${name}/${key}`
  }

  /** Names of the snapshots that have a manifest, sorted. */
  async names(): Promise<string[]> {
    const entries = await this.#disk.list(this.root)
    return entries
      .filter(({ name, isDirectory }) => !isDirectory && name.endsWith(manifestSuffix))
      .map(({ name }) => name.slice(0, -manifestSuffix.length))
      .filter((name) => namePattern.test(name))
  }

  /** Removes what an earlier attempt left half written. */
  async clean(): Promise<void> {
    for (const { name } of await this.#disk.list(this.#temp)) await this.#disk.remove(`${this.#temp}/${name}`)
  }

  /** Writes a file, whole or not at all, and gives the SHA-256 of its bytes. */
  async write(path: string, source: ByteSource, signal: AbortSignal): Promise<string> {
    const hash = createHash('sha256')
    const buffer = Buffer.allocUnsafeSlow(Math.min(chunkBytes, Math.max(1, source.sizeBytes)))
    await this.place(path, async (file) => {
      for (let offset = 0; offset < source.sizeBytes; offset += buffer.length) {
        throwIfAborted(signal)
        const part = buffer.subarray(0, Math.min(buffer.length, source.sizeBytes - offset))
        await source.read(offset, part)
        hash.update(part)
        await file.append([part])
      }
    })
    return hash.digest('hex')
  }

  /** Writes a file with what `fill` appends, syncs it and puts it in its place. */
  async place(path: string, fill: (file: AppendFile) => Promise<void>): Promise<void> {
    const temp = `${this.#temp}/${this.#random.bytes(16).toString('hex')}`
    await this.#makeDir(this.#temp)
    await this.#makeDir(parentOf(path))
    try {
      const file = await this.#disk.openAppend(temp, { create: true })
      try {
        await fill(file)
        await file.sync()
      } finally {
        await file.close()
      }
      await this.#disk.rename(temp, path)
    } catch (error) {
      await this.#disk.remove(temp).catch(() => undefined)
      throw error
    }
    this.#unsettled.add(parentOf(path))
  }

  /** Gives an existing file a second name here; false when the two are not on one volume, or it knows no links. */
  async link(from: string, path: string): Promise<boolean> {
    await this.#makeDir(parentOf(path))
    try {
      await this.#disk.link(from, path)
    } catch (error) {
      if (!cannotLink.has((error as NodeJS.ErrnoException).code ?? '')) throw error
      return false
    }
    this.#unsettled.add(parentOf(path))
    return true
  }

  /** Makes the names of all files so far durable. */
  async settle(): Promise<void> {
    for (const dir of this.#unsettled) await this.#disk.syncDir(dir)
    this.#unsettled.clear()
  }

  async #makeDir(dir: string): Promise<void> {
    if (this.#made.has(dir)) return
    if (dir === this.root) await this.#disk.makeDir(dir)
    else {
      await this.#makeDir(parentOf(dir))
      await this.#disk.makeDir(dir)
    }
    // the name of the root itself too: its parent may be new, but is then the operator's
    await this.#disk.syncDir(parentOf(dir) || '/')
    this.#made.add(dir)
  }
}

/** The volume has no links, or not to this file; the bytes can still be copied. */
const cannotLink = new Set(['EXDEV', 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK', 'EINVAL'])

/** SHA-256 of a file. */
export async function hashFile(disk: Disk, path: string, signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256')
  const file = await disk.openRead(path)
  try {
    const buffer = Buffer.allocUnsafeSlow(Math.min(chunkBytes, Math.max(1, file.sizeBytes)))
    for (let offset = 0; offset < file.sizeBytes; offset += buffer.length) {
      throwIfAborted(signal)
      const count = await file.read(buffer, offset)
      hash.update(buffer.subarray(0, count))
    }
  } finally {
    await file.close()
  }
  return hash.digest('hex')
}

export function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')))
}
