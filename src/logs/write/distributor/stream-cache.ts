/**
 * Remembers what `resolveStream` found, so that a known stream costs one look-up by the bytes that the client sent and no string. Two
 * generations bound it: entries are written to the young one; when that is full it becomes the old one with the next push, and what is
 * not asked for meanwhile goes with it.
 *
 * Invariant: `youngBytes` ≤ `maxBytes` (but for the streams of the last push), so all entries together take at most twice that.
 */
import type { ResolvedStream, StreamRules } from './resolve-stream.ts'
import { type UsualStream, UsualStreams } from './usual-streams.ts'
import { asDataView } from '#/kernel/byte-reader.ts'
import { hashText } from '#/storage/index/text-hash.ts'
import { FETCHED_TEXTS, fetchTexts, type HashedTexts, textStart, TextTable } from '#/storage/index/text-table.ts'

/** Cost of an entry beyond its texts: two hashes, two ends, two slots and as much again that is free, a place, a reference. */
const entryOverheadBytes = 80
/** Cost of a refusal beyond its texts, and of a tenant. */
const objectOverheadBytes = 200

export class StreamCache {
  readonly #maxBytes: number
  #youngBytes = 0
  readonly #tenants = new Map<string, TenantStreams>()

  /** @param maxBytes Size of one generation, over all tenants. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /**
   * The streams of `tenant`, for one push; forgotten when `rules`, the objects they were resolved under, are not the same any more.
   * What else changes the result for the same labels is `variant`.
   */
  tenant(tenant: string, variant: string, rules: readonly unknown[]): TenantStreams {
    this.#ageIfFull()
    const key = `${tenant}\0${variant}`
    let streams = this.#tenants.get(key)
    if (streams === undefined || !streams.isFor(rules)) {
      streams = new TenantStreams(rules, (bytes) => {
        this.#youngBytes += bytes
      })
      this.#tenants.set(key, streams)
      this.#youngBytes += key.length + objectOverheadBytes
    }
    streams.beginPush()
    return streams
  }

  #ageIfFull(): void {
    if (this.#youngBytes <= this.#maxBytes) return
    this.#youngBytes = 0
    for (const [key, streams] of this.#tenants) if (!streams.age()) this.#tenants.delete(key)
  }
}

/** What streams have in common; the text is that of a refused one only. */
export type StreamTraits = Omit<ResolvedStream, 'text'> & { readonly text: string | undefined }

const likelyTexts = new Uint32Array(FETCHED_TEXTS)

/** Streams have numbers, which are good until the push ends. */
export class TenantStreams {
  readonly #rules: readonly unknown[]
  readonly #added: (bytes: number) => void
  #young = new Generation()
  #old: Generation | undefined
  #usual: UsualStreams | 'none' | undefined

  constructor(rules: readonly unknown[], added: (bytes: number) => void) {
    this.#rules = rules
    this.#added = added
  }

  isFor(rules: readonly unknown[]): boolean {
    return rules.length === this.#rules.length && rules.every((rule, index) => rule === this.#rules[index])
  }

