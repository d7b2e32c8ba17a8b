/**
 * Label sets as text. Pushes carry them in Prometheus' grammar, `{name="value", …}` in any order, with any Go literal as the value; inside
 * Edda there is one canonical text per set: sorted by name, values quoted by `quoteGo`, `, ` between.
 */
import { BadRequest } from '#/kernel/errors.ts'
import { quoteGo, unquoteGo } from '#/kernel/go-quote.ts'
import { compareUtf8 } from '#/kernel/utf8.ts'
import type { Label, Labels } from '#/storage/index/label-index.ts'

const labelName = /^[a-zA-Z_][a-zA-Z0-9_]*$/
const identifierAt = /[a-zA-Z_][a-zA-Z0-9_]*/y
const spaceAt = /[ \t\r\n]*/y
/** Whether `name` needs no quotes, in label sets and in queries. */
export function isLabelName(name: string): boolean {
  return labelName.test(name)
}

/**
 * The labels of `text`, sorted; labels with an empty value are left out.
 * @throws BadRequest `1:6: parse error: unexpected "}" in label set, expected string`, or naming a label that occurs twice.
 */
export function parseLabels(text: string): Labels {
  const labels = parseLabelPairs(text)
  const twice = duplicateName(labels)
  if (twice !== undefined) throw new BadRequest(`duplicate label name: '${twice}'`)
  return labels
}

/** As {@link parseLabels}, but a name that occurs several times is kept as often. */
export function parseLabelPairs(text: string): Label[] {
  return parsePlainPairs(text) ?? readLabelPairs(text)
}

/** The usual form: identifiers, values in double quotes without escapes, commas. Undefined for every other text. */
function parsePlainPairs(text: string): Label[] | undefined {
  if (text.charCodeAt(0) !== 0x7b || text.includes('\\') || text.includes('\n')) return undefined
  const labels: Label[] = []
  let isSorted = true
  let before = ''
  for (let at = 1; ;) {
    while (text.charCodeAt(at) === 0x20) at++
    const nameEnd = text.indexOf('="', at)
    const valueEnd = nameEnd < 0 ? -1 : text.indexOf('"', nameEnd + 2)
    if (valueEnd < 0 || !isIdentifier(text, at, nameEnd)) return undefined
    const name = text.slice(at, nameEnd)
    if (valueEnd > nameEnd + 2) labels.push([name, text.slice(nameEnd + 2, valueEnd)])
    isSorted &&= before <= name
    before = name
    at = valueEnd + 1
    const next = text.charCodeAt(at++)
    if (next === 0x2c) continue
    if (next !== 0x7d || at !== text.length) return undefined
    return isSorted ? labels : sortLabels(labels)
  }
}

function isIdentifier(text: string, start: number, end: number): boolean {
  for (let at = start; at < end; at++) {
    const code = text.charCodeAt(at)
    const isLetter = (code >= 0x61 && code <= 0x7a) || (code >= 0x41 && code <= 0x5a) || code === 0x5f
    if (!isLetter && (at === start || code < 0x30 || code > 0x39)) return false
  }
  return end > start
}

function readLabelPairs(text: string): Label[] {
  const reader = new LabelReader(text)
  const labels: Label[] = []
  reader.expect('{', '"{"')
  while (!reader.accept('}')) {
    const name = reader.name()
    reader.expect('=', '"="')
    const value = reader.literal('string')
    if (value !== '') labels.push([name, value])
    if (reader.accept('}')) break
    reader.expect(',', '"," or "}"')
  }
  reader.expectEnd()
  return sortLabels(labels)
}

/** Sorts in place by the bytes of the names; equal names keep their order. */
export function sortLabels(labels: Label[]): Label[] {
  return labels.sort((a, b) => compareUtf8(a[0], b[0]))
}

/** The first name that occurs twice in sorted labels. */
export function duplicateName(sorted: readonly Label[]): string | undefined {
  return sorted.find(([name], index) => sorted[index + 1]?.[0] === name)?.[0]
}

/** The canonical text of labels, in any order; a name that is no identifier is quoted. */
export function formatLabels(labels: readonly Label[]): string {
  const isSorted = labels.every(([name], index) => index === 0 || compareUtf8(labels[index - 1]?.[0] ?? '', name) <= 0)
  let text = '{'
  for (const [name, value] of isSorted ? labels : sortLabels([...labels])) {
    if (text.length > 1) text += ', '
    text += `${isLabelName(name) ? name : quoteGo(name)}=${quoteGo(value)}`
  }
  return `${text}}`
}

/** A cursor over the text of a label set; white space before a token never matters. */
class LabelReader {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  accept(character: string): boolean {
    this.#skipSpace()
    if (this.#text[this.#at] !== character) return false
    this.#at++
    return true
  }

  expect(character: string, expected: string): void {
    if (!this.accept(character)) this.#fail(expected)
  }

  expectEnd(): void {
    this.#skipSpace()
    if (this.#at < this.#text.length) this.#fail('end of input')
  }

  /** An identifier, or any name in quotes. */
  name(): string {
    this.#skipSpace()
    const identifier = this.#match(identifierAt)
    if (identifier !== undefined) return identifier
    const name = this.literal('identifier or "}"')
    return name === '' ? this.#fail('a label name that is not empty') : name
  }

  literal(expected: string): string {
    this.#skipSpace()
    const start = this.#at
    const literal = this.#literalText()
    if (literal === undefined) return this.#fail(expected)
    try {
      return unquoteGo(literal)
    } catch {
      this.#at = start
      return this.#fail('a string with valid escapes')
    }
  }

  /** Takes a literal from its quote to the closing one; takes nothing when there is none. */
  #literalText(): string | undefined {
    const quote = this.#text[this.#at] ?? ''
    if (quote !== '"' && quote !== "'" && quote !== '`') return undefined
    for (let at = this.#at + 1; at < this.#text.length; at++) {
      const character = this.#text[at]
      if (character === quote) {
        const literal = this.#text.slice(this.#at, at + 1)
        this.#at = at + 1
        return literal
      }
      if (quote === '`') continue
      if (character === '\n') return undefined
      if (character === '\\') at++
    }
    return undefined
  }

  #skipSpace(): void {
    this.#match(spaceAt)
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#text)?.[0]
    this.#at += found?.length ?? 0
    return found
  }

  #fail(expected: string): never {
    const before = this.#text.slice(0, this.#at).split('\n')
    const column = (before.at(-1)?.length ?? 0) + 1
    throw new BadRequest(
      `${before.length}:${column}: parse error: unexpected ${this.#found()} in label set, expected ${expected}`,
    )
  }

  /** What stands at the cursor, cut to a readable length. */
  #found(): string {
    if (this.#at >= this.#text.length) return 'end of input'
    const identifier = this.#match(identifierAt)
    if (identifier !== undefined) return `identifier "${identifier.slice(0, 64)}"`
    const character = String.fromCodePoint(this.#text.codePointAt(this.#at) ?? 0)
    if ('"\'`'.includes(character) && this.#literalText() === undefined) return 'unterminated string'
    return quoteGo(character)
  }
}
