/** The tokens of a template one after the other, and the errors that name their lines. */
import { BadRequest } from '#/kernel/errors.ts'
import { readTokens } from './read-tokens.ts'
import { describeToken, type Token, type TokenKind } from './tokens.ts'

export class TokenStream {
  readonly #tokens: readonly Token[]
  readonly #name: string
  #at = 0
  /** The last token looked at: errors name its line. */
  #seen = 0
  /** The line of the action that is being read; 0 outside. */
  actionLine = 0

  constructor(text: string, name: string) {
    this.#tokens = readTokens(text)
    this.#name = name
  }

  peek(): Token {
    const at = Math.min(this.#at, this.#tokens.length - 1)
    this.#seen = Math.max(this.#seen, at)
    return this.#tokens[at]!
  }

  next(): Token {
    const token = this.peek()
    this.#at++
    return token
  }

  /** Skips blanks. */
  peekSolid(): Token {
    while (this.peek().kind === 'blank') this.#at++
    return this.peek()
  }

  nextSolid(): Token {
    const token = this.peekSolid()
    this.#at++
    return token
  }

  /** Where the stream stands, for `rewind`. */
  get position(): number {
    return this.#at
  }

  rewind(position: number): void {
    this.#at = position
  }

  expect(kind: TokenKind, context: string): Token {
    const token = this.nextSolid()
    if (token.kind !== kind) throw this.unexpected(token, context)
    return token
  }

  unexpected(token: Token, context: string): BadRequest {
    if (token.kind !== 'fault') return this.fail(`unexpected ${describeToken(token)} in ${context}`)
    if (this.actionLine === 0 || this.actionLine === token.line) return this.fail(token.text)
    const place = ` started at ${this.#name}:${this.actionLine}`
    return this.fail(`${token.text}${token.text.endsWith(' action') ? '' : ' in action'}${place}`)
  }

  fail(what: string): BadRequest {
    return new BadRequest(`template: ${this.#name}:${this.#tokens[this.#seen]!.line}: ${what}`)
  }
}
