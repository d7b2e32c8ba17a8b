/**
 * Reads Go's template language: text with `{{ actions }}`. Everything that can be known before execution is checked here:
 * blocks are closed, functions and variables exist.
 */
import { BadRequest } from '#/kernel/errors.ts'
import { readActions, type ActionToken, type Piece } from './read-actions.ts'
import { functionArity } from './function-names.ts'
import type { Command, Operand, Pipe, Template, TemplateNode } from './nodes.ts'
import type { Value } from './values.ts'

/** Deepest nesting of blocks and parentheses. */
const MAX_NESTING = 100

/** @throws BadRequest `template: <name>:<line>: …` */
export function parseTemplate(text: string, name = 'line'): Template {
  return new Parser(readActions(text, name), name).parse()
}

/** What is wrong with a template; undefined when nothing is. */
export function templateMistake(text: string, name = 'line'): string | undefined {
  try {
    parseTemplate(text, name)
    return undefined
  } catch (error) {
    if (error instanceof BadRequest) return error.message
    throw error
  }
}

/** How a list of nodes ended: at the end of the text, or at one of these keywords. */
type Ending = 'eof' | 'end' | 'else'

class Parser {
  readonly #pieces: readonly Piece[]
  readonly #name: string
  readonly #named = new Map<string, readonly TemplateNode[]>()
  #piece = 0
  #tokens: readonly ActionToken[] = []
  #at = 0
  #line = 1
  #nesting = 0
  #loops = 0
  #variables: string[] = ['$']

  constructor(pieces: readonly Piece[], name: string) {
    this.#pieces = pieces
    this.#name = name
  }

  parse(): Template {
    const { nodes, ending } = this.#list()
    if (ending !== 'eof') throw this.#fail(`unexpected {{${ending}}}`)
    return { body: nodes, named: this.#named }
  }

  /** Nodes up to `{{end}}`, `{{else …}}` (whose other tokens are left to the caller) or the end of the text. */
  #list(): { nodes: TemplateNode[]; ending: Ending } {
    const nodes: TemplateNode[] = []
    while (this.#piece < this.#pieces.length) {
      const piece = this.#pieces[this.#piece++]!
      this.#line = piece.line
      if (piece.kind === 'text') {
        nodes.push(piece)
        continue
      }
      this.#tokens = piece.tokens
      this.#at = 0
      const keyword = this.#peek()?.kind === 'keyword' ? this.#next().text : undefined
      if (keyword === 'end') {
        this.#expectEnd('end')
        return { nodes, ending: 'end' }
      }
      if (keyword === 'else') return { nodes, ending: 'else' }
      const node = keyword === undefined ? this.#action() : this.#statement(keyword)
      if (node) nodes.push(node)
    }
    return { nodes, ending: 'eof' }
  }

