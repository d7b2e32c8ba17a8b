/**
 * The label index that grows: a head uses it live, and a block writer fills one before it is sealed.
 *
 * Every distinct (name, value) is a *pair* with a number; a stream is a range of pair numbers in one flat array, sorted by
 * label name. A matcher is asked once per pair of its name, and streams are then tested with table look-ups, so a hundred
 * thousand streams cost a few milliseconds. Append-only: what was readable stays as it was.
 */
import { sharedU32, type CodedLabels } from './coded-labels.ts'
import type { Label, LabelIndex, LabelMatcher, Labels } from './label-index.ts'
import { grown, PairTable, type Source } from './pair-table.ts'
import { labelRanges, scanLabels } from './scan-labels.ts'
import type { SharedTexts } from './shared-texts.ts'
import { hashText } from './text-hash.ts'
import { FETCHED_TEXTS, textAt, TextTable } from './text-table.ts'
import { assert } from '#/kernel/assert.ts'
import { asDataView } from '#/kernel/byte-reader.ts'
import { compareUtf8 } from '#/kernel/utf8.ts'

/** What an index has, or has room for. */
export type LabelIndexSize = {
  readonly streams: number
  readonly textBytes: number
  readonly labels: number
  /** Distinct ones of the labels. */
  readonly pairs: number
  readonly valueBytes: number
}

const smallest: LabelIndexSize = { streams: 16, textBytes: 1024, labels: 64, pairs: 64, valueBytes: 1024 }

export class LabelIndexBuilder implements LabelIndex {
  readonly #streams: TextTable
  readonly #table: PairTable
  /** Pairs of stream i: `#pairs[#ends[i - 1] ?? 0, #ends[i])`. */
  #pairs: Uint32Array<SharedArrayBuffer>
  #ends: Uint32Array<SharedArrayBuffer>
  /** By place in a stream: the name that stood there last. */
  readonly #nameAt: number[] = []
  #coded: CodedLabels | undefined

  /** `room` for what is expected, as growing leaves old memory to the collector, which does not see how much it is. */
  constructor(room: LabelIndexSize = smallest) {
    const { streams, textBytes, labels, pairs, valueBytes } = room
    this.#streams = new TextTable({ texts: streams, bytes: textBytes, isShared: true })
    this.#table = new PairTable(pairs, valueBytes)
    this.#pairs = sharedU32(labels)
    this.#ends = sharedU32(streams)
  }

  get count(): number {
    return this.#streams.texts.length
  }

  get size(): LabelIndexSize {
    return {
      streams: this.count,
      textBytes: this.#streams.texts.size,
      labels: this.#start(this.count),
      pairs: this.#table.count,
      valueBytes: this.#table.valueBytes,
    }
  }

  /** Bytes of memory. */
  get memoryBytes(): number {
    return this.#streams.memoryBytes + this.#table.memoryBytes + (this.#pairs.length + this.#ends.length) * 4
  }

  /** The ordinal of the stream with this canonical text; a new one when it is new. `labels` are those of the text. */
  add(text: string, labels: Labels): number {
    const { bytes, view } = sourceOf(text)
    const hash = hashText(view, 0, bytes.length)
    const known = this.#streams.find(hash, view, 0, bytes.length)
    if (known >= 0) return known
    this.#addLabels(labels)
    return this.#streams.add(hash, view, 0, bytes.length)
  }

  find(text: string): number | undefined {
    const ordinal = this.#streams.findText(text)
    return ordinal < 0 ? undefined : ordinal
  }

  /** The ordinal of the stream whose text is `view[from, to)`, with this {@link hashText}; -1 when it is not here. */
  findBytes(hash: number, view: DataView, from: number, to: number): number {
    return this.#streams.find(hash, view, from, to)
  }

  /** Reads ahead what looking for streams with the hashes from `from` on needs; returns the first that is left. */
  fetch(hashes: Float64Array, from: number, count: number): number {
    const to = Math.min(from + FETCHED_TEXTS, count)
    this.#streams.fetch(hashes, from, to)
    return to
  }

  /** Adds a stream that is not here. `parse` reads texts in another than the usual form. Returns its ordinal. */
  addBytes(hash: number, source: Source, from: number, to: number, parse: (text: string) => Labels): number {
    const count = scanLabels(source.bytes, from, to)
    if (count < 0) {
      this.#addLabels(parse(textAt({ bytes: source.bytes.subarray(from, to), ends: Uint32Array.of(to - from) }, 0)))
    } else {
      const ranges = labelRanges()
      const end = this.#beginStream(count)
      for (let place = 0, at = 0; place < count; place++, at += 4) {
        const name = this.#nameOf(place, source.bytes, ranges[at]!, ranges[at + 1]!)
        this.#pairs[end + place] = this.#table.add(name, source, ranges[at + 2]!, ranges[at + 3]!)
      }
    }
    return this.#streams.add(hash, source.view, from, to)
  }

