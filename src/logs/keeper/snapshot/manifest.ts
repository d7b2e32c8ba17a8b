/**
 * The manifest of a snapshot: lines of JSON. docs/formats/snapshot.md describes it.
 *
 *     {"format":"edda-snapshot","version":1,"name":…,"created":…}
 *     {"key":…,"kind":"block"|"state","sizeBytes":…,"sha256":…}            one for each object; blocks also have "rows"
 *     {"end":true,"objects":…,"bytes":…,"rows":…,"sha256":…}                of all bytes before this line
 *
 * Read and written line by line, so that its size is not a matter of memory.
 */
import { createHash } from 'node:crypto'

import { Corruption } from '#/kernel/errors.ts'
import type { AppendFile, Disk } from '#/kernel/world.ts'

const FORMAT = 'edda-snapshot'
const VERSION = 1
const writeBytes = 256 * 1024
const readBytes = 256 * 1024
/** Longest line: a key of an object store has 1024 bytes at most. */
const maxLineBytes = 16 * 1024

export type ManifestEntry = {
  readonly key: string
  readonly kind: 'block' | 'state'
  readonly sizeBytes: number
  readonly sha256: string
  readonly rows?: number
}
export type ManifestHead = { readonly name: string; readonly created: string }
export type ManifestTotals = { readonly objects: number; readonly bytes: number; readonly rows: number }

export class ManifestWriter {
  readonly #file: AppendFile
  readonly #hash = createHash('sha256')
  readonly #totals = { objects: 0, bytes: 0, rows: 0 }
  #lines: string[] = []
  #waitingBytes = 0

  constructor(file: AppendFile, { name, created }: ManifestHead) {
    this.#file = file
    this.#line({ format: FORMAT, version: VERSION, name, created })
  }

  async add(entry: ManifestEntry): Promise<void> {
    this.#totals.objects++
    this.#totals.bytes += entry.sizeBytes
    this.#totals.rows += entry.rows ?? 0
    this.#line(entry)
    if (this.#waitingBytes >= writeBytes) await this.#flush()
  }

  async finish(): Promise<ManifestTotals> {
    await this.#flush()
    const totals = { ...this.#totals }
    await this.#file.append([
      Buffer.from(`${JSON.stringify({ end: true, ...totals, sha256: this.#hash.digest('hex') })}\n`),
    ])
    return totals
  }

  #line(value: object): void {
    const line = `${JSON.stringify(value)}\n`
    this.#waitingBytes += line.length
    this.#lines.push(line)
  }

  async #flush(): Promise<void> {
    const bytes = Buffer.from(this.#lines.join(''))
    this.#lines = []
    this.#waitingBytes = 0
    this.#hash.update(bytes)
    await this.#file.append([bytes])
  }
}

export type ReadManifest = { readonly head: ManifestHead; readonly totals: ManifestTotals }

/**
 * Visits the objects of a manifest. What was visited may be trusted when this resolves, and not before.
 * @throws Corruption when the manifest is not what was written.
 */
export async function readManifest(
  disk: Disk,
  path: string,
  visit: (entry: ManifestEntry) => void | Promise<void> = () => undefined,
): Promise<ReadManifest> {
  const hash = createHash('sha256')
  const totals = { objects: 0, bytes: 0, rows: 0 }
  let head: ManifestHead | undefined
  let offset = 0
  let isEnded = false
  const wrong = (what: string): Corruption => new Corruption({ file: path, offset }, what)
  for await (const line of linesOf(disk, path)) {
    if (isEnded) throw wrong('something follows the end of the manifest')
    const value = parseLine(line)
    if (value === undefined) throw wrong('a line of the manifest is not a JSON object')
    if (head === undefined) head = headOf(value, wrong)
    else if (value['end'] === true) {
      checkEnd(value, totals, hash.digest('hex'), wrong)
      isEnded = true
    } else {
      const entry = entryOf(value)
      if (entry === undefined) throw wrong('a line of the manifest does not name an object with size and checksum')
      totals.objects++
      totals.bytes += entry.sizeBytes
      totals.rows += entry.rows ?? 0
      await visit(entry)
    }
    if (!isEnded) hash.update(line).update('\n')
    offset += line.length + 1
  }
  if (head === undefined || !isEnded) throw wrong('the manifest has no end: it was cut off')
  return { head, totals }
}

