/**
 * Reads a stored label index. Only the directory of names is read at once; the rest when something is asked, into one compact form
 * that matchers and worker threads share (./coded-labels.ts).
 */
import { firstPairOf, hashPairs, sharedU32, valueOfPair, type CodedLabels } from './coded-labels.ts'
import { FORM_DENSE, FORM_SPARSE } from './label-index-format.ts'
import { setPositions } from './label-index-builder.ts'
import type { Label, LabelIndex, LabelMatcher, Labels } from './label-index.ts'
import { assert } from '#/kernel/assert.ts'
import { asBuffer, ByteReader } from '#/kernel/byte-reader.ts'
import type { ByteOrigin } from '#/kernel/byte-reader.ts'
import { decodePackedU32 } from '#/storage/column/packed-u32.ts'
import { unsealColumn } from '#/storage/column/sealed.ts'

const MAX_STREAMS = 2 ** 28
/** Values of a name are kept as strings when it has at most so many. */
const MAX_KEPT_STRINGS = 256
/** What a JavaScript string and its place in an array cost beyond its characters. */
const STRING_OVERHEAD_BYTES = 32
/** Of a pair: position of its name, end of its value, two words of its hash. */
const BYTES_PER_PAIR = 16

export type OpenLabelIndexOptions = {
  /** Where `bytes` come from, for errors. */
  readonly origin: ByteOrigin
  /** Canonical text of labels. */
  readonly formatText: (labels: Labels) => string
}

/** @throws Corruption here or, for damage inside the part of a name, when a label is first asked for. */
export function openLabelIndex(bytes: Uint8Array, options: OpenLabelIndexOptions): SealedLabelIndex {
  return new SealedLabelIndex(bytes, options)
}

export class SealedLabelIndex implements LabelIndex {
  readonly count: number
  /** Bytes of memory once everything has been read, estimated from above. */
  readonly memoryBytes: number
  readonly #formatText: (labels: Labels) => string
  readonly #names = new Map<string, StoredName>()
  readonly #labelCount: number
  readonly #valueBytes: number
  readonly #origin: ByteOrigin
  #coded: CodedLabels | undefined
  /** By pair, of names with few values. */
  readonly #strings: (string | undefined)[] = []

