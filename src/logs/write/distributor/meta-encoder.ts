/**
 * Writes the structured metadata of rows in the form of `EntryBatch.meta`: names normalised and numbered, values made UTF-8, and
 * `detected_level` behind them. Records stand back to back in the order of rows.
 */
import { levelNames, levelOfSeverityNumber, levelOfWord, normalizeLevel, type LevelCode } from './levels.ts'
import { TooLarge } from '#/kernel/errors.ts'
import { replaceInvalidUtf8 } from '#/kernel/utf8.ts'
import { writeUvarint } from '#/kernel/varint.ts'
import { normalizeMetadataName } from '#/logs/model/metadata-name.ts'
import type { PushColumns } from '#/logs/write/push/push-columns.ts'

/** Encoded metadata of one push; OTLP repeats resource attributes on every record, which could grow without end. */
export const maxMetaBytesPerPush = 512 * 1024 * 1024
/** Different names in one push. */
export const maxMetaNamesPerPush = 65_536

const SPACE = 0x20
/** What a name means for the level, beside ranks of level fields, which are ≥ 0. */
const ORDINARY = -1
const DETECTED_LEVEL = -2
const SEVERITY_NUMBER = -3

/** Guess of the bytes that metadata takes of a body, for the first size. */
const META_SHARE = 0.4
/** Two uvarints of at most 32 bits. */
const maxHeaderBytes = 10

export class MetaEncoder {
  readonly names: string[] = []
  /** Of the row that was encoded last. */
  start = 0
  length = 0
  readonly #columns: PushColumns
  readonly #levelFields: readonly string[]
  #bytes: Buffer
  #size = 0
  readonly #idOfRaw = new Map<string, number>()
  readonly #idOfName = new Map<string, number>()
  /** By id: what the name means. */
  readonly #meaning: number[] = []
  /** By id: the last row that had the name, plus one. */
  readonly #lastRow: number[] = []
  /** By place within the row: the name that stood there last, as most rows of a push have the same names. */
  readonly #placeStart: number[] = []
  readonly #placeLength: number[] = []
  readonly #placeId: number[] = []
  /** Records of levels by their text, ready to be copied. */
  readonly #levels = new Map<string, Uint8Array>()
  readonly #byCode: readonly Uint8Array[] = []
  /** Of the row that is being encoded: the level found in its metadata, and the rank of the field that gave it. */
  #level: string | undefined
  #levelRank = 0
  #hasDetected = false

  /** @param levelFields Names that tell a level; undefined when rows get no `detected_level`. */
  constructor(columns: PushColumns, levelFields: readonly string[] | undefined) {
    this.#columns = columns
    this.#bytes = columns.memory.bytes(Math.max(1024, Math.ceil(columns.pairBytes.length * META_SHARE)))
    this.#levelFields = levelFields ?? []
    if (levelFields !== undefined) this.#byCode = levelNames.map((name) => this.#levelRecord(name))
  }

  /** Everything that was written; ends the use of the encoder. */
  finish(): Buffer {
    return this.#bytes.subarray(0, this.#size)
  }

  setNothing(): void {
    this.start = 0
    this.length = 0
  }

  /** The row has nothing but a level that was detected. */
  setLevelCode(code: LevelCode): void {
    this.start = this.#size
    this.closeDetected(code)
  }

  /** The row has nothing but a level, which can be any text. */
  setLevel(text: string): void {
    this.start = this.#size
    this.#copyRecord(this.#levelRecord(text))
    this.length = this.#size - this.start
  }

  /** Encodes the pairs of `row`. Then `closeRow` must follow. @throws BadRequest when a name cannot be normalised. */
  openRow(row: number): void {
    const { pairs, pairStart, pairCount } = this.#columns
    this.start = this.#size
    this.#level = undefined
    this.#levelRank = Number.POSITIVE_INFINITY
    this.#hasDetected = false
    const first = pairStart[row]!
    const count = pairCount[row]!
    for (let place = 0; place < count; place++) {
      const at = (first + place) * 4
      const id = this.#idAt(place, pairs[at]!, pairs[at + 1]!)
      if (this.#lastRow[id] === row + 1) return this.#encodeUnique(row)
      this.#lastRow[id] = row + 1
      this.#writePair(id, pairs[at + 2]!, pairs[at + 3]!)
    }
  }

  /** Adds a value to the open row, unless it has one of this name. */
  addText(row: number, name: string, text: string): void {
    const id = this.#idOf(name)
    if (this.#lastRow[id] === row + 1) return
    this.#lastRow[id] = row + 1
    this.#writeText(id, text)
  }

  /** The level that the row's metadata gives it, beside `detected_level` itself. */
  get rowLevel(): string | undefined {
    return this.#level
  }

  /** Whether the row came with `detected_level`. */
  get hasDetected(): boolean {
    return this.#hasDetected
  }

  /** Ends the row as it is, without what `openRow` wrote. */
  abandonRow(): void {
    this.#size = this.start
  }

  /** Ends the row, with a level when there is one to add. */
  closeRow(level: string | undefined): void {
    const known = level === undefined ? undefined : this.#levels.get(level)
    if (known !== undefined) this.#copyRecord(known)
    else if (level !== undefined) this.#writeText(this.#idOf('detected_level'), level)
    this.length = this.#size - this.start
  }

  /** Ends the row, with a level that was detected. */
  closeDetected(code: LevelCode): void {
    this.#copyRecord(this.#byCode[code]!)
    this.length = this.#size - this.start
  }

  #copyRecord(record: Uint8Array): void {
    const size = record.length
    this.#reserve(size)
    const bytes = this.#bytes
    const at = this.#size
    for (let index = 0; index < size; index++) bytes[at + index] = record[index]!
    this.#size = at + size
  }

  /** A row in which a name occurs twice: the last value counts. */
  #encodeUnique(row: number): void {
    const { pairs, pairStart, pairCount } = this.#columns
    this.#size = this.start
    this.#level = undefined
    this.#levelRank = Number.POSITIVE_INFINITY
    const byId = new Map<number, number>()
    for (let place = 0; place < pairCount[row]!; place++) {
      const at = (pairStart[row]! + place) * 4
      const id = this.#idAt(place, pairs[at]!, pairs[at + 1]!)
      this.#lastRow[id] = row + 1
      byId.set(id, at)
    }
    for (const [id, at] of byId) this.#writePair(id, pairs[at + 2]!, pairs[at + 3]!)
  }

