/**
 * What the agent keeps on disk, so that a restart neither loses nor repeats a line:
 *
 *     positions.json         how far each file has been read, as of batch `sequence`
 *     <sequence>.batch       a batch that was read but not yet acknowledged, byte for byte as it is sent
 *
 * A batch file is written and synced *before* the batch is sent the first time, with the positions behind it. After a crash
 * the same bytes are sent again, with the same timestamps and streams, and the server drops those that it has already. Only
 * then reading goes on, from the positions of the newest batch. A batch file goes when the batch is acknowledged and
 * positions.json is behind it. A torn batch file was never sent: it is dropped and its lines are read again.
 *
 * Layout of a batch file: "EDDABAT1", uint32 size of the head, uint32 size of the body, uint32 CRC-32 of head and body, head
 * (JSON), body. Numbers are little-endian. See docs/send/agent.md.
 */
import { crc32 } from '#/kernel/crc32.ts'
import type { Disk } from '#/kernel/world.ts'
import type { Logger } from '#/platform/telemetry/logger.ts'
import { type FilePosition, type PositionsSnapshot, printSnapshot, readSnapshot } from './position.ts'

const MAGIC = Buffer.from('EDDABAT1')
const PREFIX_BYTES = MAGIC.length + 12
const batchName = /^(\d{12})\.batch$/

export type StoredBatch = { readonly sequence: number; readonly lines: number; readonly bytes: number }
export type RestoredState = { readonly positions: PositionsSnapshot; readonly pending: readonly StoredBatch[] }

export class StateDir {
  readonly #dir: string
  readonly #disk: Disk
  readonly #logger: Logger

  constructor(dir: string, disk: Disk, logger: Logger) {
    this.#dir = dir
    this.#disk = disk
    this.#logger = logger
  }

  /** Where the agent stopped, and the batches to send again, oldest first. */
  async restore(): Promise<RestoredState> {
    await this.#disk.makeDir(this.#dir)
    const saved = await this.#readPositions()
    let { sequence, lastTimestampNs } = saved
    const files = new Map(saved.files.map((file) => [file.id, file]))
    const pending: StoredBatch[] = []
    for (const { name } of await this.#disk.list(this.#dir)) {
      if (!batchName.test(name)) continue
      const batch = parseBatch(await this.#disk.readFile(`${this.#dir}/${name}`))
      if (batch === undefined) {
        this.#logger.warn('dropped a torn batch file; its lines are read again', { file: name })
        await this.#disk.remove(`${this.#dir}/${name}`)
        continue
      }
      pending.push({ sequence: batch.head.sequence, lines: batch.lines, bytes: batch.bytes })
      if (batch.head.sequence <= sequence) continue
      for (const file of batch.head.files) files.set(file.id, file)
      sequence = batch.head.sequence
      lastTimestampNs = batch.head.lastTimestampNs > lastTimestampNs ? batch.head.lastTimestampNs : lastTimestampNs
    }
    return { positions: { sequence, lastTimestampNs, files: [...files.values()] }, pending }
  }

  /** Makes a batch durable together with the positions behind it. */
  async addBatch(head: PositionsSnapshot, size: { lines: number; bytes: number }, body: Buffer): Promise<void> {
    const text = Buffer.from(JSON.stringify({ ...(printSnapshot(head) as object), ...size }))
    const prefix = Buffer.alloc(PREFIX_BYTES)
    MAGIC.copy(prefix)
    prefix.writeUInt32LE(text.length, MAGIC.length)
    prefix.writeUInt32LE(body.length, MAGIC.length + 4)
    prefix.writeUInt32LE(crc32(body, crc32(text)), MAGIC.length + 8)
    await this.#disk.writeFile(this.#pathOf(head.sequence), Buffer.concat([prefix, text, body]), { sync: true })
    await this.#disk.syncDir(this.#dir)
  }

  async readBody(sequence: number): Promise<Buffer> {
    const batch = parseBatch(await this.#disk.readFile(this.#pathOf(sequence)))
    if (batch === undefined) throw new Error(`batch file ${this.#pathOf(sequence)} is damaged`)
    return batch.body
  }

  async removeBatch(sequence: number): Promise<void> {
    await this.#disk.remove(this.#pathOf(sequence))
  }

  async writePositions(positions: PositionsSnapshot): Promise<void> {
    const path = `${this.#dir}/positions.json`
    const text = `${JSON.stringify({ version: 1, ...(printSnapshot(positions) as object) }, undefined, 2)}\n`
    await this.#disk.writeFile(`${path}.new`, Buffer.from(text), { sync: true })
    await this.#disk.rename(`${path}.new`, path)
    await this.#disk.syncDir(this.#dir)
  }

  async #readPositions(): Promise<PositionsSnapshot> {
    const path = `${this.#dir}/positions.json`
    if ((await this.#disk.stat(path)) === undefined) return { sequence: 0, lastTimestampNs: 0n, files: [] }
    try {
      return readSnapshot(JSON.parse((await this.#disk.readFile(path)).toString()))
    } catch (error) {
      throw new Error(`${path}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
    }
  }

  #pathOf(sequence: number): string {
    return `${this.#dir}/${String(sequence).padStart(12, '0')}.batch`
  }
}

type ParsedBatch = {
  readonly head: PositionsSnapshot
  readonly lines: number
  readonly bytes: number
  readonly body: Buffer
}

/** Undefined when the file is torn. */
function parseBatch(file: Buffer): ParsedBatch | undefined {
  if (file.length < PREFIX_BYTES || !file.subarray(0, MAGIC.length).equals(MAGIC)) return undefined
  const headSize = file.readUInt32LE(MAGIC.length)
  const bodySize = file.readUInt32LE(MAGIC.length + 4)
  if (file.length !== PREFIX_BYTES + headSize + bodySize) return undefined
  if (crc32(file.subarray(PREFIX_BYTES)) !== file.readUInt32LE(MAGIC.length + 8)) return undefined
  const text = file.subarray(PREFIX_BYTES, PREFIX_BYTES + headSize).toString()
  const { lines, bytes, ...head } = JSON.parse(text) as { lines: number; bytes: number }
  return { head: readSnapshot(head), lines, bytes, body: file.subarray(PREFIX_BYTES + headSize) }
}

/** The positions in memory: what is behind batches that are safe. */
export class Positions {
  readonly #files: Map<number, FilePosition>
  sequence: number
  lastTimestampNs: bigint
  isDirty = false

  constructor({ sequence, lastTimestampNs, files }: PositionsSnapshot) {
    this.sequence = sequence
    this.lastTimestampNs = lastTimestampNs
    this.#files = new Map(files.map((file) => [file.id, file]))
  }

  get files(): readonly FilePosition[] {
    return [...this.#files.values()]
  }

  apply(snapshot: PositionsSnapshot): void {
    for (const file of snapshot.files) this.#files.set(file.id, file)
    this.sequence = snapshot.sequence
    this.lastTimestampNs = snapshot.lastTimestampNs
    this.isDirty = true
  }

  add(file: FilePosition): void {
    this.#files.set(file.id, file)
    this.isDirty = true
  }

  /** Forgets a file that is gone. */
  delete(id: number): void {
    if (this.#files.delete(id)) this.isDirty = true
  }

  snapshot(): PositionsSnapshot {
    return { sequence: this.sequence, lastTimestampNs: this.lastTimestampNs, files: this.files }
  }
}
