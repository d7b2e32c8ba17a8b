/**
 * The label index that grows: a head uses it live, and a block writer fills one before it is sealed.
 *
 * Every distinct (name, value) is a *pair* with a number; a stream is a range of pair numbers in one flat array, sorted by
 * label name. A matcher is asked once per pair of its name, and streams are then tested with table look-ups, so a hundred
 * thousand streams cost a few milliseconds. Append-only: what was readable stays as it was.
 */
import { codePairs, sharedU32, type CodedLabels } from './coded-labels.ts'
import type { Label, LabelIndex, LabelMatcher, Labels } from './label-index.ts'
import { assert } from '#/kernel/assert.ts'
import { compareUtf8 } from '#/kernel/utf8.ts'

const INITIAL_PAIRS = 64

type NameEntry = {
  readonly name: string
  readonly pairOfValue: Map<string, number>
  /** Pair numbers in order of arrival. */
  readonly pairs: number[]
}

export class LabelIndexBuilder implements LabelIndex {
  readonly #ordinalOfText = new Map<string, number>()
  readonly #texts: string[] = []
  readonly #names = new Map<string, NameEntry>()
  readonly #labelOfPair: Label[] = []
  /** Pairs of stream i: `#pairs[#ends[i - 1] ?? 0, #ends[i])`. */
  #pairs = new Uint32Array(INITIAL_PAIRS)
  #ends = new Uint32Array(INITIAL_PAIRS)
  #textBytes = 0
  #coded: CodedLabels | undefined

  get count(): number {
    return this.#texts.length
  }

  /** Bytes of memory, estimated from above: texts, map entries, flat arrays and distinct pairs. */
  get memoryBytes(): number {
    return (
      this.#textBytes + this.count * 80 + (this.#pairs.length + this.#ends.length) * 4 + this.#labelOfPair.length * 250
    )
  }

  /** The ordinal of the stream with this canonical text; a new one when it is new. `labels` are those of the text. */
  add(text: string, labels: Labels): number {
    const known = this.#ordinalOfText.get(text)
    if (known !== undefined) return known
    const ordinal = this.#texts.length
    let end = ordinal === 0 ? 0 : this.#ends[ordinal - 1]!
    if (end + labels.length > this.#pairs.length) this.#pairs = grown(this.#pairs, end + labels.length)
    for (const label of labels) this.#pairs[end++] = this.#pairOf(label)
    if (ordinal === this.#ends.length) this.#ends = grown(this.#ends, ordinal + 1)
    this.#ends[ordinal] = end
    this.#texts.push(text)
    this.#textBytes += text.length
    this.#ordinalOfText.set(text, ordinal)
    return ordinal
  }

  find(text: string): number | undefined {
    return this.#ordinalOfText.get(text)
  }

  text(ordinal: number): string {
    const text = this.#texts[ordinal]
    assert(text !== undefined, `stream ${ordinal} is one of ${this.count}`)
    return text
  }

  labels(ordinal: number): Labels {
    assert(ordinal >= 0 && ordinal < this.count, `stream ${ordinal} is one of ${this.count}`)
    const labels: Label[] = []
    for (let i = this.#start(ordinal); i < this.#ends[ordinal]!; i++) labels.push(this.#labelOfPair[this.#pairs[i]!]!)
    return labels
  }

  match(matchers: readonly LabelMatcher[]): Uint32Array {
    const kept = new Uint8Array(this.count).fill(1)
    for (const matcher of matchers) this.#drop(matcher, kept)
    return setPositions(kept)
  }

  names(ordinals: Uint32Array | undefined): readonly string[] {
    if (ordinals === undefined) return [...this.#names.keys()].sort(compareUtf8)
    const found = new Set<string>()
    this.#eachPair(ordinals, (pair) => found.add(this.#labelOfPair[pair]![0]))
    return [...found].sort(compareUtf8)
  }

  values(name: string, ordinals: Uint32Array | undefined): readonly string[] {
    const entry = this.#names.get(name)
    if (entry === undefined) return []
    if (ordinals === undefined) return [...entry.pairOfValue.keys()].sort(compareUtf8)
    const isWanted = new Uint8Array(this.#labelOfPair.length)
    for (const pair of entry.pairs) isWanted[pair] = 1
    const found: string[] = []
    this.#eachPair(ordinals, (pair) => {
      if (isWanted[pair] === 1) found.push(this.#labelOfPair[pair]![1])
    })
    return found.sort(compareUtf8)
  }

  coded(): CodedLabels {
    const { count } = this
    if (this.#coded?.ends.length === count) return this.#coded
    const isSamePairs = this.#coded?.nameOfPair.length === this.#labelOfPair.length
    const pairsOf = this.#coded !== undefined && isSamePairs ? this.#coded : codePairs(this.#labelOfPair)
    const ends = sharedU32(count)
    ends.set(this.#ends.subarray(0, count))
    const pairs = sharedU32(count === 0 ? 0 : ends[count - 1]!)
    pairs.set(this.#pairs.subarray(0, pairs.length))
    this.#coded = { ...pairsOf, pairs, ends }
    return this.#coded
  }

  /** Clears `kept` where the matcher fails. */
  #drop(matcher: LabelMatcher, kept: Uint8Array): void {
    const { equals } = matcher
    const pairOfValue = this.#names.get(matcher.name)?.pairOfValue
    const passesWithout = equals === undefined && matcher.matches('')
    // 0: a pair of another name, 1: of this name and it fails, 2: of this name and it passes
    const verdicts = new Uint8Array(this.#labelOfPair.length)
    if (equals === undefined) {
      for (const [value, pair] of pairOfValue ?? []) verdicts[pair] = matcher.matches(value) ? 2 : 1
    } else {
      const pair = pairOfValue?.get(equals)
      if (pair !== undefined) verdicts[pair] = 2
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
    const seen = new Uint8Array(this.#labelOfPair.length)
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

  #pairOf([name, value]: Label): number {
    let entry = this.#names.get(name)
    if (entry === undefined) {
      entry = { name, pairOfValue: new Map(), pairs: [] }
      this.#names.set(name, entry)
    }
    let pair = entry.pairOfValue.get(value)
    if (pair === undefined) {
      pair = this.#labelOfPair.length
      entry.pairOfValue.set(value, pair)
      entry.pairs.push(pair)
      this.#labelOfPair.push([entry.name, value])
    }
    return pair
  }
}

/** Positions of the ones in `flags`, ascending. */
export function setPositions(flags: Uint8Array): Uint32Array {
  const positions = new Uint32Array(flags.length)
  let count = 0
  for (let i = 0; i < flags.length; i++) {
    positions[count] = i
    count += flags[i]!
  }
  return positions.slice(0, count)
}

function grown(array: Uint32Array, needed: number): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(Math.max(needed, array.length * 2))
  larger.set(array)
  return larger
}