  #addLabels(labels: Labels): void {
    const end = this.#beginStream(labels.length)
    for (const [place, [name, value]] of labels.entries()) {
      const source = sourceOf(value)
      this.#pairs[end + place] = this.#table.add(this.#table.addName(name), source, 0, source.bytes.length)
    }
  }

  /** Makes room for the next stream, with `count` labels. Returns where its pairs begin. */
  #beginStream(count: number): number {
    const ordinal = this.count
    const start = this.#start(ordinal)
    while (start + count > this.#pairs.length) this.#pairs = grown(this.#pairs)
    if (ordinal === this.#ends.length) this.#ends = grown(this.#ends)
    this.#ends[ordinal] = start + count
    return start
  }

  #nameOf(place: number, bytes: Uint8Array, from: number, to: number): number {
    const likely = this.#nameAt[place]
    if (likely !== undefined && this.#table.isName(likely, bytes, from, to)) return likely
    const name = this.#table.addName(textAt({ bytes: bytes.subarray(from, to), ends: Uint32Array.of(to - from) }, 0))
    this.#nameAt[place] = name
    return name
  }

  text(ordinal: number): string {
    assert(ordinal >= 0 && ordinal < this.count, `stream ${ordinal} is one of ${this.count}`)
    return textAt(this.#streams.texts, ordinal)
  }

  sharedTexts(): SharedTexts {
    const { bytes, ends, length, size } = this.#streams.texts
    return {
      text: new Uint8Array(bytes.buffer as SharedArrayBuffer, 0, size),
      ends: new Uint32Array(ends.buffer as SharedArrayBuffer, 0, length),
    }
  }

  labels(ordinal: number): Labels {
    assert(ordinal >= 0 && ordinal < this.count, `stream ${ordinal} is one of ${this.count}`)
    const labels: Label[] = []
    for (let i = this.#start(ordinal); i < this.#ends[ordinal]!; i++) {
      const pair = this.#pairs[i]!
      labels.push([this.#table.nameOf(pair), this.#table.valueOf(pair)])
    }
    return labels
  }

  match(matchers: readonly LabelMatcher[]): Uint32Array {
    const kept = new Uint8Array(this.count).fill(1)
    for (const matcher of matchers) this.#drop(matcher, kept)
    return setPositions(kept)
  }

  names(ordinals: Uint32Array | undefined): readonly string[] {
    if (ordinals === undefined) return [...this.#table.names].sort(compareUtf8)
    const found = new Set<string>()
    this.#eachPair(ordinals, (pair) => found.add(this.#table.nameOf(pair)))
    return [...found].sort(compareUtf8)
  }

  values(name: string, ordinals: Uint32Array | undefined): readonly string[] {
    const pairs = this.#pairsOf(name)
    if (ordinals === undefined) return pairs.map((pair) => this.#table.valueOf(pair)).sort(compareUtf8)
    const isWanted = new Uint8Array(this.#table.count)
    for (const pair of pairs) isWanted[pair] = 1
    const found: string[] = []
    this.#eachPair(ordinals, (pair) => {
      if (isWanted[pair] === 1) found.push(this.#table.valueOf(pair))
    })
    return found.sort(compareUtf8)
  }

  coded(): CodedLabels {
    const { count } = this
    if (this.#coded?.ends.length === count) return this.#coded
    const ends = this.#ends.subarray(0, count)
    this.#coded = { ...this.#table.coded(), pairs: this.#pairs.subarray(0, this.#start(count)), ends }
    return this.#coded
  }

  #pairsOf(name: string): readonly number[] {
    const position = this.#table.positionOf(name)
    return position === undefined ? [] : this.#table.pairsOfName(position)
  }

  /** Clears `kept` where the matcher fails. */
  #drop(matcher: LabelMatcher, kept: Uint8Array): void {
    const { equals } = matcher
    const position = this.#table.positionOf(matcher.name)
    const passesWithout = equals === undefined && matcher.matches('')
    // 0: a pair of another name, 1: of this name and it fails, 2: of this name and it passes
    const verdicts = new Uint8Array(this.#table.count)
    if (equals === undefined) {
      for (const pair of this.#pairsOf(matcher.name))
        verdicts[pair] = matcher.matches(this.#table.valueOf(pair)) ? 2 : 1
    } else if (position !== undefined) {
      const source = sourceOf(equals)
      const pair = this.#table.find(position, source, 0, source.bytes.length)
      if (pair >= 0) verdicts[pair] = 2
    }
    const pairs = this.#pairs
    const ends = this.#ends
    for (let ordinal = 0, i = 0; ordinal < kept.length; ordinal++) {
      let verdict = 0
      for (const end = ends[ordinal]!; i < end; i++) verdict |= verdicts[pairs[i]!]!
      if (verdict === 1 || (verdict === 0 && !passesWithout)) kept[ordinal] = 0
    }
  }

  /** Visits each pair that one of `ordinals` has, once. */
  #eachPair(ordinals: Uint32Array, visit: (pair: number) => void): void {
    const seen = new Uint8Array(this.#table.count)
    for (const ordinal of ordinals) {
      for (let i = this.#start(ordinal); i < this.#ends[ordinal]!; i++) {
        const pair = this.#pairs[i]!
        if (seen[pair] === 1) continue
        seen[pair] = 1
        visit(pair)
      }
    }
  }

  #start(ordinal: number): number {
    return ordinal === 0 ? 0 : this.#ends[ordinal - 1]!
  }
}

/** Room for an index that becomes a little larger than one of this size. */
export function roomAfter(size: LabelIndexSize): LabelIndexSize {
  const more = (value: number, least: number): number => Math.max(least, Math.ceil((value * 9) / 8))
  return {
    streams: more(size.streams, smallest.streams),
    textBytes: more(size.textBytes, smallest.textBytes),
    labels: more(size.labels, smallest.labels),
    pairs: more(size.pairs, smallest.pairs),
    valueBytes: more(size.valueBytes, smallest.valueBytes),
  }
}

function sourceOf(text: string): Source {
  const bytes = Buffer.from(text)
  return { bytes, view: asDataView(bytes) }
}

/** Positions of the ones in `flags`, ascending. */
export function setPositions(flags: Uint8Array | Uint32Array): Uint32Array {
  const positions = new Uint32Array(flags.length)
  let count = 0
  for (let i = 0; i < flags.length; i++) {
    positions[count] = i
    count += flags[i]!
  }
  return positions.slice(0, count)
}
