/** What a parser finds in lines of a cut text, learned once for each text and kept from page to page and from query to query. */
import { fieldOf, type CutField } from './cut-field.ts'
import { piecesOf, sampleLineOf, type SampleLine } from './sample-line.ts'

/** A value that a parser found in a sample line, in the order in which it would set them. */
export type SampleField = { readonly name: string; readonly start: number; readonly end: number }

export type SampleFields = {
  readonly fields: readonly SampleField[]
  /** What the parser says of all these lines. */
  readonly fault?: string | undefined
}

/** Finds the values of a line; undefined when it depends on more than the places of digits which those are. */
export type ReadSample = (sample: SampleLine) => SampleFields | undefined

export type NamedField = { readonly name: string; readonly field: CutField }

export type TextLayout = { readonly fields: readonly NamedField[]; readonly fault: string | undefined }

/** Where a text lies, and its hash in `CutNumbers`. */
type TextPlace = { readonly start: number; readonly end: number; readonly hash: number }

/** Texts of one parser, and the memory of them and their fields; beyond, all are forgotten and learned anew. */
const MAX_TEXTS = 8192
const MAX_BYTES = 2 * 1024 * 1024
const FIELD_BYTES = 128
/** Lines of longer texts are parsed. */
const MAX_TEXT_BYTES = 16 * 1024
const SLOTS = 2 * MAX_TEXTS
/** A text that is not found in so many slots is learned each time. */
const MAX_PROBES = 64
/** Parsers, by what they look for, of a thread. */
const MAX_PARSERS = 4

const kept = new Map<string, TextLayouts>()

/** The layouts under a key that says all that `read` goes by. */
export function textLayouts(key: string, read: () => ReadSample): TextLayouts {
  const known = kept.get(key) ?? new TextLayouts(read())
  kept.delete(key)
  kept.set(key, known)
  if (kept.size > MAX_PARSERS) kept.delete(kept.keys().next().value!)
  return known
}

export class TextLayouts {
  readonly #read: ReadSample
  /** Open addressing: position of the text and 1. */
  readonly #slots = new Uint16Array(SLOTS)
  readonly #hashes = new Uint32Array(MAX_TEXTS)
  readonly #texts: Buffer[] = []
  readonly #layouts: (TextLayout | null)[] = []
  #size = 0

  constructor(read: ReadSample) {
    this.#read = read
  }

  /** Of the text `bytes[start, end)`, whose numbers have these contexts; null when its lines must be parsed. */
  of(bytes: Buffer, { start, end, hash }: TextPlace, contexts: () => Uint16Array): TextLayout | null {
    if (end - start > MAX_TEXT_BYTES) return null
    let slot = hash & (SLOTS - 1)
    for (let probes = 0; this.#slots[slot] !== 0; slot = (slot + 1) & (SLOTS - 1)) {
      if (++probes > MAX_PROBES) return this.#learn(sampleLineOf(bytes, start, end), contexts)
      const at = this.#slots[slot]! - 1
      if (this.#hashes[at] !== hash) continue
      const text = this.#texts[at]!
      if (text.length === end - start && text.compare(bytes, start, end) === 0) return this.#layouts[at]!
    }
    if (this.#texts.length === MAX_TEXTS || this.#size + end - start > MAX_BYTES) {
      this.#clear()
      slot = hash & (SLOTS - 1)
    }
    const layout = this.#learn(sampleLineOf(bytes, start, end), contexts)
    const at = this.#texts.push(Buffer.from(bytes.subarray(start, end))) - 1
    this.#size += end - start + (layout?.fields.length ?? 0) * FIELD_BYTES
    this.#layouts.push(layout)
    this.#hashes[at] = hash
    this.#slots[slot] = at + 1
    return layout
  }

  #learn(sample: SampleLine, contexts: () => Uint16Array): TextLayout | null {
    const found = this.#read(sample)
    if (found === undefined) return null
    const fields: NamedField[] = []
    for (const { name, start, end } of found.fields) {
      const pieces = piecesOf(sample, start, end)
      if (pieces === undefined) return null
      fields.push({ name, field: fieldOf(pieces, contexts()) })
    }
    return { fields, fault: found.fault }
  }

  #clear(): void {
    this.#slots.fill(0)
    this.#texts.length = 0
    this.#layouts.length = 0
    this.#size = 0
  }
}