  /** What resolves streams without strings; undefined when that cannot be under `rules`, which are those of all streams here. */
  usual(rules: StreamRules): UsualStreams | undefined {
    if (this.#usual === undefined) this.#usual = UsualStreams.under(rules) ?? 'none'
    return this.#usual === 'none' ? undefined : this.#usual
  }

  /** Forgets the places that streams had in the push before. */
  beginPush(): void {
    this.#young.forgetPlaces()
  }

  /** Reads ahead what looking for streams with the hashes [from, to) needs, `FETCHED_TEXTS` at most. */
  fetch(hashes: Float64Array, from: number, to: number): void {
    const { sent, textOf, texts } = this.#young
    const numbers = sent.fetch(hashes, from, to)
    for (let i = 0; i < to - from; i++) {
      const number = numbers[i]! - 1
      likelyTexts[i] = number < 0 ? 0 : 1 + textOf[number]!
    }
    fetchTexts(texts.texts, likelyTexts, to - from)
  }

  /** The stream that was sent as `sent[from, to)`, whose hash is `hash`; -1 when it is not known. */
  find(hash: number, sent: DataView, from: number, to: number): number {
    const young = this.#young
    const number = young.sent.find(hash, sent, from, to)
    if (number >= 0 || this.#old === undefined) return number
    const past = this.#old.sent.find(hash, sent, from, to)
    if (past < 0) return -1
    young.promote(this.#old, past)
    return this.#add(hash, sent, from, to)
  }

  /** Takes a stream that is not known. */
  add(hash: number, sent: DataView, [from, to]: readonly [number, number], stream: ResolvedStream): number {
    this.#young.addStream(stream)
    return this.#add(hash, sent, from, to)
  }

  /** As {@link add}, without strings. */
  addUsual(hash: number, sent: DataView, [from, to]: readonly [number, number], stream: UsualStream): number {
    this.#young.addUsual(stream)
    return this.#add(hash, sent, from, to)
  }

  #add(hash: number, sent: DataView, from: number, to: number): number {
    const young = this.#young
    const number = young.sent.add(hash, sent, from, to)
    const { refusal, text } = young.traits[number]!
    const refusalBytes = refusal === undefined ? 0 : objectOverheadBytes + refusal.message.length + (text ?? '').length
    const own = young.textOf[number]!
    const textBytes = young.texts.texts.ends[own]! - textStart(young.texts.texts, own)
    this.#added(to - from + textBytes + refusalBytes + entryOverheadBytes)
    return number
  }

  traitsOf(number: number): StreamTraits {
    return this.#young.traits[number]!
  }

  /** Canonical texts, in which that of a stream has the number {@link textOf}. */
  get texts(): HashedTexts {
    return this.#young.texts.texts
  }

  textOf(number: number): number {
    return this.#young.textOf[number]!
  }

  /** What `setPlace` said of a stream with the same canonical text in this push; -1: nothing yet. */
  placeOf(number: number): number {
    return this.#young.placeOf(number)
  }

  setPlace(number: number, place: number): void {
    this.#young.setPlace(number, place)
  }

  /** Starts a new generation; false when nothing is left. */
  age(): boolean {
    this.#old = this.#young
    this.#young = new Generation()
    return this.#old.sent.texts.length > 0
  }
}

/** Streams by number: the labels as they were sent, the canonical text, and the rest. */
class Generation {
  readonly sent = new TextTable()
  /** Canonical texts; '' for streams that are refused. */
  readonly texts = new TextTable()
  /** Number in `texts`. */
  textOf = new Uint32Array(64)
  readonly traits: StreamTraits[] = []
  readonly #shared = new Map<string, StreamTraits>()
  #lastShared: StreamTraits | undefined
  /** By number in `texts`: in which push its place was set, and the place. */
  #places = new Uint32Array(128)
  #push = 0

  forgetPlaces(): void {
    this.#push = (this.#push + 1) >>> 0
    if (this.#push > 0) return
    this.#places.fill(0)
    this.#push = 1
  }

  placeOf(number: number): number {
    const at = this.textOf[number]! * 2
    return this.#places[at] === this.#push ? this.#places[at + 1]! : -1
  }

  setPlace(number: number, place: number): void {
    const at = this.textOf[number]! * 2
    this.#places[at] = this.#push
    this.#places[at + 1] = place
  }

  addStream({ text, refusal, level, policy, isInternal }: ResolvedStream): void {
    const bytes = Buffer.from(refusal === undefined ? text : '')
    const view = asDataView(bytes)
    const isGood = refusal === undefined
    const traits = isGood ? this.#share(level, policy, isInternal) : { text, refusal, level, policy, isInternal }
    this.#add(hashText(view, 0, bytes.length), view, [0, bytes.length], traits)
  }

  addUsual({ view, size, level, policy }: UsualStream): void {
    this.#add(hashText(view, 0, size), view, [0, size], this.#share(level, policy, false))
  }

  /** Takes stream `past` of another generation. */
  promote({ texts: { texts }, textOf, traits }: Generation, past: number): void {
    const text = textOf[past]!
    const own = traits[past]!
    const shared = own.refusal === undefined ? this.#share(own.level, own.policy, own.isInternal) : own
    this.#add(texts.hashes[text]!, texts.view, [textStart(texts, text), texts.ends[text]!], shared)
  }

  #add(hash: number, view: DataView, [from, to]: readonly [number, number], traits: StreamTraits): void {
    const number = this.traits.push(traits) - 1
    if (number === this.textOf.length) this.textOf = doubled(this.textOf)
    const known = this.texts.find(hash, view, from, to)
    const text = known >= 0 ? known : this.texts.add(hash, view, from, to)
    this.textOf[number] = text
    if (text * 2 === this.#places.length) this.#places = doubled(this.#places)
  }

  /** The traits of streams that are not refused. */
  #share(level: string | undefined, policy: string, isInternal: boolean): StreamTraits {
    const last = this.#lastShared
    if (last?.isInternal === isInternal && last.level === level && last.policy === policy) return last
    const key = `${isInternal} ${level ?? '-'} ${level === undefined} ${policy}`
    const traits = { text: undefined, refusal: undefined, level, policy, isInternal }
    return (this.#lastShared = this.#shared.getOrInsert(key, traits))
  }
}

function doubled(column: Uint32Array): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(column.length * 2)
  larger.set(column)
  return larger
}
