/**
 * Finds the level in the bytes of a line, without making a string of it. In this order:
 *
 * 1. A line that begins with `{` and ends with `}` is read as JSON: depth first, the first text under one of the level fields.
 * 2. Any other line is read as logfmt: of the level fields that it has, the one that stands first in the list.
 * 3. If that gave nothing, or a value that is no level: the first level word between boundaries, anywhere in the line.
 *
 * Every line that is ingested comes through here, so the loops touch each byte once, look it up in a table, and stop as soon as
 * the answer is known. Malformed JSON and logfmt are no errors: what was found until there counts.
 */
import { equalsFolded, levelOfWord, type LevelCode } from './levels.ts'

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COLON = 0x3a
const EQUALS = 0x3d
const SPACE = 0x20
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d

/** Step 3 looks at one table entry per byte: 1 for first letters of its words, 2 for bytes after which a word may begin. */
const FIRST_LETTER = 1
const LEFT = 2
const SCAN_CLASS = new Uint8Array(256)
for (const byte of Buffer.from('tdfceiwTDFCEIW')) SCAN_CLASS[byte] = FIRST_LETTER
for (const byte of Buffer.from(' \t\n[({"\'=|')) SCAN_CLASS[byte] = LEFT
/** Bytes that may follow a level word. */
const RIGHT = tableOf(' \t\n[](){}:,!"\'=|')
/** Bytes that end a logfmt key or an unquoted value. */
const KEY_END = tableOf('="')
for (let byte = 0; byte <= SPACE; byte++) KEY_END[byte] = 1

/** The words of step 3 by first letter. */
const scanWords: ReadonlyMap<number, readonly { readonly bytes: Uint8Array; readonly code: LevelCode }[]> = Map.groupBy(
  ['trace', 'debug', 'fatal', 'critical', 'error', 'err', 'warning', 'warn', 'info'].map((word) => {
    const bytes = Buffer.from(word)
    return { bytes, code: levelOfWord(bytes, 0, bytes.length) }
  }),
  ({ bytes }) => bytes[0] ?? 0,
)

type Field = { readonly bytes: Uint8Array; readonly rank: number }

/** Lengths of 31 bytes and more share one bit. */
const maxLengthBit = 31

/** Names to look for. `mask[first byte]` has a bit for each length that a name with this first byte has. */
class FieldTable {
  readonly #fields: readonly Field[]
  readonly #mask = new Uint32Array(256)
  readonly #isFolded: boolean