  #writePair(id: number, valueStart: number, valueLength: number): void {
    const source = this.#columns.pairBytes
    const meaning = this.#meaning[id]!
    if (meaning !== ORDINARY && this.#noteLevel(id, meaning, valueStart, valueLength)) return
    this.#reserve(valueLength + maxHeaderBytes)
    const bytes = this.#bytes
    const start = writeUvarint(bytes, writeUvarint(bytes, this.#size, id), valueLength)
    let seen = 0
    if (valueLength < 48) {
      for (let index = 0; index < valueLength; index++) seen |= bytes[start + index] = source[valueStart + index]!
    } else {
      source.copy(bytes, start, valueStart, valueStart + valueLength)
      seen = 0x80
    }
    this.#size = start + valueLength
    if (seen >= 0x80) replaceInvalidUtf8(bytes, start, this.#size, SPACE)
  }

  /** Looks at a value that tells the level. True when it was written already, as `detected_level` is. */
  #noteLevel(id: number, meaning: number, valueStart: number, valueLength: number): boolean {
    const source = this.#columns.pairBytes
    const code = levelOfWord(source, valueStart, valueStart + valueLength)
    if (meaning === DETECTED_LEVEL) {
      this.#hasDetected = true
      if (code !== 0) this.#writeText(id, levelNames[code]!)
      return code !== 0
    }
    // severity_number comes after all level fields
    const rank = meaning === SEVERITY_NUMBER ? this.#levelFields.length : meaning
    if (rank >= this.#levelRank) return false
    const text = code !== 0 ? levelNames[code]! : source.toString('utf8', valueStart, valueStart + valueLength)
    this.#levelRank = rank
    this.#level = meaning === SEVERITY_NUMBER ? levelOfSeverityNumber(text) : normalizeLevel(text)
    return false
  }

  /** Number of the name that is `pairBytes[start, start + length)`. */
  #idAt(place: number, start: number, length: number): number {
    const bytes = this.#columns.pairBytes
    if (this.#placeLength[place] === length) {
      const known = this.#placeStart[place]!
      let index = 0
      while (index < length && bytes[start + index] === bytes[known + index]) index++
      if (index === length) return this.#placeId[place]!
    }
    const raw = bytes.toString('latin1', start, start + length)
    let id = this.#idOfRaw.get(raw)
    if (id === undefined) {
      id = this.#idOf(normalizeMetadataName(bytes.toString('utf8', start, start + length)))
      this.#idOfRaw.set(raw, id)
      if (this.#idOfRaw.size > maxMetaNamesPerPush) {
        throw new TooLarge(`push of more than ${maxMetaNamesPerPush} different structured metadata names`)
      }
    }
    this.#placeStart[place] = start
    this.#placeLength[place] = length
    this.#placeId[place] = id
    return id
  }

  #idOf(name: string): number {
    const known = this.#idOfName.get(name)
    if (known !== undefined) return known
    const id = this.names.push(name) - 1
    this.#idOfName.set(name, id)
    const rank = this.#levelFields.indexOf(name)
    const special = name === 'detected_level' ? DETECTED_LEVEL : name === 'severity_number' ? SEVERITY_NUMBER : ORDINARY
    this.#meaning.push(rank >= 0 ? rank : special)
    this.#lastRow.push(0)
    return id
  }

  #levelRecord(text: string): Uint8Array {
    let record = this.#levels.get(text)
    if (record === undefined) {
      const start = this.#size
      this.#writeText(this.#idOf('detected_level'), text)
      record = Uint8Array.from(this.#bytes.subarray(start, this.#size))
      this.#size = start
      this.#levels.set(text, record)
    }
    return record
  }

  #writeText(id: number, text: string): void {
    this.#reserve(text.length * 3 + maxHeaderBytes)
    const length = Buffer.byteLength(text)
    const at = writeUvarint(this.#bytes, writeUvarint(this.#bytes, this.#size, id), length)
    this.#size = at + this.#bytes.write(text, at, 'utf8')
  }

  #reserve(size: number): void {
    const needed = this.#size + size
    if (needed <= this.#bytes.length) return
    if (needed > maxMetaBytesPerPush) {
      throw new TooLarge(`push of more than ${maxMetaBytesPerPush} bytes of structured metadata`)
    }
    const larger = this.#columns.memory.bytes(Math.max(this.#bytes.length * 2, needed))
    this.#bytes.copy(larger, 0, 0, this.#size)
    this.#bytes = larger
  }
}
