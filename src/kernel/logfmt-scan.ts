/**
 * Walks over the `key=value` pairs of a logfmt line in a byte range, without making strings. The caller reads the fields of
 * the last pair; a fault leaves the position where the caller may stop (strict) or go on (`recover`).
 */
const QUOTE = 0x22
const BACKSLASH = 0x5c
const EQUALS = 0x3d
const BLANK = 0x20

export class LogfmtScanner {
  #bytes: Uint8Array = new Uint8Array(0)
  #start = 0
  #end = 0
  #at = 0
  /** The key of the pair found last, and its value, without quotes; an empty range when there is none. */
  keyStart = 0
  keyEnd = 0
  valueStart = 0
  valueEnd = 0
  /** Whether the value has escapes in it. */
  escaped = false
  #wrongByte = 0
  #wrongText = ''

  /** What was wrong when `next` returned `fault`, in the words of `__error_details__`. */
  get fault(): string {
    const what = this.#wrongText === '' ? `unexpected '${String.fromCharCode(this.#wrongByte)}'` : this.#wrongText
    return `logfmt syntax error at pos ${this.#at - this.#start + 1} : ${what}`
  }

  enter(bytes: Uint8Array, start: number, end: number): void {
    this.#bytes = bytes
    this.#start = start
    this.#at = start
    this.#end = end
  }

  /** Goes to the next pair. */
  next(): 'pair' | 'end' | 'fault' {
    const bytes = this.#bytes
    const end = this.#end
    let at = this.#at
    while (at < end && bytes[at]! <= BLANK) at++
    if (at === end) return 'end'
    this.keyStart = at
    let byte = 0
    while (at < end && (byte = bytes[at]!) > BLANK && byte !== EQUALS && byte !== QUOTE) at++
    this.keyEnd = at
    this.valueStart = at
    this.valueEnd = at
    this.escaped = false
    this.#at = at
    if (at === end || byte <= BLANK) return 'pair'
    if (byte === QUOTE || at === this.keyStart) return this.#unexpected(byte)
    return this.#value(at + 1)
  }

  #value(from: number): 'pair' | 'fault' {
    const bytes = this.#bytes
    const end = this.#end
    let at = from
    if (at < end && bytes[at] === QUOTE) return this.#quoted(at)
    this.valueStart = at
    let byte = 0
    while (at < end && (byte = bytes[at]!) > BLANK && byte !== EQUALS && byte !== QUOTE) at++
    this.valueEnd = at
    this.#at = at
    return at < end && byte > BLANK ? this.#unexpected(byte) : 'pair'
  }

  #quoted(quote: number): 'pair' | 'fault' {
    const bytes = this.#bytes
    const end = this.#end
    for (let at = quote + 1; at < end; at++) {
      const byte = bytes[at]!
      if (byte === BACKSLASH) {
        this.escaped = true
        at++
      } else if (byte === QUOTE) {
        this.valueStart = quote + 1
        this.valueEnd = at
        this.#at = at + 1
        return 'pair'
      }
    }
    this.#at = end
    return this.#wrong('unterminated quoted value')
  }

  /** After a fault: skips everything up to the next blank. */
  recover(): void {
    let at = this.#at
    while (at < this.#end && this.#bytes[at]! > BLANK) at++
    this.#at = at
  }

  /** The last pair is not what it seems, for a reason that the caller found. */
  invalidQuoted(): void {
    this.#wrong('invalid quoted value')
  }

  #unexpected(byte: number): 'fault' {
    this.#wrongByte = byte
    return this.#wrong('')
  }

  /** Made into a text when somebody asks: most faults are passed over. */
  #wrong(what: string): 'fault' {
    this.#wrongText = what
    return 'fault'
  }
}
