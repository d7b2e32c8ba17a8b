/**
 * `JSON.parse` for texts that others wrote. The one of V8 (Node 24 and 26, nodejs/node#63785) remembers keys that it has seen and
 * compares them with the raw text of the next document: after a key `\` it reads `{"\"":1}` as a second `\`. Only keys with
 * a backslash in their raw text are hit, so whatever has none goes to `JSON.parse` as it is, and the rest is read here, where V8
 * sees single strings and numbers only.
 */
const token = /[ \t\n\r]*("(?:[^"\\]|\\[^])*"|[[\]{},:]|[^ \t\n\r"[\]{},:]+)/y
const blanks = /[ \t\n\r]*/y

/** Texts with backslashes that nest more deeply are refused. */
const MAX_DEPTH = 1000

/** @throws SyntaxError for what is no JSON. */
export function parseJson(text: string): unknown {
  return text.includes('\\') ? new Reader(text).document() : JSON.parse(text)
}

class Reader {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  document(): unknown {
    const value = this.#value(this.#next(), 0)
    blanks.lastIndex = this.#at
    blanks.test(this.#text)
    if (blanks.lastIndex < this.#text.length) throw this.#wrong('nothing more', blanks.lastIndex)
    return value
  }

  #next(): string {
    token.lastIndex = this.#at
    const found = token.exec(this.#text)
    if (found === null) throw this.#wrong('a value', this.#at)
    this.#at = token.lastIndex
    return found[1]!
  }

  #value(first: string, depth: number): unknown {
    if (depth > MAX_DEPTH) throw new SyntaxError(`nested more deeply than ${MAX_DEPTH} levels`)
    if (first === '{') return this.#object(depth)
    if (first === '[') return this.#array(depth)
    // neither an object nor an array, or wrong
    return JSON.parse(first)
  }

  #object(depth: number): object {
    const members: [string, unknown][] = []
    for (let key = this.#next(); key !== '}'; key = this.#next()) {
      if (!key.startsWith('"')) throw this.#wrong('a key', this.#at - key.length)
      this.#expect(':')
      members.push([JSON.parse(key) as string, this.#value(this.#next(), depth + 1)])
      if (!this.#hasMore('}')) break
    }
    return Object.fromEntries(members)
  }

  #array(depth: number): unknown[] {
    const elements: unknown[] = []
    for (let first = this.#next(); first !== ']'; first = this.#next()) {
      elements.push(this.#value(first, depth + 1))
      if (!this.#hasMore(']')) break
    }
    return elements
  }

  /** Behind a value: takes `end`, or a comma that something must follow. */
  #hasMore(end: '}' | ']'): boolean {
    const found = this.#next()
    if (found === end) return false
    if (found !== ',') throw this.#wrong(`a comma or ${end}`, this.#at - found.length)
    const behind = this.#at
    if (this.#next() === end) throw this.#wrong('a value', behind)
    this.#at = behind
    return true
  }

  #expect(wanted: string): void {
    const found = this.#next()
    if (found !== wanted) throw this.#wrong(wanted, this.#at - found.length)
  }

  #wrong(expected: string, position: number): SyntaxError {
    return new SyntaxError(`expected ${expected} at position ${position} of the JSON text`)
  }
}
