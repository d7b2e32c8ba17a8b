/** Evaluates the pipes of a template: variables, fields, function calls with their types, and where a failure happened. */
import { unreachable } from '#/kernel/assert.ts'
import { quoteGo } from '#/kernel/go-quote.ts'
import { sizeOf } from './arguments.ts'
import type { FunctionContext, TemplateData, TemplateFunction } from './functions.ts'
import { LIMITS } from './limits.ts'
import type { Command, FunctionOperand, Operand, Pipe, Template, TemplateNode } from './nodes.ts'
import { printCommand, printNode, printOperand, printPipe } from './print-node.ts'
import type { ParameterType, Signature } from './signatures.ts'
import { timeMethods } from './time-methods.ts'
import {
  isMap,
  isTime,
  isTrue,
  LabelMap,
  showValue,
  TemplateFailure,
  typeName,
  type Value,
  type ValueMap,
} from './values.ts'

type Variable = { readonly name: string; value: Value }
/** What is being evaluated, for messages. */
type Place = TemplateNode | Operand | Pipe | Command

/** No value is piped in. */
const nothing = Symbol('nothing')
type Piped = Value | typeof nothing

export class Evaluation implements FunctionContext {
  readonly data: TemplateData
  /** The root of the data: labels by name, read one by one. The map of all of them is made when a template uses it as a whole. */
  readonly root: ValueMap = new LabelMap()
  steps = 0
  readonly #template: Template
  readonly #functions: Readonly<Record<string, TemplateFunction>>
  /** The template that is running; others are called. */
  #name: string
  #place: Place | undefined
  #variables: Variable[]
  #labels: ValueMap | undefined

  constructor(template: Template, data: TemplateData, functions: Readonly<Record<string, TemplateFunction>>) {
    this.#template = template
    this.#functions = functions
    this.#name = template.name
    this.data = data
    this.#variables = [{ name: '$', value: this.root }]
  }

  /** Forgets everything about the entry before. */
  reset(): void {
    this.steps = 0
    this.#name = this.#template.name
    this.#place = undefined
    this.#variables = [{ name: '$', value: this.root }]
    this.#labels = undefined
  }

  /** @throws TemplateFailure when the template does too much. */
  spend(steps: number): void {
    this.steps += steps
    if (this.steps > LIMITS.steps) throw this.failure(`template runs more than ${LIMITS.steps} steps`)
  }

  enter(place: Place): void {
    this.#place = place
  }

  /** `template: line:1:3: executing "line" at <.x>: …` */
  failure(what: string): TemplateFailure {
    const place = this.#place
    const { name, text } = this.#template
    if (place === undefined) return new TemplateFailure(`template: ${name}: ${what}`)
    const before = text.slice(0, placeStart(place))
    const lineStart = before.lastIndexOf('\n') + 1
    const line = before.split('\n').length
    const column = Buffer.byteLength(before.slice(lineStart))
    const where = `${name}:${line}:${column}: executing ${quoteGo(this.#name)} at <${printPlace(place)}>`
    return new TemplateFailure(`template: ${where}: ${what}`)
  }

