/** The directories that an examination looks at, and the moves of files that a repair makes. */
import type { Findings } from './findings.ts'
import { EddaError, throwIfAborted } from '#/kernel/errors.ts'
import type { Disk, World } from '#/kernel/world.ts'
import type { DoctorProgress } from '#/logs/wire/doctor.ts'

export type DataPlaces = {
  /** The data directory; the quarantine is made in it. */
  readonly root: string
  readonly blocks: string
  readonly wal: string
}

export type Examination = {
  readonly world: World
  readonly places: DataPlaces
  /** Whether a server has the directory open. */
  readonly isLive: boolean
  /** Undefined when nothing may be changed. */
  readonly quarantine: Quarantine | undefined
  readonly findings: Findings
  readonly onProgress: (progress: DoctorProgress) => void
  readonly signal: AbortSignal
}

const copyBytes = 1024 * 1024

/** Takes damaged things out of the way. Nothing is ever deleted: what lay at `<root>/a/b` lies at `<quarantine>/a/b` then. */
export class Quarantine {
  readonly directory: string
  isUsed = false
  readonly #disk: Disk
  readonly #places: DataPlaces
  readonly #made = new Set<string>()

  constructor(disk: Disk, places: DataPlaces, directory: string) {
    this.#disk = disk
    this.#places = places
    this.directory = directory
  }

  /** Moves a file here; gives its new path. */
  async take(path: string): Promise<string> {
    this.isUsed = true
    const { root, blocks, wal } = this.#places
    const inside = [`${root}/`, `${blocks}/`, `${wal}/`].find((start) => path.startsWith(start)) ?? ''
    const name = (inside === `${blocks}/` ? 'blocks/' : inside === `${wal}/` ? 'wal/' : '') + path.slice(inside.length)
    const target = `${this.directory}/${name}`
    await this.move(path, target)
    return target
  }

  /** Moves a file to a name that must be free, durably. */
  async move(from: string, to: string): Promise<void> {
    if ((await this.#disk.stat(to)) !== undefined) throw new EddaError('internal', `${to} exists already`)
    const [fromDir, toDir] = [parentOf(from), parentOf(to)]
    await this.#makeDir(toDir)
    try {
      await this.#disk.rename(from, to)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EXDEV') throw error
      await this.#copy(from, to)
      await this.#disk.syncDir(toDir)
      await this.#disk.remove(from)
    }
    await this.#disk.syncDir(toDir)
    if (fromDir !== toDir) await this.#disk.syncDir(fromDir)
  }

  /** To another volume. */
  async #copy(from: string, to: string): Promise<void> {
    const source = await this.#disk.openRead(from)
    try {
      const target = await this.#disk.openAppend(to, { create: true })
      try {
        const buffer = Buffer.allocUnsafeSlow(copyBytes)
        for (let offset = 0; offset < source.sizeBytes;) {
          const count = await source.read(buffer, offset)
          await target.append([buffer.subarray(0, count)])
          offset += count
        }
        await target.sync()
      } finally {
        await target.close()
      }
    } finally {
      await source.close()
    }
  }

  async #makeDir(dir: string): Promise<void> {
    if (this.#made.has(dir)) return
    if (dir.length > this.#places.root.length && dir.startsWith(this.#places.root)) await this.#makeDir(parentOf(dir))
    await this.#disk.makeDir(dir)
    await this.#disk.syncDir(parentOf(dir) || '/')
    this.#made.add(dir)
  }
}

export function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')))
}

/**
 * Runs a step. What the system cannot read becomes a finding, what is gone beside a running server is none, and only an abort
 * ends the examination.
 */
export async function orFinding<T>(exam: Examination, file: string, run: () => Promise<T>): Promise<T | undefined> {
  throwIfAborted(exam.signal)
  try {
    return await run()
  } catch (error) {
    throwIfAborted(exam.signal)
    const { code, message } = error as { readonly code?: string; readonly message: string }
    if (exam.isLive && (code === 'ENOENT' || code === 'not_found')) return undefined
    exam.findings.add('unreadable-file', { file, problem: message })
    return undefined
  }
}
