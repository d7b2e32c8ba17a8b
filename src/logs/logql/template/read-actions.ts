/** Splits a template into text and actions, and actions into tokens; comments and trimmed blanks are gone afterwards. */
import { BadRequest } from '#/kernel/errors.ts'
import { unquoteGo } from '#/kernel/go-quote.ts'

export type ActionToken = {
  readonly kind: 'string' | 'number' | 'dot' | 'field' | 'variable' | 'name' | 'keyword' | 'punctuation'
  /** Strings unquoted, fields without their dot, all others as written. */
  readonly text: string
  readonly source: string
  /** No blank stands before it. */
  readonly isAttached: boolean
}

export type Piece =
  | { readonly kind: 'text'; readonly text: string; readonly line: number }
  | { readonly kind: 'action'; readonly tokens: readonly ActionToken[]; readonly line: number }

const keywords = new Set(['if', 'else', 'end', 'range', 'with', 'define', 'block', 'template', 'break', 'continue'])
const comment = /\{\{(?:- )?\/\*[^]*?\*\/(?: -)?\}\}/y
const token =
  /(?<string>"(?:[^"\\\n]|\\.)*"|`[^`]*`)|(?<char>'(?:[^'\\\n]|\\.)+')|(?<number>[+-]?(?:\d|\.\d)[\w.]*(?:(?<=[eEpP])[+-]\d+)?)|(?<field>\.[\p{L}_][\p{L}\p{Nd}_]*)|(?<dot>\.)|(?<variable>\$[\p{L}\p{Nd}_]*)|(?<name>[\p{L}_][\p{L}\p{Nd}_]*)|(?<punctuation>:=|[=|(),])/uy
const blanks = /[ \t\r\n]*/y

/** @throws BadRequest `template: <name>:<line>: …` */
export function readActions(text: string, name: string): Piece[] {
  const reader = new Reader(text, name)
  while (!reader.isDone) reader.step()
  return reader.pieces
}

class Reader {
  readonly pieces: Piece[] = []
  readonly #text: string
  readonly #name: string
  #at = 0
  #line = 1
  #trimsNext = false

  constructor(text: string, name: string) {
    this.#text = text
    this.#name = name
  }

  get isDone(): boolean {
    return this.#at >= this.#text.length
  }

  /** One stretch of text, then one action or comment. */
  step(): void {
    const open = this.#text.indexOf('{{', this.#at)
    let text = this.#text.slice(this.#at, open < 0 ? undefined : open)
    const line = this.#line
    this.#line += countNewlines(text)
    if (this.#trimsNext) text = text.replace(/^[ \t\r\n]+/, '')
    this.#trimsNext = false
    const trims = open >= 0 && /^-[ \t\r\n]/.test(this.#text.slice(open + 2, open + 4))
    if (trims) text = text.replace(/[ \t\r\n]+$/, '')
    if (text !== '') this.pieces.push({ kind: 'text', text, line })
    if (open < 0) {
      this.#at = this.#text.length
      return
    }
    this.#at = open
    if (!this.#comment()) this.#action(open + (trims ? 3 : 2))
  }

  #comment(): boolean {
    comment.lastIndex = this.#at
    const match = comment.exec(this.#text)
    if (!match) {
      if (/^\{\{(?:- )?\/\*/.test(this.#text.slice(this.#at, this.#at + 6))) throw this.#fail('unclosed comment')
      return false
    }
    this.#line += countNewlines(match[0])
    this.#trimsNext = match[0].endsWith(' -}}')
    this.#at += match[0].length
    return true
  }

  #action(from: number): void {
    const tokens: ActionToken[] = []
    const line = this.#line
    this.#at = from
    for (;;) {
      const start = this.#at
      blanks.lastIndex = start
      this.#at += blanks.exec(this.#text)![0].length
      const isAttached = this.#at === start
      this.#line += countNewlines(this.#text.slice(start, this.#at))
      if (this.#closes(isAttached)) break
      tokens.push(this.#token(isAttached))
    }
    if (tokens.length === 0) throw this.#fail('missing value for command')
    this.pieces.push({ kind: 'action', tokens, line })
  }

  #closes(isAttached: boolean): boolean {
    if (this.isDone) throw this.#fail('unclosed action')
    const trims = !isAttached && this.#text.startsWith('-}}', this.#at)
    if (!trims && !this.#text.startsWith('}}', this.#at)) return false
    this.#trimsNext = trims
    this.#at += trims ? 3 : 2
    return true
  }

  #token(isAttached: boolean): ActionToken {
    token.lastIndex = this.#at
    const match = token.exec(this.#text)
    if (!match) throw this.#fail(this.#unreadable())
    const source = match[0]
    this.#at += source.length
    this.#line += countNewlines(source)
    const [kind] = Object.entries(match.groups!).find(([, value]) => value !== undefined)!
    if (kind === 'char') return { kind: 'number', text: this.#charCode(source), source, isAttached }
    if (kind === 'string') return { kind, text: this.#unquote(source), source, isAttached }
    if (kind === 'field') return { kind, text: source.slice(1), source, isAttached }
    const isKeyword = kind === 'name' && keywords.has(source)
    return { kind: isKeyword ? 'keyword' : (kind as ActionToken['kind']), text: source, source, isAttached }
  }

  #unreadable(): string {
    const char = String.fromCodePoint(this.#text.codePointAt(this.#at)!)
    if (char === '"') return 'unterminated quoted string'
    if (char === '`') return 'unterminated raw quoted string'
    if (char === "'") return 'unterminated character constant'
    return `unexpected ${JSON.stringify(char)} in command`
  }

  #unquote(source: string): string {
    try {
      return unquoteGo(source)
    } catch {
      throw this.#fail('invalid syntax')
    }
  }

  #charCode(source: string): string {
    const text = this.#unquote(source)
    if (Array.from(text).length !== 1) throw this.#fail(`malformed character constant: ${source}`)
    return String(text.codePointAt(0))
  }

  #fail(what: string): BadRequest {
    return new BadRequest(`template: ${this.#name}:${this.#line}: ${what}`)
  }
}

function countNewlines(text: string): number {
  let count = 0
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) count++
  return count
}
