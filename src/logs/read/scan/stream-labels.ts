/** Labels of the streams of one source inside a worker thread, read from shared memory when they are first asked for. */
import { firstPairOf, hashOfStream, valueOfPair, type CodedLabels } from '#/storage/index/coded-labels.ts'
import type { Label, Labels } from '#/storage/index/label-index.ts'

const noLabels: Labels = []

export class StreamLabels {
  readonly #coded: CodedLabels
  readonly #labels: (Labels | undefined)[]
  /** By pair. */
  readonly #pairs: (Label | undefined)[]
  /** By pair: the labels of streams that have no other. */
  readonly #single: Labels[] = []
  readonly #named = new Map<string, boolean>()
  /** What {@link pairsKey} was asked for last, and which names that are. */
  #wantedNames: ReadonlySet<string> | undefined
  #isWanted: Uint8Array | undefined

  constructor(coded: CodedLabels) {
    this.#coded = coded
    this.#labels = new Array<Labels | undefined>(coded.ends.length)
    this.#pairs = new Array<Label | undefined>(coded.nameOfPair.length)
  }

  get count(): number {
    return this.#coded.ends.length
  }

  /** Whether one of the streams has a label of this name; `streams` as in `ScanPart`, the same in each call. */
  someHas(name: string, streams: Uint8Array | undefined): boolean {
    const known = this.#named.get(name)
    if (known !== undefined) return known
    const answer = this.#findName(name, streams)
    this.#named.set(name, answer)
    return answer
  }

  #findName(name: string, streams: Uint8Array | undefined): boolean {
    const coded = this.#coded
    const { names, nameOfPair, pairs, ends } = coded
    const position = names.indexOf(name)
    if (position < 0) return false
    if (streams === undefined) return true
    for (let stream = 0; stream < ends.length; stream++) {
      if (streams[stream] === 0) continue
      for (let i = firstPairOf(coded, stream); i < ends[stream]!; i++) {
        if (nameOfPair[pairs[i]!] === position) return true
      }
    }
    return false
  }

  /** A hash of the labels: the same for a stream wherever it is stored. */
  key(stream: number): number {
    return hashOfStream(this.#coded, stream)
  }

  /** Equal for streams of this source that have the same labels of these names (undefined: all), without making texts. */
  pairsKey(stream: number, names: ReadonlySet<string> | undefined): number | string {
    const { pairs, ends, nameOfPair } = this.#coded
    if (names !== this.#wantedNames || this.#isWanted === undefined) {
      this.#wantedNames = names
      this.#isWanted = Uint8Array.from(this.#coded.names, (name) => (names === undefined || names.has(name) ? 1 : 0))
    }
    let key: number | string = -1
    for (let i = firstPairOf(this.#coded, stream); i < ends[stream]!; i++) {
      const pair = pairs[i]!
      if (this.#isWanted[nameOfPair[pair]!] === 1) key = key === -1 ? pair : `${key} ${pair}`
    }
    return key
  }

  of(stream: number): Labels {
    if (this.count === 0) return noLabels
    return (this.#labels[stream] ??= this.#read(stream))
  }

  #read(stream: number): Labels {
    const { pairs, ends } = this.#coded
    const first = firstPairOf(this.#coded, stream)
    const end = ends[stream]!
    // queries that look at few labels have these in very many streams
    if (end === first) return noLabels
    if (end === first + 1) return (this.#single[pairs[first]!] ??= [this.#label(pairs[first]!)])
    const labels: Label[] = []
    for (let i = first; i < end; i++) labels.push(this.#label(pairs[i]!))
    return labels
  }

  #label(pair: number): Label {
    const { names, nameOfPair } = this.#coded
    return (this.#pairs[pair] ??= [names[nameOfPair[pair]!]!, valueOfPair(this.#coded, pair)])
  }
}
