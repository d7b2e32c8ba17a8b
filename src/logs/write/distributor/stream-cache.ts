/**
 * Remembers what `resolveStream` found, so that a known stream costs one look-up by the bytes that the client sent and no string. Two
 * generations bound it: entries are written to the young one; when that is full it becomes the old one, and what is not asked for
 * meanwhile goes with it.
 *
 * Invariant: `youngBytes` ≤ `maxBytes` (but for the last entry), so all entries together take at most twice that.
 */
import type { ResolvedStream } from './resolve-stream.ts'
import { type HashedTexts, TextList, textStart, TextTable } from '#/storage/index/text-table.ts'

/** Cost of an entry beyond its texts: two hashes, two ends, a slot and as much again that is free, a reference. */
const entryOverheadBytes = 64
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
   * The streams of `tenant`; forgotten when `rules`, the objects they were resolved under, are not the same any more. What else
   * changes the result for the same labels is `variant`.
   */
  tenant(tenant: string, variant: string, rules: readonly unknown[]): TenantStreams {
    const key = `${tenant}\0${variant}`
    let streams = this.#tenants.get(key)
    if (streams === undefined || !streams.isFor(rules)) {
      streams = new TenantStreams(rules, (bytes) => this.#added(bytes))
      this.#tenants.set(key, streams)
      this.#added(key.length + objectOverheadBytes)
    }
    return streams
  }

  #added(bytes: number): void {
    this.#youngBytes += bytes
    if (this.#youngBytes <= this.#maxBytes) return
    this.#youngBytes = 0
    for (const [key, streams] of this.#tenants) if (!streams.age()) this.#tenants.delete(key)
  }
}

/** What streams have in common; the text is that of a refused one only. */
export type StreamTraits = Omit<ResolvedStream, 'text'> & { readonly text: string | undefined }

/** A stream in the cache; good until the next one is asked for. */
export type KnownStream = {
  traits: StreamTraits
  /** Where its canonical text is. */
  texts: HashedTexts
  number: number
}

export class TenantStreams {
  readonly #rules: readonly unknown[]
  readonly #added: (bytes: number) => void
  #young = new Generation()
  #old: Generation | undefined
  #found: KnownStream | undefined

  constructor(rules: readonly unknown[], added: (bytes: number) => void) {
    this.#rules = rules
    this.#added = added
  }

  isFor(rules: readonly unknown[]): boolean {
    return rules.length === this.#rules.length && rules.every((rule, index) => rule === this.#rules[index])
  }

  /** The stream that was sent as `sent[from, to)`, whose hash is `hash`. */
  find(hash: number, sent: DataView, from: number, to: number): KnownStream | undefined {
    const young = this.#young
    const number = young.sent.find(hash, sent, from, to)
    if (number >= 0) return this.#known(young, number)
    const old = this.#old
    const past = old === undefined ? -1 : old.sent.find(hash, sent, from, to)
    if (old === undefined || past < 0) return undefined
    const promoted = young.promote(old, past, young.sent.add(hash, sent, from, to))
    const known = this.#known(young, promoted)
    this.#noteAdded(young, promoted, to - from)
    return known
  }

  add(hash: number, sent: DataView, [from, to]: readonly [number, number], stream: ResolvedStream): KnownStream {
    const young = this.#young
    const number = young.sent.add(hash, sent, from, to)
    young.addStream(stream)
    const known = this.#known(young, number)
    this.#noteAdded(young, number, to - from)
    return known
  }

  #known({ traits, texts }: Generation, number: number): KnownStream {
    const found = (this.#found ??= { traits: traits[number]!, texts, number })
    found.traits = traits[number]!
    found.texts = texts
    found.number = number
    return found
  }

  #noteAdded({ traits, texts }: Generation, number: number, sentBytes: number): void {
    const { refusal, text } = traits[number]!
    const refusalBytes = refusal === undefined ? 0 : objectOverheadBytes + refusal.message.length + (text ?? '').length
    const textBytes = texts.ends[number]! - textStart(texts, number)
    this.#added(sentBytes + textBytes + refusalBytes + entryOverheadBytes)
  }

  /** Starts a new generation; false when nothing is left. */
  age(): boolean {
    this.#old = this.#young
    this.#young = new Generation()
    this.#found = undefined
    return this.#old.sent.texts.length > 0
  }
}

/** Streams by number: the labels as they were sent, the canonical text, and the rest. */
class Generation {
  readonly sent = new TextTable()
  readonly texts = new TextList()
  readonly traits: StreamTraits[] = []
  readonly #shared = new Map<string, StreamTraits>()

  addStream({ text, refusal, level, policy, isInternal }: ResolvedStream): void {
    this.texts.addText(refusal === undefined ? text : '')
    this.traits.push(
      refusal === undefined
        ? this.#share({ text: undefined, refusal, level, policy, isInternal })
        : { text, refusal, level, policy, isInternal },
    )
  }

  /** Takes stream `past` of another generation, which gets the number `number` here. */
  promote({ texts, traits }: Generation, past: number, number: number): number {
    this.texts.add(texts.hashes[past]!, texts.view, textStart(texts, past), texts.ends[past]!)
    const { [past]: own } = traits
    this.traits.push(own!.refusal === undefined ? this.#share(own!) : own!)
    return number
  }

  #share(traits: StreamTraits): StreamTraits {
    const key = `${traits.isInternal} ${traits.level ?? '-'} ${traits.level === undefined} ${traits.policy}`
    return this.#shared.getOrInsert(key, traits)
  }
}
