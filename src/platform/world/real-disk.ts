/** `Disk` on node:fs. Errors are Node's own. */
import { constants } from 'node:fs'
import {
  type FileHandle,
  link,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rm,
  rmdir,
  stat,
  statfs,
  truncate,
} from 'node:fs/promises'
import { dirname, join } from 'node:path'

import type { AppendFile, DirEntry, Disk, FileStat, ReadFile } from '#/kernel/world.ts'

/** Most systems take 1,024 buffers in one writev. */
const maxBuffersPerWrite = 1024

export const realDisk: Disk = {
  openAppend: async (path, { create }) => {
    const flags = constants.O_WRONLY | constants.O_APPEND | (create ? constants.O_CREAT | constants.O_EXCL : 0)
    const handle = await open(path, flags)
    return new RealAppendFile(handle, (await handle.stat()).size)
  },
  openRead: async (path) => {
    const handle = await open(path, 'r')
    return new RealReadFile(handle, await handle.stat())
  },
  writeFile: async (path, data, { sync }) => {
    const handle = await open(path, 'w')
    try {
      await handle.writeFile(data)
      if (sync) await handle.datasync()
    } finally {
      await handle.close()
    }
  },
  isOfProcess: true,
  readFile: (path) => readFile(path),
  rename: (from, to) => rename(from, to),
  link: (from, to) => link(from, to),
  remove: (path) => rm(path, { force: true }),
  truncate: (path, sizeBytes) => truncate(path, sizeBytes),
  makeDir: async (path) => void (await mkdir(path, { recursive: true })),
  removeDir,
  list: listDir,
  stat: statFile,
  syncDir,
  freeBytes,
}

async function removeDir(path: string): Promise<boolean> {
  try {
    await rmdir(path)
    return true
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOTEMPTY' || code === 'EEXIST' || code === 'ENOENT') return false
    throw error
  }
}

class RealAppendFile implements AppendFile {
  readonly #handle: FileHandle
  #sizeBytes: number

  constructor(handle: FileHandle, sizeBytes: number) {
    this.#handle = handle
    this.#sizeBytes = sizeBytes
  }

  get sizeBytes(): number {
    return this.#sizeBytes
  }

  async append(buffers: readonly Uint8Array[]): Promise<void> {
    let queue = buffers.filter((buffer) => buffer.byteLength > 0)
    while (queue.length > 0) {
      const { bytesWritten } = await this.#handle.writev(queue.slice(0, maxBuffersPerWrite))
      this.#sizeBytes += bytesWritten
      queue = dropBytes(queue, bytesWritten)
    }
  }

  sync(): Promise<void> {
    return this.#handle.datasync()
  }

  close(): Promise<void> {
    return this.#handle.close()
  }
}

/** The rest of `buffers` behind their first `count` bytes: a write may be cut short by a signal or a full disk. */
export function dropBytes(buffers: readonly Uint8Array[], count: number): Uint8Array[] {
  let index = 0
  let rest = count
  for (const buffer of buffers) {
    if (buffer.byteLength > rest) break
    rest -= buffer.byteLength
    index++
  }
  const left = buffers.slice(index)
  const [first] = left
  if (first !== undefined && rest > 0) left[0] = first.subarray(rest)
  return left
}

class RealReadFile implements ReadFile {
  readonly sizeBytes: number
  readonly inode: number
  readonly #handle: FileHandle

  constructor(handle: FileHandle, { size, ino }: { readonly size: number; readonly ino: number }) {
    this.#handle = handle
    this.sizeBytes = size
    this.inode = ino
  }

  async read(target: Uint8Array, position: number): Promise<number> {
    let done = 0
    while (done < target.byteLength) {
      const { bytesRead } = await this.#handle.read(target, done, target.byteLength - done, position + done)
      if (bytesRead === 0) break
      done += bytesRead
    }
    return done
  }

  close(): Promise<void> {
    return this.#handle.close()
  }
}

async function listDir(path: string): Promise<DirEntry[]> {
  try {
    const entries = await readdir(path, { withFileTypes: true })
    const found = await Promise.all(
      entries.map(async (entry) => ({
        name: entry.name,
        isDirectory: entry.isSymbolicLink() ? await isDirectory(join(path, entry.name)) : entry.isDirectory(),
      })),
    )
    return found.toSorted((a, b) => (a.name < b.name ? -1 : 1))
  } catch (error) {
    if (isMissing(error)) return []
    throw error
  }
}

async function isDirectory(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined)
  return found?.isDirectory() ?? false
}

async function statFile(path: string): Promise<FileStat | undefined> {
  try {
    const found = await stat(path)
    // a directory is not a file
    if (found.isDirectory()) return undefined
    return { sizeBytes: found.size, modifiedMs: Math.floor(found.mtimeMs), inode: found.ino }
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}

async function syncDir(path: string): Promise<void> {
  // Windows has no handles on directories; its file system journals names itself
  if (process.platform === 'win32') return
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Free space of the volume; of the nearest directory above when `path` is not there yet. */
async function freeBytes(path: string): Promise<number> {
  try {
    const volume = await statfs(path)
    return volume.bavail * volume.bsize
  } catch (error) {
    const parent = dirname(path)
    if (isMissing(error) && parent !== path) return freeBytes(parent)
    throw error
  }
}

/** ENOTDIR: a part of the path is a file, so what is asked for cannot be there. */
function isMissing(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException
  return code === 'ENOENT' || code === 'ENOTDIR'
}
