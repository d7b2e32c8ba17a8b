/** Finds the value at a path (member names and array indexes) in a JSON text, by bytes and without recursion. */
import { latin1Text, utf8Text } from './buffer-text.ts'
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
      const isIt = this.#keyText(start, this.#at - 1) === name
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

  #keyText(start: number, end: number): string | undefined {
    const latin1 = latin1Text(this.#bytes, start, end)
    return latin1.includes('\\') ? unescapeJson(utf8Text(this.#bytes, start, end)) : utf8Text(this.#bytes, start, end)
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
    for (let at = this.#at + 1; at < this.#end; at++) {
      const byte = this.#bytes[at]!
      if (byte === BACKSLASH) at++
      else if (byte === QUOTE) {
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

  #skipBlock(): boolean {
    let level = 0
    while (this.#at < this.#end) {
      const byte = this.#bytes[this.#at]!
      if (byte === QUOTE) {
        if (!this.#skipString()) return false
        continue
      }
      this.#at++
      if (byte === open.object || byte === open.array) level++
      else if ((byte === close.object || byte === close.array) && --level === 0) return true
    }
    return false
  }
}

const isBlank = (byte: number): boolean => byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d
const isScalarEnd = (byte: number): boolean =>
  byte === COMMA || byte === COLON || byte === close.object || byte === close.array || isBlank(byte)
