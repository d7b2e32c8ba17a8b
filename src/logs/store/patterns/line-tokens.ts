/**
 * Takes a line apart for the miner, in one pass over its bytes and without strings:
 *
 *     frame    what patterns keep as it stands: dividers, marks behind words, names of fields, levels
 *     words    may stay as text, or become a hole when they vary
 *     holes    what always varies: words with digits, values of JSON and logfmt fields
 *
 * Words and holes are the tokens. Invariant, from which it follows that a pattern matches its lines with `|>`, which takes the
 * first place of each text and never comes back: what may become a hole is not empty, and the text behind it stands nowhere in it,
 * not even in part. It holds because a token ends at the end of the line, or at a byte that it does not contain, or at a mark and
 * a divider, and no token has a divider in it.
 */
import { classOfByte, DIGIT, HIGH, JOINER, LETTER, SIGN, UNFIT } from './byte-classes.ts'
import { fieldKind, HASH_PRIME, HASH_SEED, hashBytes, LEVEL_FIELD, MESSAGE_FIELD, OTHER_FIELD } from './known-fields.ts'

/** What is behind this many tokens is one hole. */
export const MAX_TOKENS = 192
/** `hash` of a hole that a word may stand for, and of one that is always one. */
export const HOLE = 0
export const FIXED_HOLE = 1
/** Longest value of a level field that stays as text. */
const MAX_LEVEL_BYTES = 12

const QUOTE = 0x22
const BACKSLASH = 0x5c
const EQUALS = 0x3d
const COLON = 0x3a
const COMMA = 0x2c
const FULL_STOP = 0x2e
const OPEN_OBJECT = 0x7b
const OPEN_ARRAY = 0x5b
const CLOSE_ARRAY = 0x5d
/** Stands in the frame where a token is. */
const TOKEN_MARK = 0x1ff

export class LineTokens {
  count = 0
  readonly start: Uint32Array = new Uint32Array(MAX_TOKENS + 1)
  readonly end: Uint32Array = new Uint32Array(MAX_TOKENS + 1)
  readonly hash: Int32Array = new Int32Array(MAX_TOKENS + 1)
  /** Equal for lines that differ in their tokens only. */
  frame = 0
  /** Whether any word has bytes beyond ASCII. */
  hasHigh = false
  #bytes: Uint8Array = new Uint8Array(0)
  #lineEnd = 0
  /** Whether the string that was looked at last has escapes. */
  #isEscaped = false

  scan(bytes: Uint8Array, start: number, end: number): void {
    this.#bytes = bytes
    this.#lineEnd = end
    this.count = 0
    this.frame = HASH_SEED
    this.hasHigh = false
    let at = start
    if (bytes[start] === OPEN_OBJECT && (bytes[start + 1] === QUOTE || bytes[start + 2] === QUOTE)) {
      at = this.#json(start, end)
    }
    this.#text(at, end, true)
  }