  whole(value: Value): Value {
    return value === this.root ? (this.#labels ??= this.data.labels()) : value
  }

  /** Runs with the variables declared so far; those that `run` declares are gone afterwards. */
  scoped<T>(run: () => T): T {
    const depth = this.#variables.length
    const result = run()
    this.#variables.length = depth
    return result
  }

  /** Runs another template: it sees `dot` and no variables. */
  inTemplate(name: string, dot: Value, run: () => void): void {
    const [outerName, outer] = [this.#name, this.#variables]
    this.#name = name
    this.#variables = [{ name: '$', value: dot }]
    run()
    this.#name = outerName
    this.#variables = outer
  }

  bind(name: string, value: Value, isAssignment: boolean): void {
    if (!isAssignment) this.#variables.push({ name, value })
    else this.#variable(name).value = value
  }

  pipe(pipe: Pipe, dot: Value): Value {
    this.#place = pipe
    let value: Piped = nothing
    for (const command of pipe.commands) value = this.#command(command, dot, value)
    for (const name of pipe.variables) this.bind(name, value as Value, pipe.isAssignment)
    return value as Value
  }

  #variable(name: string): Variable {
    const variable = this.#variables.findLast((each) => each.name === name)
    if (!variable) throw this.failure(`undefined variable: ${name}`)
    return variable
  }

  /** `piped` becomes the last argument. */
  #command(command: Command, dot: Value, piped: Piped): Value {
    const first = command[0]!
    const hasArguments = command.length > 1 || piped !== nothing
    if (first.kind === 'function' && first.path.length === 0) {
      this.#place = first
      return this.#function(first, command, dot, piped)
    }
    if (first.kind !== 'literal' && first.path.length > 0) return this.#chain(first, command, dot, piped)
    if (first.kind !== 'pipe') this.#place = first
    if (hasArguments) throw this.failure(`can't give argument to non-function ${printOperand(first)}`)
    if (first.kind === 'literal' && first.value === undefined) throw this.failure('nil is not a command')
    return this.#operand(first, dot)
  }

