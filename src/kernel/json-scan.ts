/**
 * Walks over the members of a JSON object in a byte range, without making strings or objects, and hands those values to a
 * sink whose keys are wanted. Forgiving where log lines are sloppy (text behind the object, a comma before `}`), never deep:
 * nesting is kept on a small stack of its own, and what nobody wants is skipped by counting brackets.
 */
import { ROOT_KEY, type KeyTable } from './key-table.ts'

const QUOTE = 0x22
const BACKSLASH = 0x5c
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d
const OPEN_ARRAY = 0x5b
const CLOSE_ARRAY = 0x5d
const COMMA = 0x2c
const COLON = 0x3a
const MINUS = 0x2d

/** Objects nested more deeply are skipped. */
export const MAX_JSON_DEPTH = 128

/** Keys of a line that are expected where those of the line before were. */
const MAX_ORDER = 256

/** What is wrong with a line, in the words that `__error_details__` shows. */
export const jsonFaults = {
  malformed: 'Malformed JSON error',
  object: "Value looks like object, but can't find closing '}' symbol",
  array: "Value is array, but can't find closing ']' symbol",
  string: "Value is string, but can't find closing '\"' symbol",
  unknown: 'Unknown value type',
} as const
export type JsonFault = (typeof jsonFaults)[keyof typeof jsonFaults]

export interface JsonSink {
  /**
   * A wanted value. `escaped`: a string with escapes in it; strings come without their quotes. False stops the walk.
   */
  value(name: string, escaped: boolean, start: number, end: number): boolean
  /** An object of the first level begins: what comes until the next call may have to be taken back. */
  mark(): void
  /** Takes back everything since the last mark. */
  rollback(): void
}

/** Not thread-safe, reused line after line. */
export class JsonScanner {
  readonly #keys: KeyTable
  readonly #parents = new Int32Array(MAX_JSON_DEPTH)
  #bytes: Uint8Array = new Uint8Array(0)
  #end = 0
  #at = 0
  #escaped = false
  /** Keys in the order of the line before, which is mostly that of this one. */
  readonly #order = new Int32Array(MAX_ORDER)
  #place = 0

  constructor(keys: KeyTable) {
    this.#keys = keys
  }

  /** Walks over the object in `bytes[start, end)`. @returns what is wrong, undefined when all is well or the sink stopped. */
  scan(bytes: Uint8Array, start: number, end: number, sink: JsonSink): JsonFault | undefined {
    this.#keys.prepare()
    this.#bytes = bytes
    this.#at = start
    this.#end = end
    this.#place = 0
    if (this.#token() !== OPEN_OBJECT) return jsonFaults.object
    this.#at++
    let outer = -1
    let depth = 0
    this.#parents[0] = ROOT_KEY
    // the first token inside an object may also be its end
    let next = this.#token()
    if (next < 0) return jsonFaults.malformed
    for (;;) {
      if (next === CLOSE_OBJECT) {
        if (depth === 0) return undefined
        depth--
        this.#at++
      } else {
        const id = this.#key(next, this.#parents[depth]!)
        if (typeof id === 'string') return this.#fault(id, outer, depth, sink)
        if (
          this.#bytes[this.#at] === OPEN_OBJECT &&
          id >= 0 &&
          depth + 1 < MAX_JSON_DEPTH &&
          this.#keys.wantsChildren(id)
        ) {
          if (depth === 0) {
            outer = this.#at
            sink.mark()
          }
          this.#parents[++depth] = id
          this.#at++
          next = this.#token()
          if (next < 0) return this.#fault(jsonFaults.malformed, outer, depth, sink)
          continue
        }
        const fault = this.#value(id, sink)
        if (fault === stopped) return undefined
        if (fault) return this.#fault(fault, outer, depth, sink)
      }
      const behind = this.#behindValue()
      if (behind < 0)
        return this.#fault(behind === END_OF_LINE ? jsonFaults.array : jsonFaults.object, outer, depth, sink)
      next = behind
    }
  }

  /** An object that is never closed is a fault as a whole: what was found in it does not count. */
  #fault(fault: JsonFault, outer: number, depth: number, sink: JsonSink): JsonFault {
    if (depth === 0) return fault
    this.#at = outer
    if (this.#skipBlock(OPEN_OBJECT, CLOSE_OBJECT)) return fault
    sink.rollback()
    return jsonFaults.object
  }

  /** Skips blanks; the byte there, or -1 at the end. */
  #token(): number {
    const bytes = this.#bytes
    const end = this.#end
    let at = this.#at
    while (at < end) {
      const byte = bytes[at]!
      if (byte > 0x20 || (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09)) {
        this.#at = at
        return byte
      }
      at++
    }
    this.#at = at
    return -1
  }

