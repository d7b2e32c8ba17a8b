/** Finds the value at a path (member names and array indexes) in a JSON text, by bytes and without recursion. */
import { utf8Text } from './buffer-text.ts'
import { scalarKind } from './json-scan.ts'
import { unescapeJson } from './json-text.ts'

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const COLON = 0x3a
const open = { object: 0x7b, array: 0x5b }
const close = { object: 0x7d, array: 0x5d }

export class JsonPathScanner {
  #bytes: Buffer = Buffer.alloc(0)
  #end = 0
  #at = 0
  /** Whether the string skipped last has escapes in it. */
  #hasEscapes = false
  /** Names of paths as bytes. A scanner is made for a few paths. */
  readonly #names = new Map<string, Buffer>()
  /** Range of the value that `find` found; of a string, without its quotes. */
  valueStart = 0
  valueEnd = 0

  /** Looks for the first value at `path`; broken text behind it does not matter. */
  find(
    bytes: Buffer,
    start: number,
    end: number,
    path: readonly (string | number)[],
  ): 'string' | 'null' | 'other' | 'missing' {
    this.#bytes = bytes
    this.#end = end
    this.#at = start
    for (const step of path) {
      this.#blanks()
      const isFound = typeof step === 'number' ? this.#element(step) : this.#member(step)
      if (!isFound) return 'missing'
    }
    this.#blanks()
    const from = this.#at
    if (!this.#skipValue()) return 'missing'
    this.valueStart = from
    this.valueEnd = this.#at
    if (bytes[from] === QUOTE) {
      this.valueStart++
      this.valueEnd--
      return 'string'
    }
    return scalarKind(bytes, from, this.#at) === 'null' ? 'null' : 'other'
  }

  #member(name: string): boolean {
    if (!this.#accept(open.object)) return false
    for (this.#blanks(); this.#bytes[this.#at] === QUOTE && this.#at < this.#end; this.#blanks()) {
      const start = this.#at + 1
      if (!this.#skipString()) return false
      const isIt = this.#isKey(name, start, this.#at - 1)
      this.#blanks()
      if (!this.#accept(COLON)) return false
      if (isIt) return true
      this.#blanks()
      if (!this.#skipValue()) return false
      this.#blanks()
      if (!this.#accept(COMMA)) return false
    }
    return false
  }

  #element(index: number): boolean {
    if (!this.#accept(open.array)) return false
    for (let i = 0; ; i++) {
      this.#blanks()
      if (this.#at >= this.#end || this.#bytes[this.#at] === close.array) return false
      if (i === index) return true
      if (!this.#skipValue()) return false
      this.#blanks()
      if (!this.#accept(COMMA)) return false
    }
  }

  /** Whether the key in `bytes[start, end)` is `name`; it becomes a string only when it has escapes. */
  #isKey(name: string, start: number, end: number): boolean {
    const bytes = this.#bytes
    const wanted = this.#bytesOf(name)
    if (!this.#hasEscapes) {
      if (end - start !== wanted.length) return false
      for (let i = 0; i < wanted.length; i++) if (bytes[start + i] !== wanted[i]) return false
      return true
    }
    return unescapeJson(utf8Text(bytes, start, end)) === name
  }

  #bytesOf(name: string): Buffer {
    let bytes = this.#names.get(name)
    if (!bytes) this.#names.set(name, (bytes = Buffer.from(name)))
    return bytes
  }

  #accept(byte: number): boolean {
    if (this.#at >= this.#end || this.#bytes[this.#at] !== byte) return false
    this.#at++
    return true
  }

  #blanks(): void {
    while (this.#at < this.#end && isBlank(this.#bytes[this.#at]!)) this.#at++
  }

  #skipString(): boolean {
    const bytes = this.#bytes
    const end = this.#end
    this.#hasEscapes = false
    for (let at = this.#at + 1; at < end; at++) {
      const byte = bytes[at]!
      if (byte === BACKSLASH) {
        this.#hasEscapes = true
        at++
      } else if (byte === QUOTE) {
        this.#at = at + 1
        return true
      }
    }
    return false
  }

  /** Goes behind the value here; false when there is none or it does not end. */
  #skipValue(): boolean {
    const first = this.#bytes[this.#at]
    if (this.#at >= this.#end) return false
    if (first === QUOTE) return this.#skipString()
    if (first === open.object || first === open.array) return this.#skipBlock()
    const from = this.#at
    while (this.#at < this.#end && !isScalarEnd(this.#bytes[this.#at]!)) this.#at++
    return this.#at > from
  }

  /** Only brackets of the same kind count, so that mistakes inside do not hide what stands behind. */
  #skipBlock(): boolean {
    const opening = this.#bytes[this.#at]!
    const closing = opening === open.object ? close.object : close.array
    let level = 0
    while (this.#at < this.#end) {
      const byte = this.#bytes[this.#at]!
      if (byte === QUOTE) {
        if (!this.#skipString()) return false
        continue
      }
      this.#at++
      if (byte === opening) level++
      else if (byte === closing && --level === 0) return true
    }
    return false
  }
}

const isBlank = (byte: number): boolean => byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d
const isScalarEnd = (byte: number): boolean =>
  byte === COMMA || byte === COLON || byte === close.object || byte === close.array || isBlank(byte)