  /** A value without regard to its type. */
  #operand(operand: Operand, dot: Value): Value {
    this.#place = operand
    if (operand.kind === 'literal') return operand.value
    if (operand.path.length > 0) return this.#chain(operand, [operand], dot, nothing)
    switch (operand.kind) {
      case 'dot':
        return dot
      case 'variable':
        return this.#variable(operand.name).value
      case 'pipe':
        return this.pipe(operand.pipe, dot)
      case 'function':
        return this.#function(operand, [operand], dot, nothing)
      default:
        return unreachable(operand)
    }
  }

  /** `$x.a.b`: the last of the names may be a method, which takes the arguments of the command. */
  #chain(operand: Exclude<Operand, { kind: 'literal' }>, command: Command, dot: Value, piped: Piped): Value {
    this.#place = operand
    if (
      operand.kind === 'dot' &&
      dot === this.root &&
      operand.path.length === 1 &&
      piped === nothing &&
      command.length === 1
    )
      return this.data.label(operand.path[0]!) ?? ''
    let value: Value = operand.kind === 'dot' ? dot : this.#operand({ ...operand, path: [] }, dot)
    this.#place = operand
    for (const [index, name] of operand.path.entries()) {
      const isLast = index === operand.path.length - 1
      value = this.#field(value, name, index, isLast ? { operand, command, dot, piped } : undefined)
    }
    return value
  }

  #field(
    value: Value,
    name: string,
    depth: number,
    call: { operand: Operand; command: Command; dot: Value; piped: Piped } | undefined,
  ): Value {
    if (value === undefined) {
      if (depth === 0) return undefined
      throw this.failure(`nil pointer evaluating interface {}.${name}`)
    }
    if (typeof value === 'object' && isTime(value) && Object.hasOwn(timeMethods, name)) {
      const { parameters, run } = timeMethods[name]!
      const signature = { fixed: parameters, variadic: undefined }
      const args = call ? this.#arguments(name, signature, call.command, call.dot, call.piped) : []
      return run(value, args)
    }
    if (typeof value !== 'object' || !isMap(value)) {
      throw this.failure(`can't evaluate field ${name} in type ${typeName(value)}`)
    }
    if (call && (call.command.length > 1 || call.piped !== nothing))
      throw this.failure(`${name} is not a method but has arguments`)
    if (value === this.root) return this.data.label(name) ?? ''
    return value.get(name) ?? (value instanceof LabelMap ? '' : undefined)
  }

  #function(operand: FunctionOperand, command: Command, dot: Value, piped: Piped): Value {
    const { name } = operand
    const signature = this.#template.signatures[name]!
    this.spend(1)
    if (name === 'and' || name === 'or') return this.#shortCircuit(name, command.slice(1), dot, piped)
    const args = this.#arguments(name, signature, command, dot, piped)
    try {
      if (name === 'call') throw new TemplateFailure(notCallable(command, args))
      const result = this.#functions[name]!(args, this)
      let size = sizeOf(result)
      for (const arg of args) size += sizeOf(arg)
      this.spend(size >> 6)
      return result
    } catch (error) {
      if (!(error instanceof TemplateFailure) || error.message.startsWith('template: ')) throw error
      this.#place = command.length === 1 ? operand : command
      throw this.failure(`error calling ${name}: ${error.message}`)
    }
  }

  /** The first argument that decides, or the last; the others are not evaluated. */
  #shortCircuit(name: 'and' | 'or', operands: readonly Operand[], dot: Value, piped: Piped): Value {
    const count = operands.length + (piped === nothing ? 0 : 1)
    if (count === 0) throw this.failure(`wrong number of args for ${name}: want at least 1 got 0`)
    let value: Value
    for (const operand of operands) {
      value = this.#operand(operand, dot)
      if (isTrue(this.whole(value)) === (name === 'or')) return value
    }
    return piped === nothing ? value : piped
  }

  /** The operands behind the first, and what is piped in. */
  #arguments(name: string, { fixed, variadic }: Signature, command: Command, dot: Value, piped: Piped): Value[] {
    const operands = command.length - 1
    const count = operands + (piped === nothing ? 0 : 1)
    if (variadic === undefined ? count !== fixed.length : count < fixed.length) {
      const most = variadic === undefined ? '' : 'at least '
      throw this.failure(`wrong number of args for ${name}: want ${most}${fixed.length} got ${count}`)
    }
    const args: Value[] = []
    for (let i = 0; i < operands; i++) args.push(this.#argument(command[i + 1]!, fixed[i] ?? variadic!, dot))
    if (piped !== nothing) args.push(this.#typed(this.whole(piped), fixed[operands] ?? variadic!))
    return args
  }

  #argument(operand: Operand, type: ParameterType, dot: Value): Value {
    this.#place = operand
    if (operand.kind !== 'literal') return this.#typed(this.whole(this.#operand(operand, dot)), type)
    const { value, source } = operand
    if (type === 'any') return value
    if (value === undefined) throw this.failure(`cannot assign nil to ${type}`)
    if (type === 'string' && typeof value === 'string') return value
    if (type === 'int' && typeof value === 'bigint') return value
    // whole floats are good as ints, and ints as floats
    if (type === 'int' && typeof value === 'number' && Number.isSafeInteger(value)) return BigInt(value)
    if (type === 'float64' && (typeof value === 'number' || typeof value === 'bigint')) return Number(value)
    if (type === 'time.Time') throw this.failure(`can't handle ${source} for arg of type time.Time`)
    const wanted = { string: 'string', int: 'integer', float64: 'float' }[type]
    throw this.failure(`expected ${wanted}; found ${source}`)
  }

  #typed(value: Value, type: ParameterType): Value {
    if (type === 'any') return value
    if (value === undefined) throw this.failure(`invalid value; expected ${type}`)
    const actual = typeName(value)
    if (actual !== type) throw this.failure(`wrong type for value; expected ${type}; got ${actual}`)
    return value
  }
}

function notCallable(command: Command, [value]: readonly Value[]): string {
  const callee = command[1] ? printOperand(command[1]) : showValue(value)
  return value === undefined ? 'call of nil' : `non-function ${callee} of type ${typeName(value)}`
}

const isCommand = (place: Place): place is Command => Array.isArray(place)

function placeStart(place: Place): number {
  return isCommand(place) ? place[0]!.at : place.at
}

const nodeKinds: ReadonlySet<string> = new Set([
  'text',
  'action',
  'if',
  'with',
  'range',
  'template',
  'break',
  'continue',
])

function printPlace(place: Place): string {
  if (isCommand(place)) return printCommand(place)
  if (!('kind' in place)) return printPipe(place)
  return nodeKinds.has(place.kind) ? printNode(place as TemplateNode) : printOperand(place as Operand)
}
