/**
 * Reads Go's template language: text with `{{ actions }}`. What can be known before execution is checked here, in Go's order and
 * words: blocks are closed, functions and variables exist.
 */
import { BadRequest } from '#/kernel/errors.ts'
import { unquoteGo } from '#/kernel/go-quote.ts'
import { signatures as entrySignatures, type Signature } from './signatures.ts'
import type { BranchNode, Command, Operand, Pipe, Template, TemplateNode } from './nodes.ts'
import { numberLiteral, runeLiteral } from './parse-literal.ts'
import { printOperand } from './print-node.ts'
import { TokenStream } from './token-stream.ts'
import type { Token, TokenKind } from './tokens.ts'
import type { Value } from './values.ts'

/** Deepest nesting of blocks and parentheses. */
const MAX_NESTING = 100

/** @throws BadRequest `template: <name>:<line>: …` */
export function parseTemplate(text: string, name = 'line', signatures = entrySignatures): Template {
  return new Parser(text, name, signatures).parse()
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

type BranchKind = BranchNode['kind']
/** What ends a list of nodes. */
type Ending = 'end' | 'else'

const operandKinds: ReadonlySet<TokenKind> = new Set([
  'bool',
  'rune',
  'dot',
  'field',
  'name',
  'number',
  'nil',
  'string',
  'variable',
  '(',
])

class Parser {
  readonly #text: string
  readonly #name: string
  readonly #signatures: Readonly<Record<string, Signature>>
  readonly #tokens: TokenStream
  readonly #named = new Map<string, readonly TemplateNode[]>()
  #nesting = 0
  #loops = 0
  #variables: string[] = ['$']

  constructor(text: string, name: string, signatures: Readonly<Record<string, Signature>>) {
    this.#text = text
    this.#name = name
    this.#signatures = signatures
    this.#tokens = new TokenStream(text, name)
  }

  parse(): Template {
    const tokens = this.#tokens
    const body: TemplateNode[] = []
    while (tokens.peek().kind !== 'eof') {
      const start = tokens.position
      if (tokens.next().kind === 'open' && tokens.nextSolid().text === 'define') {
        this.#define()
        continue
      }
      tokens.rewind(start)
      const node = this.#textOrAction()
      if (typeof node === 'string') throw tokens.fail(`unexpected {{${node}}}`)
      body.push(node)
    }
    return { name: this.#name, text: this.#text, body, named: this.#named, signatures: this.#signatures }
  }

  #define(): void {
    const name = this.#string(this.#tokens.expect('string', 'define clause'))
    this.#tokens.expect('close', 'define clause')
    this.#definition(name, 'define clause')
  }

  /** The body of a template of its own, which sees no variables and no loop around it. */
  #definition(name: string, context: string): void {
    const [variables, loops] = [this.#variables, this.#loops]
    this.#variables = ['$']
    this.#loops = 0
    const { nodes, ending } = this.#nested(() => this.#list())
    if (ending !== 'end') throw this.#tokens.fail(`unexpected {{${ending}}} in ${context}`)
    this.#variables = variables
    this.#loops = loops
    // of two with one name the later counts, unless there is nothing in it
    if (!this.#named.has(name) || !isEmpty(nodes)) this.#named.set(name, nodes)
  }

  /** Nodes up to `{{end}}` or `{{else`, whose condition, if any, is left to the caller. */
  #list(): { nodes: TemplateNode[]; ending: Ending } {
    const nodes: TemplateNode[] = []
    while (this.#tokens.peekSolid().kind !== 'eof') {
      const node = this.#textOrAction()
      if (typeof node === 'string') return { nodes, ending: node }
      nodes.push(node)
    }
    throw this.#tokens.fail('unexpected EOF')
  }

  #textOrAction(): TemplateNode | Ending {
    const token = this.#tokens.nextSolid()
    if (token.kind === 'text') return { kind: 'text', text: token.text, at: token.at }
    if (token.kind !== 'open') throw this.#tokens.unexpected(token, 'input')
    this.#tokens.actionLine = token.line
    const node = this.#action()
    this.#tokens.actionLine = 0
    return node
  }

  #action(): TemplateNode | Ending {
    const tokens = this.#tokens
    const first = tokens.peekSolid()
    if (first.kind === 'keyword' && first.text !== 'define') {
      tokens.next()
      return this.#statement(first)
    }
    return { kind: 'action', pipe: this.#pipe('command', 'close'), at: first.at }
  }

  #statement({ text, at }: Token): TemplateNode | Ending {
    const tokens = this.#tokens
    switch (text) {
      case 'if':
      case 'with':
      case 'range':
        return this.#branch(text)
      case 'block':
        return this.#blockStatement()
      case 'template': {
        const token = tokens.nextSolid()
        const name = this.#templateName(token, 'template clause')
        const isAlone = tokens.peekSolid().kind === 'close'
        if (isAlone) tokens.next()
        const pipe = isAlone ? undefined : this.#pipe('template clause', 'close')
        return { kind: 'template', name, pipe, at: token.at }
      }
      case 'end':
        tokens.expect('close', 'end')
        return 'end'
      case 'else': {
        const next = tokens.peekSolid()
        const isCondition = next.kind === 'keyword' && (next.text === 'if' || next.text === 'with')
        if (!isCondition) tokens.expect('close', 'else')
        return 'else'
      }
      default: {
        const token = tokens.nextSolid()
        if (token.kind !== 'close') throw tokens.unexpected(token, `{{${text}}}`)
        if (this.#loops === 0) throw tokens.fail(`{{${text}}} outside {{range}}`)
        return { kind: text as 'break' | 'continue', at }
      }
    }
  }

  #blockStatement(): TemplateNode {
    const token = this.#tokens.nextSolid()
    const name = this.#templateName(token, 'block clause')
    const pipe = this.#pipe('block clause', 'close')
    this.#definition(name, 'block clause')
    return { kind: 'template', name, pipe, at: token.at }
  }

  #branch(kind: BranchKind): BranchNode {
    return this.#nested(() => {
      const scope = this.#variables.length
      const pipe = this.#pipe(kind, 'close')
      if (kind === 'range') this.#loops++
      const { nodes: body, ending } = this.#list()
      if (kind === 'range') this.#loops--
      const orElse = ending === 'else' ? this.#otherwise(kind) : []
      this.#variables.length = scope
      return { kind, pipe, body, orElse, at: pipe.at }
    })
  }

  /** Behind `else`: another condition, which ends where this does, or nodes up to `end`. */
  #otherwise(kind: BranchKind): readonly TemplateNode[] {
    const next = this.#tokens.peek().kind === 'blank' ? this.#tokens.peekSolid() : this.#tokens.peek()
    if (next.kind === 'keyword' && next.text === kind && kind !== 'range') {
      this.#tokens.next()
      return [this.#branch(kind)]
    }
    const { nodes, ending } = this.#list()
    if (ending === 'else') throw this.#tokens.fail('expected end; found {{else}}')
    return nodes
  }

  #templateName(token: Token, context: string): string {
    if (token.kind !== 'string') throw this.#tokens.unexpected(token, context)
    return this.#string(token)
  }

  #pipe(context: string, end: 'close' | ')'): Pipe {
    const tokens = this.#tokens
    const { at } = tokens.peekSolid()
    const { variables, isAssignment } = this.#declaration(context)
    const commands: Command[] = []
    for (let token = tokens.peekSolid(); token.kind !== end; token = tokens.peekSolid()) {
      if (!operandKinds.has(token.kind)) throw tokens.unexpected(tokens.next(), context)
      commands.push(this.#command())
    }
    tokens.next()
    if (commands.length === 0) throw tokens.fail(`missing value for ${context}`)
    for (const [index, [first]] of commands.entries()) {
      const isValue = first!.kind === 'literal' || (first!.kind === 'dot' && first!.path.length === 0)
      if (index > 0 && isValue) throw tokens.fail(`non executable command in pipeline stage ${index + 1}`)
    }
    return { variables, isAssignment, commands, at }
  }

  /** `$x :=`, `$x =`, `$i, $x :=` in front of a pipe; nothing is taken when there is none. */
  #declaration(context: string): { variables: string[]; isAssignment: boolean } {
    const tokens = this.#tokens
    const variables: string[] = []
    for (;;) {
      const start = tokens.position
      if (tokens.peekSolid().kind !== 'variable') return { variables, isAssignment: false }
      const name = tokens.next().text
      const next = tokens.peekSolid()
      const isComma = next.kind === 'character' && next.text === ','
      if (next.kind !== '=' && next.kind !== ':=' && !isComma) {
        tokens.rewind(start)
        return { variables, isAssignment: false }
      }
      tokens.next()
      variables.push(name)
      this.#variables.push(name)
      if (!isComma) return { variables, isAssignment: next.kind === '=' }
      if (context !== 'range' || variables.length > 1) throw tokens.fail(`too many declarations in ${context}`)
      const behind = tokens.peekSolid().kind
      if (behind !== 'variable' && behind !== 'close' && behind !== ')')
        throw tokens.fail('range can only initialize variables')
    }
  }

  #command(): Command {
    const tokens = this.#tokens
    const operands: Operand[] = []
    for (;;) {
      if (operandKinds.has(tokens.peekSolid().kind)) operands.push(this.#operand())
      const next = tokens.peek()
      if (next.kind === 'blank') continue
      if (next.kind === '|') tokens.next()
      else if (next.kind !== 'close' && next.kind !== ')') throw tokens.unexpected(tokens.next(), 'operand')
      break
    }
    if (operands.length === 0) throw tokens.fail('empty command')
    return operands
  }

  #operand(): Operand {
    const term = this.#term(this.#tokens.nextSolid())
    const { kind, at } = this.#tokens.peek()
    if (kind !== 'field') return term
    const path: string[] = []
    while (this.#tokens.peek().kind === 'field') path.push(this.#tokens.next().text.slice(1))
    if (term.kind === 'literal' || (term.kind === 'dot' && term.path.length === 0))
      throw this.#tokens.fail(`unexpected . after term ${JSON.stringify(printOperand(term))}`)
    return { ...term, path: [...term.path, ...path], at }
  }

  #term(token: Token): Operand {
    const { kind, text, at } = token
    if (kind === 'name') {
      if (!Object.hasOwn(this.#signatures, text))
        throw this.#tokens.fail(`function ${JSON.stringify(text)} not defined`)
      return { kind: 'function', name: text, path: [], at }
    }
    if (kind === 'dot') return { kind: 'dot', path: [], at }
    if (kind === 'field') return { kind: 'dot', path: [text.slice(1)], at }
    if (kind === 'variable') {
      if (!this.#variables.includes(text)) throw this.#tokens.fail(`undefined variable ${JSON.stringify(text)}`)
      return { kind: 'variable', name: text, path: [], at }
    }
    if (kind === '(')
      return this.#nested(() => ({ kind: 'pipe', pipe: this.#pipe('parenthesized pipeline', ')'), path: [], at }))
    return { kind: 'literal', value: this.#literal(token), source: text, at }
  }

  #literal(token: Token): Value {
    const { kind, text } = token
    if (kind === 'nil') return undefined
    if (kind === 'bool') return text === 'true'
    if (kind === 'string') return this.#string(token)
    return this.#inLine(() => (kind === 'rune' ? runeLiteral(text) : numberLiteral(text)))
  }

  #string({ text }: Token): string {
    return this.#inLine(() => unquoteGo(text))
  }

  /** Adds the place to what is wrong. */
  #inLine<T>(read: () => T): T {
    try {
      return read()
    } catch (error) {
      if (error instanceof BadRequest) throw this.#tokens.fail(error.message)
      throw error
    }
  }

  #nested<T>(parse: () => T): T {
    if (++this.#nesting > MAX_NESTING) throw this.#tokens.fail(`blocks nest deeper than ${MAX_NESTING}`)
    const result = parse()
    this.#nesting--
    return result
  }
}

/** Nothing but blanks and definitions. */
function isEmpty(nodes: readonly TemplateNode[]): boolean {
  return nodes.every((node) => node.kind === 'text' && node.text.trim() === '')
}