/** The first line alone. @throws Corruption when it is none. */
export async function readManifestHead(disk: Disk, path: string): Promise<ManifestHead> {
  const wrong = (what: string): Corruption => new Corruption({ file: path, offset: 0 }, what)
  for await (const line of linesOf(disk, path)) return headOf(parseLine(line) ?? {}, wrong)
  throw wrong('the manifest is empty')
}

function headOf(value: Fields, wrong: (what: string) => Corruption): ManifestHead {
  const { format, version, name, created } = value
  if (format !== FORMAT) throw wrong(`it is not of format ${FORMAT}`)
  if (version !== VERSION) throw wrong(`version ${String(version)} is not ${VERSION}`)
  if (typeof name !== 'string' || typeof created !== 'string') throw wrong('the manifest has no name and time')
  return { name, created }
}

function checkEnd(value: Fields, totals: ManifestTotals, sha256: string, wrong: (what: string) => Corruption): void {
  if (value['sha256'] !== sha256)
    throw wrong(`checksum of the manifest is ${sha256}, expected ${String(value['sha256'])}`)
  if (value['objects'] === totals.objects && value['bytes'] === totals.bytes) return
  throw wrong(`${totals.objects} objects are listed, ${String(value['objects'])} were written`)
}

function entryOf({ key, kind, sizeBytes, sha256, rows }: Fields): ManifestEntry | undefined {
  if (typeof key !== 'string' || (kind !== 'block' && kind !== 'state')) return undefined
  if (typeof sizeBytes !== 'number' || !Number.isSafeInteger(sizeBytes) || sizeBytes < 0) return undefined
  if (typeof sha256 !== 'string' || !/^[0-9a-f]{64}$/.test(sha256)) return undefined
  return { key, kind, sizeBytes, sha256, ...(typeof rows === 'number' && { rows }) }
}

type Fields = {
  readonly [name: string]: unknown
  readonly format?: unknown
  readonly version?: unknown
  readonly name?: unknown
  readonly created?: unknown
  readonly key?: unknown
  readonly kind?: unknown
  readonly sizeBytes?: unknown
  readonly sha256?: unknown
  readonly rows?: unknown
}

function parseLine(line: Buffer): Fields | undefined {
  try {
    const value: unknown = JSON.parse(line.toString('utf8'))
    return typeof value === 'object' && value !== null ? (value as Fields) : undefined
  } catch {
    return undefined
  }
}

/** Lines without their line feeds, valid until the next one. */
async function* linesOf(disk: Disk, path: string): AsyncGenerator<Buffer> {
  const file = await disk.openRead(path)
  try {
    let rest = Buffer.alloc(0)
    for (let offset = 0; offset < file.sizeBytes;) {
      const chunk = Buffer.allocUnsafeSlow(Math.min(readBytes, file.sizeBytes - offset))
      const count = await file.read(chunk, offset)
      if (count === 0) break
      offset += count
      const bytes = Buffer.concat([rest, chunk.subarray(0, count)])
      let start = 0
      for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, start)) {
        yield bytes.subarray(start, end)
        start = end + 1
      }
      rest = bytes.subarray(start)
      if (rest.length > maxLineBytes)
        throw new Corruption(
          { file: path, offset: offset - rest.length },
          `a line is longer than ${maxLineBytes} bytes`,
        )
    }
    if (rest.length > 0)
      throw new Corruption({ file: path, offset: file.sizeBytes }, 'the manifest has no end: it was cut off')
  } finally {
    await file.close()
  }
}