  constructor(bytes: Uint8Array, { origin, formatText }: OpenLabelIndexOptions) {
    this.#formatText = formatText
    this.#origin = origin
    const reader = new ByteReader(bytes, origin)
    this.count = reader.count(MAX_STREAMS, 'streams')
    const nameCount = reader.uvarint()
    this.#labelCount = reader.uvarint()
    this.#valueBytes = reader.uvarint()
    let pairCount = 0
    for (let i = 0; i < nameCount; i++) {
      const stored = readName(reader, { streamCount: this.count, origin, firstPair: pairCount })
      if (this.#names.has(stored.name)) throw reader.corruption(`label name '${stored.name}' occurs twice`)
      this.#names.set(stored.name, stored)
      pairCount += stored.valueCount
    }
    reader.end()
    this.memoryBytes =
      bytes.length +
      this.#valueBytes +
      pairCount * BYTES_PER_PAIR +
      (this.#labelCount + this.count) * 4 +
      nameCount * MAX_KEPT_STRINGS * STRING_OVERHEAD_BYTES
  }

  coded(): CodedLabels {
    this.#coded ??= this.#decode()
    return this.#coded
  }

  labels(ordinal: number): Labels {
    assert(ordinal >= 0 && ordinal < this.count, `stream ${ordinal} is one of ${this.count}`)
    const coded = this.coded()
    const labels: Label[] = []
    for (let i = firstPairOf(coded, ordinal); i < coded.ends[ordinal]!; i++) {
      const pair = coded.pairs[i]!
      const name = coded.names[coded.nameOfPair[pair]!]!
      labels.push([name, this.#valueOf(name, pair)])
    }
    return labels
  }

  text(ordinal: number): string {
    return this.#formatText(this.labels(ordinal))
  }

  match(matchers: readonly LabelMatcher[]): Uint32Array {
    const kept = new Uint8Array(this.count).fill(1)
    for (const matcher of matchers) {
      const stored = this.#names.get(matcher.name)
      const passesWithout = matcher.equals === undefined && matcher.matches('')
      if (stored === undefined && !passesWithout) return new Uint32Array(0)
      if (stored !== undefined) this.#drop(matcher, stored, passesWithout, kept)
    }
    return setPositions(kept)
  }

  names(ordinals: Uint32Array | undefined): readonly string[] {
    if (ordinals === undefined) return [...this.#names.keys()]
    const { names, nameOfPair } = this.coded()
    const isUsed = new Uint8Array(names.length)
    for (const pair of setPositions(this.#pairsOf(ordinals))) isUsed[nameOfPair[pair]!] = 1
    return names.filter((_, position) => isUsed[position] === 1)
  }

  values(name: string, ordinals: Uint32Array | undefined): readonly string[] {
    const stored = this.#names.get(name)
    if (stored === undefined) return []
    const isUsed = ordinals && this.#pairsOf(ordinals)
    const values: string[] = []
    for (let pair = stored.firstPair; pair < stored.firstPair + stored.valueCount; pair++) {
      if (isUsed === undefined || isUsed[pair] === 1) values.push(this.#valueOf(name, pair))
    }
    return values
  }

  /** 1 for each pair that one of `ordinals` has. */
  #pairsOf(ordinals: Uint32Array): Uint8Array {
    const coded = this.coded()
    const isUsed = new Uint8Array(coded.nameOfPair.length)
    for (const ordinal of ordinals) {
      for (let i = firstPairOf(coded, ordinal); i < coded.ends[ordinal]!; i++) isUsed[coded.pairs[i]!] = 1
    }
    return isUsed
  }

  /** Clears `kept` where the matcher fails; `passesWithout`: it holds for streams without the label. */
  #drop(
    matcher: LabelMatcher,
    { name, firstPair, valueCount }: StoredName,
    passesWithout: boolean,
    kept: Uint8Array,
  ): void {
    const { pairs, ends } = this.coded()
    const verdicts = new Uint8Array(valueCount)
    if (matcher.equals === undefined) {
      for (let i = 0; i < valueCount; i++) verdicts[i] = matcher.matches(this.#valueOf(name, firstPair + i)) ? 1 : 0
    } else {
      const found = this.#findValue(matcher.equals, firstPair, firstPair + valueCount)
      if (found !== undefined) verdicts[found - firstPair] = 1
    }
    for (let ordinal = 0, i = 0; ordinal < kept.length; ordinal++) {
      let verdict = passesWithout ? 1 : 0
      for (const end = ends[ordinal]!; i < end; i++) {
        const at = pairs[i]! - firstPair
        if (at >= 0 && at < valueCount) verdict = verdicts[at]!
      }
      kept[ordinal]! &= verdict
    }
  }

  /** The pair among [from, to), whose values ascend by bytes, that has this value. */
  #findValue(value: string, from: number, to: number): number | undefined {
    const { values, valueEnds } = this.coded()
    const bytes = asBuffer(values)
    const wanted = Buffer.from(value)
    let [low, high] = [from, to]
    while (low < high) {
      const middle = (low + high) >>> 1
      const start = middle === 0 ? 0 : valueEnds[middle - 1]!
      const order = bytes.compare(wanted, 0, wanted.length, start, valueEnds[middle])
      if (order === 0) return middle
      if (order < 0) low = middle + 1
      else high = middle
    }
    return undefined
  }

  #valueOf(name: string, pair: number): string {
    const coded = this.coded()
    if (this.#names.get(name)!.valueCount > MAX_KEPT_STRINGS) return valueOfPair(coded, pair)
    return (this.#strings[pair] ??= valueOfPair(coded, pair))
  }

  #decode(): CodedLabels {
    const stored = [...this.#names.values()]
    const last = stored.at(-1)
    const pairCount = last === undefined ? 0 : last.firstPair + last.valueCount
    const nameOfPair = sharedU32(pairCount)
    for (const [position, { firstPair, valueCount }] of stored.entries()) {
      nameOfPair.fill(position, firstPair, firstPair + valueCount)
    }
    const names = stored.map(({ name }) => name)
    const pairs = { names, nameOfPair, ...this.#decodeValues(stored, pairCount) }
    const pairHashes = sharedU32(pairCount * 2)
    hashPairs(pairs, pairHashes)
    return { ...pairs, pairHashes, ...this.#decodeRows(stored) }
  }

  #decodeValues(stored: readonly StoredName[], pairCount: number): Pick<CodedLabels, 'values' | 'valueEnds'> {
    const values = new Uint8Array(new SharedArrayBuffer(this.#valueBytes))
    const valueEnds = sharedU32(pairCount)
    let at = 0
    for (const { valuesPart, valueCount, firstPair } of stored) {
      const reader = openPart(valuesPart)
      const lengths = decodePackedU32(reader, valueCount)
      const first = at
      for (let i = 0; i < valueCount; i++) valueEnds[firstPair + i] = at += lengths[i]!
      if (at > this.#valueBytes) throw reader.corruption(`values of more than ${this.#valueBytes} bytes`)
      values.set(reader.bytes(at - first), first)
      reader.end()
    }
    return { values, valueEnds }
  }

  #decodeRows(stored: readonly StoredName[]): Pick<CodedLabels, 'pairs' | 'ends'> {
    const owners = stored.map((name) => readOwners(name, this.count))
    const next = sharedU32(this.count + 1)
    for (const { ordinals, codes } of owners) {
      for (let i = 0; i < codes.length; i++)
        if (codes[i] !== 0) next[(ordinals === undefined ? i : ordinals[i]!) + 1]!++
    }
    for (let i = 1; i <= this.count; i++) next[i]! += next[i - 1]!
    if (next[this.count] !== this.#labelCount) {
      throw new ByteReader(Buffer.alloc(0), this.#origin).corruption(
        `${next[this.count]} labels, expected ${this.#labelCount}`,
      )
    }
    const pairs = sharedU32(this.#labelCount)
    for (const [position, { ordinals, codes }] of owners.entries()) {
      const before = stored[position]!.firstPair - 1
      for (let i = 0; i < codes.length; i++) {
        if (codes[i] !== 0) pairs[next[ordinals === undefined ? i : ordinals[i]!]!++] = before + codes[i]!
      }
    }
    // each start has moved to its end, which is where the next stream begins
    return { pairs, ends: next.subarray(0, this.count) }
  }
}

/** One label name as it is stored; its values are the pairs from `firstPair` on. */
type StoredName = {
  readonly name: string
  readonly firstPair: number
  readonly valueCount: number
  readonly form: number
  /** Streams that have the label. */
  readonly ownerCount: number
  readonly valuesPart: Part
  readonly codesPart: Part
}

type Block = { readonly streamCount: number; readonly origin: ByteOrigin; readonly firstPair: number }

function readName(reader: ByteReader, { streamCount, origin, firstPair }: Block): StoredName {
  const name = reader.text()
  const valueCount = reader.count(streamCount, 'values')
  const form = reader.u8()
  if (form > FORM_SPARSE) throw reader.corruption(`form ${form} of label '${name}'`)
  const ownerCount = reader.count(streamCount, 'streams of a label')
  const valuesPart = readPart(reader, origin)
  const codesPart = readPart(reader, origin)
  return { name, firstPair, valueCount, form, ownerCount, valuesPart, codesPart }
}

/** Codes: 0 without the label, else 1 + the position of the value; by stream, or of `ordinals`. */
type Owners = { readonly ordinals: Uint32Array | undefined; readonly codes: Uint32Array }

function readOwners({ form, codesPart, valueCount, ownerCount }: StoredName, streamCount: number): Owners {
  const reader = openPart(codesPart)
  const ordinals = form === FORM_DENSE ? undefined : decodePackedU32(reader, ownerCount)
  const codes = decodePackedU32(reader, ordinals === undefined ? streamCount : ownerCount)
  reader.end()
  for (const code of codes) if (code > valueCount) throw reader.corruption(`code ${code} of ${valueCount}`)
  for (let i = 0, ordinal = 0; ordinals !== undefined && i < ordinals.length; i++) {
    if (i > 0 && ordinals[i] === 0) throw reader.corruption(`stream ${ordinal} occurs twice`)
    ordinal += ordinals[i]!
    ordinals[i] = ordinal
    if (ordinal >= streamCount) throw reader.corruption(`stream ${ordinal} of ${streamCount}`)
    if (codes[i] === 0) throw reader.corruption(`code 0 of ${valueCount}`)
  }
  return { ordinals, codes }
}

type Part = { readonly encoding: number; readonly bytes: Uint8Array; readonly origin: ByteOrigin }

function readPart(reader: ByteReader, origin: ByteOrigin): Part {
  const encoding = reader.u8()
  const size = reader.uvarint()
  const offset = origin.offset + reader.position
  return { encoding, bytes: reader.bytes(size), origin: { file: origin.file, offset } }
}

function openPart({ encoding, bytes, origin }: Part): ByteReader {
  return new ByteReader(unsealColumn(encoding, bytes, origin), origin)
}
