/** The part of a stored label index that belongs to one label name: its values, and which stream has which. */
import { FORM_DENSE, FORM_SPARSE } from './label-index-format.ts'
import { asBuffer, ByteReader, type ByteOrigin } from '#/kernel/byte-reader.ts'
import type { KeptParts } from '#/platform/memory/kept-parts.ts'
import { decodePackedU32 } from '#/storage/column/packed-u32.ts'
import { unsealColumn } from '#/storage/column/sealed.ts'

/** Values of a name are kept as strings when it has at most so many. */
const MAX_KEPT_STRINGS = 256

/** Values back to back as UTF-8, ascending by bytes; value i ends at `ends[i]` and begins where the one before ends. */
export type NameValues = { readonly bytes: Buffer; readonly ends: Uint32Array }

export type Codes = Uint8Array | Uint16Array | Uint32Array

/** Who has the label: 0 without it, else 1 + the position of the value; by stream, or of `ordinals`, which ascend. */
export type Owners = { readonly ordinals: Uint32Array | undefined; readonly codes: Codes }

type Part = { readonly encoding: number; readonly bytes: Uint8Array; readonly origin: ByteOrigin }

type Where = {
  readonly streamCount: number
  readonly origin: ByteOrigin
  /** Keeps what is decoded. */
  readonly parts: KeptParts
}

export class NameColumn {
  readonly name: string
  readonly valueCount: number
  /** Streams that have the label. */
  readonly ownerCount: number
  readonly #form: number
  readonly #where: Where
  readonly #values: Part
  readonly #codes: Part
  /** By position, of names with few values. */
  readonly #strings: string[] = []

  constructor(reader: ByteReader, where: Where) {
    const { streamCount, origin } = where
    this.#where = where
    this.name = reader.text()
    this.valueCount = reader.count(streamCount, 'values')
    this.#form = reader.u8()
    if (this.#form > FORM_SPARSE) throw reader.corruption(`form ${this.#form} of label '${this.name}'`)
    this.ownerCount = reader.count(streamCount, 'streams of a label')
    this.#values = readPart(reader, origin)
    this.#codes = readPart(reader, origin)
  }

  /** Whether no stream is without the label. */
  get isEverywhere(): boolean {
    return this.ownerCount === this.#where.streamCount
  }

  values(): NameValues {
    return this.#where.parts.get(`values ${this.name}`, () => {
      const reader = openPart(this.#values)
      const ends = decodePackedU32(reader, this.valueCount)
      let size = 0
      for (let i = 0; i < ends.length; i++) ends[i] = size += ends[i]!
      const bytes = asBuffer(reader.bytes(size))
      reader.end()
      return { value: { bytes, ends }, bytes: ends.byteLength + bytes.length }
    })
  }

  value(position: number): string {
    return this.#strings[position] ?? this.#readValue(this.values(), position)
  }

  /** To look at single streams, many of them in one go: the value of a stream, undefined where it has none. */
  valueReader(): (ordinal: number) => string | undefined {
    const { ordinals, codes } = this.owners()
    const values = this.values()
    return (ordinal) => {
      const at = ordinals === undefined ? ordinal : positionOf(ordinals, ordinal)
      const position = at < 0 ? -1 : codes[at]! - 1
      return position < 0 ? undefined : (this.#strings[position] ?? this.#readValue(values, position))
    }
  }

  #readValue({ bytes, ends }: NameValues, position: number): string {
    const text = bytes.toString('utf8', position === 0 ? 0 : ends[position - 1]!, ends[position])
    if (this.valueCount <= MAX_KEPT_STRINGS) this.#strings[position] = text
    return text
  }

  /** The position of a value; undefined when there is none like it. */
  find(value: string): number | undefined {
    const { bytes, ends } = this.values()
    const wanted = Buffer.from(value)
    let [low, high] = [0, ends.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      const order = bytes.compare(wanted, 0, wanted.length, middle === 0 ? 0 : ends[middle - 1]!, ends[middle])
      if (order === 0) return middle
      if (order < 0) low = middle + 1
      else high = middle
    }
    return undefined
  }

  owners(): Owners {
    return this.#where.parts.get(`codes ${this.name}`, () => {
      const value = this.#readOwners()
      return { value, bytes: value.codes.byteLength + (value.ordinals?.byteLength ?? 0) }
    })
  }

  /** By stream: 0 without the label, else 1 + the position of the value. */
  allCodes(): Codes {
    const { ordinals, codes } = this.owners()
    if (ordinals === undefined) return codes
    const { streamCount } = this.#where
    const all = codes instanceof Uint8Array ? new Uint8Array(streamCount) : new Uint32Array(streamCount)
    for (let i = 0; i < ordinals.length; i++) all[ordinals[i]!] = codes[i]!
    return all
  }

  /** The codes of some streams, one by one. */
  codesOf(wanted: Uint32Array): Uint32Array {
    const { ordinals, codes } = this.owners()
    const found = new Uint32Array(wanted.length)
    for (let i = 0; i < wanted.length; i++) {
      const at = ordinals === undefined ? wanted[i]! : positionOf(ordinals, wanted[i]!)
      if (at >= 0) found[i] = codes[at]!
    }
    return found
  }

  #readOwners(): Owners {
    const { streamCount } = this.#where
    const reader = openPart(this.#codes)
    const ordinals = this.#form === FORM_DENSE ? undefined : decodePackedU32(reader, this.ownerCount)
    const codes = decodePackedU32(reader, ordinals === undefined ? streamCount : this.ownerCount)
    reader.end()
    if (ordinals !== undefined) addUp(ordinals, streamCount, reader)
    let owners = 0
    for (let i = 0; i < codes.length; i++) {
      const code = codes[i]!
      if (code > this.valueCount) throw reader.corruption(`code ${code} of ${this.valueCount}`)
      if (code !== 0) owners++
    }
    if (owners !== this.ownerCount) throw reader.corruption(`${owners} streams with a label, not ${this.ownerCount}`)
    return { ordinals, codes: narrowed(codes, this.valueCount) }
  }
}

/** From steps to ordinals, in place. */
function addUp(ordinals: Uint32Array, streamCount: number, reader: ByteReader): void {
  for (let i = 0, ordinal = 0; i < ordinals.length; i++) {
    if (i > 0 && ordinals[i] === 0) throw reader.corruption(`stream ${ordinal} occurs twice`)
    ordinal += ordinals[i]!
    ordinals[i] = ordinal
    if (ordinal >= streamCount) throw reader.corruption(`stream ${ordinal} of ${streamCount}`)
  }
}

/** In as few bytes as codes up to `most` need. */
function narrowed(codes: Uint32Array, most: number): Codes {
  if (most < 2 ** 8) return new Uint8Array(codes)
  return most < 2 ** 16 ? new Uint16Array(codes) : codes
}

/** -1 when `ordinal` is not there. */
function positionOf(ordinals: Uint32Array, ordinal: number): number {
  let [low, high] = [0, ordinals.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (ordinals[middle]! < ordinal) low = middle + 1
    else high = middle
  }
  return ordinals[low] === ordinal ? low : -1
}

function readPart(reader: ByteReader, origin: ByteOrigin): Part {
  const encoding = reader.u8()
  const size = reader.uvarint()
  const offset = origin.offset + reader.position
  return { encoding, bytes: reader.bytes(size), origin: { file: origin.file, offset } }
}

function openPart({ encoding, bytes, origin }: Part): ByteReader {
  return new ByteReader(unsealColumn(encoding, bytes, origin), origin)
}