  /** Reads `"key":` and the blanks behind it. @returns its id, or what is wrong. */
  #key(first: number, parent: number): number | JsonFault {
    if (first !== QUOTE) return jsonFaults.object
    const start = this.#at + 1
    const place = this.#place < MAX_ORDER ? this.#place++ : 0
    const expected = this.#order[place]!
    const size = this.#keys.sizeAt(expected, this.#bytes, start, parent, QUOTE)
    // a key that is shorter than the rest of the line and ends in a quote behind it is as the scan below would find it
    const isExpected = size >= 0 && start + size < this.#end
    if (isExpected) this.#at = start + size + 1
    else if (!this.#skipString()) return jsonFaults.malformed
    const keyEnd = this.#at - 1
    if (this.#token() !== COLON) return jsonFaults.malformed
    this.#at++
    if (this.#token() < 0) return jsonFaults.malformed
    if (isExpected) return expected
    const id = this.#keys.find(this.#bytes, start, keyEnd, parent)
    this.#order[place] = id
    return id
  }

  /** Goes behind a comma or stays at the closing brace. @returns the byte there; negative when it is neither. */
  #behindValue(): number {
    const byte = this.#token()
    if (byte === CLOSE_OBJECT) return byte
    if (byte < 0) return END_OF_LINE
    if (byte !== COMMA) return WRONG_BYTE
    this.#at++
    const next = this.#token()
    return next < 0 ? END_OF_LINE : next
  }

  #value(id: number, sink: JsonSink): JsonFault | typeof stopped | undefined {
    const start = this.#at
    const first = this.#bytes[start]!
    const wanted = this.#keys.wantsValue(id)
    if (first === QUOTE) {
      if (!this.#skipString()) return jsonFaults.string
      if (!wanted || sink.value(this.#keys.names[id]!, this.#escaped, start + 1, this.#at - 1)) return undefined
      return stopped
    }
    if (first === OPEN_OBJECT) return this.#skipBlock(OPEN_OBJECT, CLOSE_OBJECT) ? undefined : jsonFaults.object
    if (first === OPEN_ARRAY) return this.#skipBlock(OPEN_ARRAY, CLOSE_ARRAY) ? undefined : jsonFaults.array
    this.#skipScalar()
    const isNumber = (first >= 0x30 && first <= 0x39) || first === MINUS
    if (!isNumber) {
      const literal = scalarKind(this.#bytes, start, this.#at)
      if (literal === undefined) return jsonFaults.unknown
      if (literal === 'null') return undefined
    }
    if (!wanted || sink.value(this.#keys.names[id]!, false, start, this.#at)) return undefined
    return stopped
  }

  /** From the opening quote to behind the closing one. */
  #skipString(): boolean {
    const bytes = this.#bytes
    const end = this.#end
    this.#escaped = false
    for (let at = this.#at + 1; at < end; at++) {
      const byte = bytes[at]!
      if (byte === QUOTE) {
        this.#at = at + 1
        return true
      }
      if (byte === BACKSLASH) {
        this.#escaped = true
        at++
      }
    }
    return false
  }

  #skipScalar(): void {
    const bytes = this.#bytes
    let at = this.#at
    while (at < this.#end && !isScalarEnd(bytes[at]!)) at++
    this.#at = at
  }

  /** From the opening bracket to behind the one that closes it; other kinds of brackets do not count. */
  #skipBlock(open: number, close: number): boolean {
    const bytes = this.#bytes
    let level = 0
    while (this.#at < this.#end) {
      const byte = bytes[this.#at]!
      if (byte === QUOTE) {
        if (!this.#skipString()) return false
        continue
      }
      this.#at++
      if (byte === open) level++
      else if (byte === close && --level === 0) return true
    }
    return false
  }
}

const stopped = 'stopped'
const END_OF_LINE = -1
const WRONG_BYTE = -2

function isScalarEnd(byte: number): boolean {
  return (
    byte === COMMA ||
    byte === CLOSE_OBJECT ||
    byte === CLOSE_ARRAY ||
    byte === 0x20 ||
    byte === 0x0a ||
    byte === 0x0d ||
    byte === 0x09
  )
}

/** `true` and `false` are one kind, `null` another; anything else is none. */
export function scalarKind(bytes: Uint8Array, start: number, end: number): 'boolean' | 'null' | undefined {
  if (isWord(bytes, start, end, 'true') || isWord(bytes, start, end, 'false')) return 'boolean'
  return isWord(bytes, start, end, 'null') ? 'null' : undefined
}

function isWord(bytes: Uint8Array, start: number, end: number, word: string): boolean {
  if (end - start !== word.length) return false
  for (let i = 0; i < word.length; i++) if (bytes[start + i] !== word.charCodeAt(i)) return false
  return true
}