  #action(): TemplateNode {
    const pipe = this.#pipe('command', false)
    this.#expectEnd('command')
    return { kind: 'action', pipe }
  }

  #statement(keyword: string): TemplateNode | undefined {
    switch (keyword) {
      case 'if':
      case 'with':
      case 'range':
        return this.#block(keyword)
      case 'define':
        this.#define(this.#templateName('define clause'))
        return undefined
      case 'block': {
        const name = this.#templateName('block clause')
        const pipe = this.#pipe('block clause', false)
        this.#define(name)
        return { kind: 'template', name, pipe }
      }
      case 'template': {
        const name = this.#templateName('template clause')
        const pipe = this.#peek() ? this.#pipe('template clause', false) : undefined
        this.#expectEnd('template clause')
        return { kind: 'template', name, pipe }
      }
      case 'break':
      case 'continue':
        if (this.#loops === 0) throw this.#fail(`{{${keyword}}} outside {{range}}`)
        this.#expectEnd(keyword)
        return { kind: keyword }
      default:
        throw this.#fail(`unexpected {{${keyword}}}`)
    }
  }

  #block(kind: 'if' | 'with' | 'range'): TemplateNode {
    return this.#nested(() => {
      const scope = this.#variables.length
      const pipe = this.#pipe(kind, kind === 'range')
      this.#expectEnd(kind)
      if (kind === 'range') this.#loops++
      const { nodes: body, ending } = this.#list()
      if (kind === 'range') this.#loops--
      const orElse = ending === 'else' ? this.#otherwise(kind) : []
      if (ending === 'eof') throw this.#fail('unexpected EOF')
      this.#variables.length = scope
      return { kind, pipe, body, orElse }
    })
  }

  /** Behind `else`: another condition, or nodes up to `end`. */
  #otherwise(kind: 'if' | 'with' | 'range'): readonly TemplateNode[] {
    const next = this.#peek()
    if (next?.kind === 'keyword' && next.text === kind && kind !== 'range') {
      this.#next()
      return [this.#block(kind)]
    }
    this.#expectEnd('else')
    const { nodes, ending } = this.#list()
    if (ending === 'else') throw this.#fail('expected end; found {{else}}')
    if (ending === 'eof') throw this.#fail('unexpected EOF')
    return nodes
  }

  #define(name: string): void {
    this.#expectEnd('define clause')
    const outer = this.#variables
    const loops = this.#loops
    this.#variables = ['$']
    this.#loops = 0
    const { nodes, ending } = this.#nested(() => this.#list())
    if (ending !== 'end') throw this.#fail(ending === 'eof' ? 'unexpected EOF' : 'unexpected {{else}}')
    this.#variables = outer
    this.#loops = loops
    this.#named.set(name, nodes)
  }

  #templateName(context: string): string {
    const token = this.#next()
    if (token.kind !== 'string') throw this.#fail(`unexpected ${describe(token)} in ${context}`)
    return token.text
  }

  #pipe(context: string, isRange: boolean): Pipe {
    const { variables, isAssignment } = this.#declaration(isRange)
    const commands: Command[] = [this.#command(context)]
    while (this.#accept('|')) commands.push(this.#command(context))
    if (!isAssignment) this.#variables.push(...variables)
    for (const [index, [first]] of commands.entries()) {
      const isValue =
        first!.kind !== 'function' && first!.kind !== 'pipe' && (first!.kind === 'literal' || first!.path.length === 0)
      if (index > 0 && isValue) throw this.#fail(`non executable command in pipeline stage ${index + 1}`)
    }
    return { variables, isAssignment, commands }
  }

  /** `$x :=`, `$x =`, `$i, $x :=` in front of a pipe; nothing is read when there is none. */
  #declaration(isRange: boolean): { variables: string[]; isAssignment: boolean } {
    const start = this.#at
    const variables: string[] = []
    while (this.#peek()?.kind === 'variable' && variables.length < (isRange ? 2 : 1)) {
      variables.push(this.#next().text)
      if (!this.#accept(',')) break
    }
    const operator = this.#peek()?.text
    if (variables.length > 0 && (operator === ':=' || operator === '=')) {
      this.#next()
      const isAssignment = operator === '='
      for (const name of isAssignment ? variables : []) this.#checkVariable(name)
      return { variables, isAssignment }
    }
    this.#at = start
    return { variables: [], isAssignment: false }
  }

  #command(context: string): Command {
    const operands: Operand[] = []
    for (let token = this.#peek(); token && token.text !== '|' && token.text !== ')'; token = this.#peek()) {
      if (token.kind === 'punctuation' && token.text !== '(')
        throw this.#fail(`unexpected ${describe(token)} in operand`)
      operands.push(this.#operand())
    }
    if (operands.length === 0) throw this.#fail(`missing value for ${context}`)
    return operands
  }

  #operand(): Operand {
    const token = this.#next()
    const { kind, text } = token
    if (kind === 'string') return { kind: 'literal', value: text }
    if (kind === 'number') return { kind: 'literal', value: this.#number(text) }
    if (kind === 'dot') return { kind: 'dot', path: [] }
    if (kind === 'field') return { kind: 'dot', path: [text, ...this.#path()] }
    if (kind === 'name') return this.#constantOrFunction(text)
    if (kind === 'variable') {
      this.#checkVariable(text)
      return { kind: 'variable', name: text, path: this.#path() }
    }
    if (text !== '(') throw this.#fail(`unexpected ${describe(token)} in operand`)
    return this.#nested(() => {
      const pipe = this.#pipe('parenthesized pipeline', false)
      if (!this.#accept(')')) throw this.#fail('unclosed left paren')
      return { kind: 'pipe', pipe, path: this.#path() }
    })
  }

  #constantOrFunction(name: string): Operand {
    const constants: Readonly<Record<string, Value>> = { true: true, false: false, nil: undefined }
    if (Object.hasOwn(constants, name)) return { kind: 'literal', value: constants[name] }
    if (!Object.hasOwn(functionArity, name)) throw this.#fail(`function ${JSON.stringify(name)} not defined`)
    return { kind: 'function', name, path: this.#path() }
  }

  /** Field names that follow without a blank. */
  #path(): string[] {
    const path: string[] = []
    for (let token = this.#peek(); token?.kind === 'field' && token.isAttached; token = this.#peek()) {
      path.push(this.#next().text)
    }
    return path
  }

  #number(text: string): Value {
    const clean = text.replaceAll('_', '')
    const [, sign = '', digits = ''] = /^([+-]?)(.*)$/.exec(clean) ?? []
    if (/^(?:0[xXbBoO][0-9a-fA-F]+|\d+)$/.test(digits)) {
      const octal = /^0\d+$/.test(digits) ? `0o${digits.slice(1)}` : digits
      try {
        return sign === '-' ? -BigInt(octal) : BigInt(octal)
      } catch {
        throw this.#fail(`bad number syntax: ${JSON.stringify(text)}`)
      }
    }
    const value = Number(clean)
    if (Number.isNaN(value)) throw this.#fail(`bad number syntax: ${JSON.stringify(text)}`)
    return value
  }

  #checkVariable(name: string): void {
    if (!this.#variables.includes(name)) throw this.#fail(`undefined variable ${JSON.stringify(name)}`)
  }

  #nested<T>(parse: () => T): T {
    if (++this.#nesting > MAX_NESTING) throw this.#fail(`blocks nest deeper than ${MAX_NESTING}`)
    const result = parse()
    this.#nesting--
    return result
  }

  #peek(): ActionToken | undefined {
    return this.#tokens[this.#at]
  }

  #next(): ActionToken {
    const token = this.#tokens[this.#at++]
    if (!token) throw this.#fail('unexpected end of action')
    return token
  }

  #accept(text: string): boolean {
    const token = this.#peek()
    if (token?.kind !== 'punctuation' || token.text !== text) return false
    this.#at++
    return true
  }

  #expectEnd(context: string): void {
    const token = this.#peek()
    if (token) throw this.#fail(`unexpected ${describe(token)} in ${context}`)
  }

  #fail(what: string): BadRequest {
    return new BadRequest(`template: ${this.#name}:${this.#line}: ${what}`)
  }
}

function describe(token: ActionToken): string {
  return token.text === ')' ? 'right paren' : JSON.stringify(token.source)
}
