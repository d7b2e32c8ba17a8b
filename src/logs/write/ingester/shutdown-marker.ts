/**
 * The file by which an operator announces that this process is to be removed. It outlives restarts until it is taken back. A stop
 * flushes everything anyway; tools that scale a cluster down set the marker first and look whether it is there.
 */
import { dirname, join } from 'node:path'

import type { Disk } from '#/kernel/world.ts'

const fileName = 'shutdown-requested.txt'

export class ShutdownMarker {
  readonly #disk: Disk
  readonly #path: string

  constructor(disk: Disk, directory: string) {
    this.#disk = disk
    this.#path = join(directory, fileName)
  }

  async isSet(): Promise<boolean> {
    return (await this.#disk.stat(this.#path)) !== undefined
  }

  /** Durable when it resolves. @throws Node's error when the disk refuses. */
  async set(nowMs: number): Promise<void> {
    const directory = dirname(this.#path)
    await this.#disk.makeDir(directory)
    await this.#disk.writeFile(this.#path, Buffer.from(`${new Date(nowMs).toISOString()}\n`), { sync: true })
    await this.#disk.syncDir(directory)
  }

  async clear(): Promise<void> {
    if (!(await this.isSet())) return
    await this.#disk.remove(this.#path)
    await this.#disk.syncDir(dirname(this.#path))
  }
}