  constructor(names: readonly string[], options: { readonly isFolded: boolean }) {
    this.#isFolded = options.isFolded
    this.#fields = names.map((name, rank) => ({
      bytes: Buffer.from(options.isFolded ? name.toLowerCase() : name),
      rank,
    }))
    for (const { bytes } of this.#fields) {
      const first = bytes[0]
      if (first === undefined) continue
      const bit = 1 << Math.min(bytes.length, maxLengthBit)
      this.#mask[first]! |= bit
      if (options.isFolded && first >= 0x61 && first <= 0x7a) this.#mask[first - 0x20]! |= bit
    }
  }

  /** The rank of the name that is `bytes[start, end)`, or -1. */
  rankOf(bytes: Uint8Array, start: number, end: number): number {
    const length = end - start
    if (length === 0 || ((this.#mask[bytes[start]!]! >>> Math.min(length, maxLengthBit)) & 1) === 0) return -1
    for (let index = 0; index < this.#fields.length; index++) {
      const field = this.#fields[index]!
      if (field.bytes.length !== length) continue
      if (this.#isFolded ? equalsFolded(bytes, start, field.bytes) : equals(bytes, start, field.bytes))
        return field.rank
    }
    return -1
  }
}

export class LevelDetector {
  readonly #exact: FieldTable
  readonly #folded: FieldTable
  readonly #jsonMaxDepth: number

  /** @param jsonMaxDepth 1 looks at the keys of the outermost object only. */
  constructor(fields: readonly string[], jsonMaxDepth: number) {
    this.#exact = new FieldTable(fields, { isFolded: false })
    this.#folded = new FieldTable(fields, { isFolded: true })
    this.#jsonMaxDepth = jsonMaxDepth
  }

  /** The level of the line `bytes[start, end)`; 0 when there is none. */
  detect(bytes: Uint8Array, start: number, end: number): LevelCode {
    let from = start
    let to = end
    while (from < to && bytes[from]! <= SPACE) from++
    while (from < to && bytes[to - 1]! <= SPACE) to--
    if (from === to) return 0
    const isJson = bytes[from] === OPEN_BRACE && bytes[to - 1] === CLOSE_BRACE
    const found = isJson ? this.#inJson(bytes, from, to) : this.#inLogfmt(bytes, from, to)
    return found === 0 ? levelOfFirstWord(bytes, from, to) : found
  }

  #inJson(bytes: Uint8Array, start: number, end: number): LevelCode {
    let depth = 1
    let at = start + 1
    while (at < end) {
      const byte = bytes[at]!
      if (byte === QUOTE) {
        const keyEnd = closingQuote(bytes, at + 1, end)
        const value = skipColon(bytes, keyEnd + 1, end)
        const first = value < end ? bytes[value]! : 0
        if (first === QUOTE) {
          const valueEnd = closingQuote(bytes, value + 1, end)
          if (this.#exact.rankOf(bytes, at + 1, keyEnd) >= 0) return levelOfWord(bytes, value + 1, valueEnd)
          at = valueEnd + 1
        } else if (first === OPEN_BRACE && depth < this.#jsonMaxDepth) {
          depth++
          at = value + 1
        } else if (first === OPEN_BRACE || first === OPEN_BRACKET) {
          at = skipContainer(bytes, value, end)
        } else {
          at = value
        }
      } else {
        if (byte === CLOSE_BRACE && --depth === 0) return 0
        at++
      }
    }
    return 0
  }

  #inLogfmt(bytes: Uint8Array, start: number, end: number): LevelCode {
    let best = Number.POSITIVE_INFINITY
    let level = 0
    let at = start
    while (at < end) {
      while (at < end && bytes[at]! <= SPACE) at++
      const keyStart = at
      while (at < end && KEY_END[bytes[at]!] === 0) at++
      if (at >= end || bytes[at] === QUOTE) return level
      if (bytes[at] !== EQUALS) continue
      const rank = this.#folded.rankOf(bytes, keyStart, at)
      at++
      const isQuoted = at < end && bytes[at] === QUOTE
      const valueStart = isQuoted ? at + 1 : at
      if (isQuoted) at = closingQuote(bytes, valueStart, end)
      else while (at < end && bytes[at]! > SPACE) at++
      if (rank >= 0 && rank < best) {
        best = rank
        level = levelOfWord(bytes, valueStart, at)
        if (rank === 0) return level
      }
      if (isQuoted) at++
    }
    return level
  }
}

/** Position of the quote that ends the text from `at` on, or `end`. */
function closingQuote(bytes: Uint8Array, start: number, end: number): number {
  let at = start
  for (; at < end; at++) {
    const byte = bytes[at]!
    if (byte === QUOTE) return at
    if (byte === BACKSLASH) at++
  }
  return end
}

/** Position of the value behind a key: past white space and a colon. */
function skipColon(bytes: Uint8Array, start: number, end: number): number {
  let at = start
  while (at < end && (bytes[at]! <= SPACE || bytes[at] === COLON)) at++
  return at
}

/** Position behind the object or array that begins at `start`. */
function skipContainer(bytes: Uint8Array, start: number, end: number): number {
  let depth = 0
  let at = start
  for (; at < end; at++) {
    const byte = bytes[at]!
    if (byte === QUOTE) at = closingQuote(bytes, at + 1, end)
    else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) depth++
    else if ((byte === CLOSE_BRACE || byte === CLOSE_BRACKET) && --depth === 0) return at + 1
  }
  return end
}

/** Step 3: the first level word that stands between boundaries. */
function levelOfFirstWord(bytes: Uint8Array, start: number, end: number): LevelCode {
  for (let at = start; ; at++) {
    if (at < end && SCAN_CLASS[bytes[at]!] === FIRST_LETTER) {
      const level = scanWordAt(bytes, at, end)
      if (level !== 0) return level
    }
    while (at < end && SCAN_CLASS[bytes[at]!]! < LEFT) at++
    if (at >= end) return 0
  }
}

function scanWordAt(bytes: Uint8Array, at: number, end: number): LevelCode {
  const candidates = scanWords.get(bytes[at]! | 0x20)!
  for (let index = 0; index < candidates.length; index++) {
    const { bytes: word, code } = candidates[index]!
    const wordEnd = at + word.length
    if (wordEnd > end || !equalsFolded(bytes, at, word)) continue
    if (wordEnd === end || RIGHT[bytes[wordEnd]!] !== 0) return code
  }
  return 0
}

function equals(bytes: Uint8Array, start: number, name: Uint8Array): boolean {
  for (let index = 0; index < name.length; index++) if (bytes[start + index] !== name[index]) return false
  return true
}

function tableOf(characters: string): Uint8Array {
  const table = new Uint8Array(256)
  for (const byte of Buffer.from(characters)) table[byte] = 1
  return table
}
