/**
 * The streams of one push, from the labels that were sent to places among the canonical texts of its batch. Each is looked up once, by
 * the bytes of its labels; what the next few look-ups need is read ahead, as they wait for memory more than for anything else.
 */
import { resolveStream, type StreamRules } from './resolve-stream.ts'
import type { TenantStreams } from './stream-cache.ts'
import type { UsualStreams } from './usual-streams.ts'
import { asDataView } from '#/kernel/byte-reader.ts'
import type { PushColumns } from '#/logs/write/push/push-columns.ts'
import type { WorkMemory } from '#/platform/memory/work-memory.ts'
import { hashText } from '#/storage/index/text-hash.ts'
import { FETCHED_TEXTS, type HashedTexts, TextList, textStart } from '#/storage/index/text-table.ts'

/** Guess of what a canonical text is longer than the labels that were sent, for the first size. */
const likelyAddedBytes = 32

type SentColumns = Pick<PushColumns, 'streams' | 'syntax' | 'memory'>

export class PushStreams {
  /** Canonical texts of streams that are not refused, in order of arrival. */
  readonly texts: TextList
  readonly #columns: SentColumns
  readonly #known: TenantStreams
  readonly #rules: StreamRules
  readonly #usual: UsualStreams | undefined
  readonly #sentView: DataView
  /** Of the labels that were sent, up to `#fetched`. */
  readonly #hashes: Float64Array
  #fetched = 0
  /** By place in `texts`: 1 once a row is kept. */
  readonly #isUsed: Uint8Array

  /** @param rules For streams that are not known. */
  constructor(columns: SentColumns, known: TenantStreams, rules: StreamRules) {
    const { streams, syntax, memory } = columns
    this.#columns = columns
    this.#known = known
    this.#rules = rules
    this.#usual = syntax === 'selector' ? known.usual(rules) : undefined
    this.#sentView = asDataView(streams.bytes)
    this.texts = new TextList({ texts: streams.length, bytes: likelyBytes(columns), memory })
    this.#hashes = float64Of(memory, streams.length)
    this.#isUsed = memory.bytes(streams.length).fill(0)
  }

  /** The number in the cache of the stream that stands at `raw` in the push; it is there afterwards. */
  find(raw: number): number {
    while (raw >= this.#fetched) this.#fetchMore()
    const known = this.#known
    const { bytes, start: starts, end: ends } = this.#columns.streams
    const start = starts[raw]!
    const end = ends[raw]!
    const hash = this.#hashes[raw]!
    const found = known.find(hash, this.#sentView, start, end)
    if (found >= 0) return found
    const usual = this.#usual?.resolve(bytes, start, end)
    if (usual !== undefined) return known.addUsual(hash, this.#sentView, [start, end], usual)
    const stream = resolveStream(bytes.toString('latin1', start, end), this.#columns.syntax, this.#rules)
    return known.add(hash, this.#sentView, [start, end], stream)
  }

  /** Rows mostly come in the order of their streams. */
  #fetchMore(): void {
    const { start, end, length } = this.#columns.streams
    const from = this.#fetched
    const to = Math.min(length, from + FETCHED_TEXTS)
    for (let i = from; i < to; i++) this.#hashes[i] = hashText(this.#sentView, start[i]!, end[i]!)
    this.#known.fetch(this.#hashes, from, to)
    this.#fetched = to
  }

  /** The place in `texts` of a stream in the cache. */
  placeOf(stream: number): number {
    const known = this.#known
    let place = known.placeOf(stream)
    if (place < 0) {
      const { texts } = known
      const text = known.textOf(stream)
      place = this.texts.add(texts.hashes[text]!, texts.view, textStart(texts, text), texts.ends[text]!)
      known.setPlace(stream, place)
    }
    return place
  }

  /** Notes that the stream at `place` has a row. */
  keep(place: number): void {
    this.#isUsed[place] = 1
  }

  /** The streams that have rows; `rows` rows learn their new places in `stream` where others drop out. */
  used(stream: Uint32Array, rows: number): HashedTexts {
    const { texts } = this
    if (!this.#isUsed.subarray(0, texts.length).includes(0)) return texts
    const used = new TextList()
    const places = new Uint32Array(texts.length)
    for (let place = 0; place < texts.length; place++) {
      if (this.#isUsed[place] === 0) continue
      places[place] = used.add(texts.hashes[place]!, texts.view, textStart(texts, place), texts.ends[place]!)
    }
    for (let row = 0; row < rows; row++) stream[row] = places[stream[row]!]!
    return used
  }
}

function likelyBytes({ streams: { start, end, length } }: SentColumns): number {
  let bytes = length * likelyAddedBytes
  for (let i = 0; i < length; i++) bytes += end[i]! - start[i]!
  return bytes
}

/** Numbers of any value. */
export function uint32Of(memory: WorkMemory, length: number): Uint32Array {
  const { buffer, byteOffset } = memory.bytes(length * 4)
  return new Uint32Array(buffer, byteOffset, length)
}

function float64Of(memory: WorkMemory, length: number): Float64Array {
  const { buffer, byteOffset } = memory.bytes(length * 8)
  return new Float64Array(buffer, byteOffset, length)
}
