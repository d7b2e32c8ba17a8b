/**
 * The labels of all streams of an index as numbers, in shared memory: what matchers look at, and what worker threads read by
 * reference. Every distinct (name, value) is a *pair* with a number; a stream is a row of pair numbers in order of their names.
 */
import type { Label, Labels } from './label-index.ts'
import { hashText, mixed } from './text-hash.ts'
import { asBuffer, asDataView } from '#/kernel/byte-reader.ts'

export type CodedLabels = {
  readonly names: readonly string[]
  /** Position in `names` of each pair. */
  readonly nameOfPair: Uint32Array<SharedArrayBuffer>
  /** Values back to back as UTF-8; that of pair p ends at `valueEnds[p]` and begins where the one before ends. */
  readonly values: Uint8Array<SharedArrayBuffer>
  readonly valueEnds: Uint32Array<SharedArrayBuffer>
  /** Two words for each pair: a hash of name and value, the same in every index of this process. */
  readonly pairHashes: Uint32Array<SharedArrayBuffer>
  /** Pairs of stream i: `pairs[ends[i - 1] ?? 0, ends[i])`. */
  readonly pairs: Uint32Array<SharedArrayBuffer>
  readonly ends: Uint32Array<SharedArrayBuffer>
}

/** Of streams of which no label is known. */
export const noCodedLabels: CodedLabels = {
  names: [],
  nameOfPair: sharedU32(0),
  values: new Uint8Array(new SharedArrayBuffer(0)),
  valueEnds: sharedU32(0),
  pairHashes: sharedU32(0),
  pairs: sharedU32(0),
  ends: sharedU32(0),
}

export function sharedU32(length: number): Uint32Array<SharedArrayBuffer> {
  return new Uint32Array(new SharedArrayBuffer(length * 4))
}

export function firstPairOf({ ends }: Pick<CodedLabels, 'ends'>, stream: number): number {
  return stream === 0 ? 0 : ends[stream - 1]!
}

export function valueOfPair({ values, valueEnds }: CodedLabels, pair: number): string {
  return asBuffer(values).toString('utf8', pair === 0 ? 0 : valueEnds[pair - 1]!, valueEnds[pair]!)
}

/** A hash of the labels of a stream, 53 bits: equal labels have equal hashes, whatever index they are in. */
export function hashOfStream(coded: CodedLabels, stream: number): number {
  const { pairs, ends, pairHashes } = coded
  let [high, low] = [0, 0]
  for (let i = firstPairOf(coded, stream); i < ends[stream]!; i++) {
    const pair = pairs[i]!
    low = (Math.imul(low ^ (low >>> 15), 0x2c1b3c6d) + pairHashes[pair * 2]!) | 0
    high = (Math.imul(high ^ (high >>> 13), 0x297a2d39) + pairHashes[pair * 2 + 1]!) | 0
  }
  return (high >>> 11) * 0x1_0000_0000 + (low >>> 0)
}

export type CodedStream = { readonly coded: CodedLabels; readonly stream: number }

/** Whether two streams, of one index or of two, have the same labels. Makes no strings. */
export function haveSameLabels(a: CodedStream, b: CodedStream): boolean {
  const firstA = firstPairOf(a.coded, a.stream)
  const firstB = firstPairOf(b.coded, b.stream)
  const count = a.coded.ends[a.stream]! - firstA
  if (b.coded.ends[b.stream]! - firstB !== count) return false
  for (let i = 0; i < count; i++) {
    if (!isSamePair(a.coded, a.coded.pairs[firstA + i]!, b.coded, b.coded.pairs[firstB + i]!)) return false
  }
  return true
}

function isSamePair(a: CodedLabels, pairA: number, b: CodedLabels, pairB: number): boolean {
  if (a.names[a.nameOfPair[pairA]!] !== b.names[b.nameOfPair[pairB]!]) return false
  const startA = pairA === 0 ? 0 : a.valueEnds[pairA - 1]!
  const startB = pairB === 0 ? 0 : b.valueEnds[pairB - 1]!
  const length = a.valueEnds[pairA]! - startA
  if (b.valueEnds[pairB]! - startB !== length) return false
  for (let i = 0; i < length; i++) if (a.values[startA + i] !== b.values[startB + i]) return false
  return true
}

/** Hashes of all pairs, two words for each, written to `hashes`. */
export function hashPairs(coded: Omit<CodedLabels, 'pairs' | 'ends' | 'pairHashes'>, hashes: Uint32Array): void {
  const { names, nameOfPair, values, valueEnds } = coded
  const seeds = names.map(hashName)
  const view = asDataView(values)
  const words = new Uint32Array(2)
  let start = 0
  for (let pair = 0; pair < nameOfPair.length; pair++) {
    hashPair(seeds[nameOfPair[pair]!]!, view, start, valueEnds[pair]!, words)
    hashes.set(words, pair * 2)
    start = valueEnds[pair]!
  }
}

/** What the hashes of all pairs of a name begin with. */
export type NameHash = { readonly low: number; readonly high: number }

export function hashName(name: string): NameHash {
  const bytes = Buffer.from(name)
  const hash = hashText(asDataView(bytes), 0, bytes.length)
  return { low: hash | 0, high: (hash / 0x1_0000_0000) | 0 }
}

/** Writes the hash of the value `view[from, to)` of a name to `words`; not safe against chosen input. */
export function hashPair({ low, high }: NameHash, view: DataView, from: number, to: number, words: Uint32Array): void {
  const hash = hashText(view, from, to)
  words[0] = mixed((hash | 0) + Math.imul(low, 0x9e3779b1))
  words[1] = mixed((hash / 0x1_0000_0000) ^ words[0] ^ high)
}

/** Codes any labels; for views that have no numbers of their own. */
export function codeLabels(count: number, labelsOf: (stream: number) => Labels): CodedLabels {
  const pairOfLabel = new Map<string, number>()
  const labels: Label[] = []
  const pairs: number[] = []
  const ends = sharedU32(count)
  for (let stream = 0; stream < count; stream++) {
    for (const label of labelsOf(stream)) {
      const key = `${label[0]}\0${label[1]}`
      let pair = pairOfLabel.get(key)
      if (pair === undefined) {
        pair = labels.push(label) - 1
        pairOfLabel.set(key, pair)
      }
      pairs.push(pair)
    }
    ends[stream] = pairs.length
  }
  const rows = sharedU32(pairs.length)
  rows.set(pairs)
  return { ...codePairs(labels), pairs: rows, ends }
}

/** The pairs of an index: pair p is `labels[p]`. */
export function codePairs(labels: readonly Label[]): Omit<CodedLabels, 'pairs' | 'ends'> {
  const positions = new Map<string, number>()
  const nameOfPair = sharedU32(labels.length)
  const valueEnds = sharedU32(labels.length)
  let size = 0
  for (const [pair, [name, value]] of labels.entries()) {
    let position = positions.get(name)
    if (position === undefined) positions.set(name, (position = positions.size))
    nameOfPair[pair] = position
    size += Buffer.byteLength(value)
    valueEnds[pair] = size
  }
  const values = new Uint8Array(new SharedArrayBuffer(size))
  const target = asBuffer(values)
  for (const [pair, [, value]] of labels.entries()) target.write(value, pair === 0 ? 0 : valueEnds[pair - 1]!)
  const coded = { names: [...positions.keys()], nameOfPair, values, valueEnds }
  const pairHashes = sharedU32(labels.length * 2)
  hashPairs(coded, pairHashes)
  return { ...coded, pairHashes }
}