  /**
   * Free text: words, and `name=value` pairs among them. What a line costs is spent here, so that this loop keeps its state in
   * variables and calls nothing for a word.
   */
  #text(from: number, to: number, hasFields: boolean): void {
    const bytes = this.#bytes
    const { start: starts, end: ends, hash: hashes } = this
    const lineEnd = this.#lineEnd
    let at = from
    let { frame, count } = this
    while (at < to) {
      let byte = bytes[at]!
      let kind = classOfByte[byte]!
      if (kind === 0) {
        frame = Math.imul(frame ^ byte, HASH_PRIME)
        at++
        continue
      }
      const start = at
      let hash = HASH_SEED
      let kinds = 0
      while (kind !== 0 && kind !== DIGIT) {
        kinds |= kind
        hash = Math.imul(hash ^ byte, HASH_PRIME)
        kind = ++at < to ? classOfByte[(byte = bytes[at]!)]! : 0
      }
      // a word with a digit is a hole whatever else is in it
      while (kind !== 0) {
        kinds |= kind
        kind = ++at < to ? classOfByte[(byte = bytes[at]!)]! : 0
      }
      if (byte === EQUALS && hasFields && at < to && this.#isField(start, at, kinds)) {
        const name = (kinds & DIGIT) === 0 ? hash : hashBytes(bytes, start, at)
        this.count = count
        this.frame = Math.imul(frame ^ name, HASH_PRIME)
        at = this.#value(at, to, fieldKind(name))
        frame = this.frame
        count = this.count
      } else {
        const last = bytes[at - 1]!
        // a mark behind a word belongs to the frame, as long as a divider behind it makes sure that it is found there
        const hasMark = (last === COMMA || last === COLON || last === FULL_STOP) && at - start > 1 && at < lineEnd
        starts[count] = start
        ends[count] = hasMark ? at - 1 : at
        hashes[count++] = (kinds & (DIGIT | UNFIT)) === 0 ? fitHash(hash) : HOLE
        if ((kinds & HIGH) !== 0) this.hasHigh = true
        frame = Math.imul(frame ^ (hasMark ? TOKEN_MARK ^ (last << 9) : TOKEN_MARK), HASH_PRIME)
      }
      if (count >= MAX_TOKENS) return this.#rest(frame)
    }
    this.frame = frame
    this.count = count
  }

  /** Whether the word before `=` names a field. */
  #isField(start: number, equals: number, kinds: number): boolean {
    if ((kinds & (SIGN | UNFIT | HIGH)) !== 0) return false
    const first = classOfByte[this.#bytes[start]!]!
    const next = equals + 1 < this.#lineEnd ? this.#bytes[equals + 1]! : EQUALS
    return (first & (LETTER | JOINER)) !== 0 && next > 0x20 && next !== EQUALS
  }

  /** The value behind `=`; returns where it ends. */
  #value(equals: number, to: number, field: number): number {
    const bytes = this.#bytes
    const at = equals + 1
    this.frame = Math.imul(this.frame ^ EQUALS, HASH_PRIME)
    if (at < to && bytes[at] === QUOTE) {
      const close = this.#closingQuote(at + 1, to)
      return close < 0 ? at : this.#quoted(at, close, field)
    }
    let end = at
    while (end < to && classOfByte[bytes[end]!] !== 0) end++
    if (end > at) this.#plainValue(at, end, field)
    return end
  }

  /** The quoted value of a field; returns the place behind it. */
  #quoted(open: number, close: number, field: number): number {
    this.frame = Math.imul(this.frame ^ QUOTE, HASH_PRIME)
    if (field === MESSAGE_FIELD) this.#text(open + 1, close, false)
    else if (field !== LEVEL_FIELD || !this.#level(open + 1, close)) this.#quotedHoles(open + 1, close)
    this.frame = Math.imul(this.frame ^ QUOTE, HASH_PRIME)
    return close + 1
  }

  /** Everything between quotes, which escaped ones divide. */
  #quotedHoles(from: number, to: number): void {
    if (!this.#isEscaped) {
      if (to > from) this.#token(from, to, FIXED_HOLE)
      return
    }
    const bytes = this.#bytes
    for (let at = from; at < to; at++) {
      const start = at
      while (at < to && bytes[at] !== QUOTE) at++
      if (at > start) this.#token(start, at, FIXED_HOLE)
      if (at < to) this.frame = Math.imul(this.frame ^ QUOTE, HASH_PRIME)
    }
  }

  /** A value without dividers in it. */
  #plainValue(start: number, end: number, field: number): void {
    if (field === MESSAGE_FIELD) this.#text(start, end, false)
    else if (field !== LEVEL_FIELD || !this.#level(start, end)) this.#token(start, end, FIXED_HOLE)
  }

  /** Takes a level into the frame; false when it does not look like one. */
  #level(start: number, end: number): boolean {
    if (end - start > MAX_LEVEL_BYTES) return false
    const bytes = this.#bytes
    for (let i = start; i < end; i++) if (classOfByte[bytes[i]!] !== LETTER) return false
    this.frame = Math.imul(this.frame ^ hashBytes(bytes, start, end), HASH_PRIME)
    return true
  }

  #token(start: number, end: number, hash: number): void {
    const { count } = this
    if (count >= MAX_TOKENS) return
    this.start[count] = start
    this.end[count] = end
    this.hash[count] = hash
    this.count = count + 1
    this.frame = Math.imul(this.frame ^ TOKEN_MARK, HASH_PRIME)
  }

  /** There is no room for more tokens: the last one goes to the end of the line. */
  #rest(frame: number): void {
    this.frame = frame
    this.count = MAX_TOKENS
    this.end[MAX_TOKENS - 1] = this.#lineEnd
    this.hash[MAX_TOKENS - 1] = FIXED_HOLE
  }

  /**
   * A line that begins as a JSON object; returns where it ceases to look like JSON. Names and structure are frame, strings and
   * other values are holes, but for messages and levels. Arrays of plain values are one hole.
   */
  #json(from: number, to: number): number {
    const bytes = this.#bytes
    let at = from
    let field = OTHER_FIELD
    while (at < to) {
      if (this.count >= MAX_TOKENS) {
        this.#rest(this.frame)
        return to
      }
      const byte = bytes[at]!
      if (byte === QUOTE) {
        const close = this.#closingQuote(at + 1, to)
        if (close < 0) return at
        const colon = this.#colonBehind(close + 1, to)
        if (colon < 0) {
          at = this.#quoted(at, close, field)
          field = OTHER_FIELD
          continue
        }
        field = this.#name(at + 1, close)
        for (at = close + 1; at <= colon; at++) this.frame = Math.imul(this.frame ^ bytes[at]!, HASH_PRIME)
        continue
      }
      if (!isJsonEnd(byte)) {
        const start = at
        while (at < to && !isJsonEnd(bytes[at]!) && bytes[at] !== QUOTE) at++
        this.#token(start, at, FIXED_HOLE)
        continue
      }
      this.frame = Math.imul(this.frame ^ byte, HASH_PRIME)
      at++
      if (byte === OPEN_ARRAY) {
        const close = this.#plainArrayEnd(at, to)
        if (close > at) {
          this.#token(at, close, FIXED_HOLE)
          at = close
        }
      }
    }
    return to
  }

  /** The name of a JSON field between its quotes. */
  #name(start: number, end: number): number {
    const bytes = this.#bytes
    let hash = HASH_SEED
    let kinds = 0
    let isWhole = true
    for (let i = start; i < end; i++) {
      const kind = classOfByte[bytes[i]!]!
      if (kind === 0) isWhole = false
      kinds |= kind
      hash = Math.imul(hash ^ bytes[i]!, HASH_PRIME)
    }
    this.frame = Math.imul(this.frame ^ QUOTE, HASH_PRIME)
    // a name that cannot stand in a pattern
    if ((kinds & (UNFIT | HIGH)) !== 0) this.#quotedHoles(start, end)
    else this.frame = Math.imul(this.frame ^ hash, HASH_PRIME)
    this.frame = Math.imul(this.frame ^ QUOTE, HASH_PRIME)
    return isWhole ? fieldKind(hash) : OTHER_FIELD
  }

  /** The quote that ends a string which begins at `from`; -1 without. */
  #closingQuote(from: number, to: number): number {
    const bytes = this.#bytes
    this.#isEscaped = false
    for (let at = from; at < to; at++) {
      const byte = bytes[at]!
      if (byte === QUOTE) return at
      if (byte === BACKSLASH) {
        this.#isEscaped = true
        at++
      }
    }
    return -1
  }

  #colonBehind(from: number, to: number): number {
    let at = from
    while (at < to && this.#bytes[at] === 0x20) at++
    return at < to && this.#bytes[at] === COLON ? at : -1
  }

  /** The end of an array that has no arrays or objects in it; -1 otherwise. */
  #plainArrayEnd(from: number, to: number): number {
    const bytes = this.#bytes
    for (let at = from; at < to; at++) {
      const byte = bytes[at]!
      if (byte === CLOSE_ARRAY) return at
      if (byte === OPEN_ARRAY || byte === OPEN_OBJECT) return -1
      if (byte !== QUOTE) continue
      const close = this.#closingQuote(at + 1, to)
      if (close < 0 || includes(bytes, at, close, CLOSE_ARRAY)) return -1
      at = close
    }
    return -1
  }
}

/** Keeps hashes of words apart from those of holes. */
function fitHash(hash: number): number {
  return hash === HOLE || hash === FIXED_HOLE ? 2 : hash
}

function includes(bytes: Uint8Array, from: number, to: number, wanted: number): boolean {
  for (let i = from; i < to; i++) if (bytes[i] === wanted) return true
  return false
}

/** Bytes that end a value which is not a string. */
function isJsonEnd(byte: number): boolean {
  return (
    byte === COMMA ||
    byte === 0x7d ||
    byte === CLOSE_ARRAY ||
    byte === OPEN_OBJECT ||
    byte === OPEN_ARRAY ||
    byte === COLON ||
    byte === 0x20 ||
    byte === 0x09 ||
    byte === 0x0a
  )
}
