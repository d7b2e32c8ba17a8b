/**
 * Executes a template over the labels of an entry. Never compiles code; output, steps and depth are bounded, so a template
 * can fail but neither hang nor fill the memory.
 */
import { unreachable } from '#/kernel/assert.ts'
import { BadRequest } from '#/kernel/errors.ts'
import { functionArity } from './function-names.ts'
import { functions, lazyFunctions } from './functions.ts'
import type { Command, Operand, Pipe, Template, TemplateNode } from './nodes.ts'
import {
  isList,
  isMap,
  isTrue,
  printValue,
  sortedKeys,
  TemplateFailure,
  typeName,
  type Value,
  type ValueMap,
} from './values.ts'

/** Longest output in UTF-16 units. */
export const MAX_TEMPLATE_OUTPUT = 1 << 20
/** Nodes and functions that one execution may run. */
export const MAX_TEMPLATE_STEPS = 100_000
/** Templates calling templates. */
const MAX_CALLS = 100

/** The entry that a template sees. */
export interface TemplateData {
  /** Value of a label; undefined when missing. */
  label(name: string): string | undefined
  /** All labels, for templates that use the whole map. */
  labels(): ValueMap
  line(): string
  /** Nanoseconds since the epoch. */
  timestampNs(): bigint
}

/** The root of the data: labels by name, read one by one. */
const root: ValueMap = new Map()

/** @throws BadRequest naming the first function that is not evaluated yet. */
export function checkEvaluated(template: Template): void {
  const check = (nodes: readonly TemplateNode[]): void => {
    for (const node of nodes) {
      if ('pipe' in node && node.pipe) checkPipe(node.pipe)
      if ('body' in node) {
        check(node.body)
        check(node.orElse)
      }
    }
  }
  check(template.body)
  for (const nodes of template.named.values()) check(nodes)
}

function checkPipe(pipe: Pipe): void {
  for (const operand of pipe.commands.flat()) {
    if (operand.kind === 'pipe') checkPipe(operand.pipe)
    if (operand.kind !== 'function' || Object.hasOwn(functions, operand.name) || lazyFunctions.has(operand.name))
      continue
    throw new BadRequest(`template function '${operand.name}' is parsed but not evaluated yet`)
  }
}

/** @throws TemplateFailure */
export function executeTemplate(template: Template, data: TemplateData): string {
  const execution = new Execution(template, data)
  execution.run(template.body, root)
  return execution.output
}

type Variable = { readonly name: string; value: Value }
type Flow = 'next' | 'break' | 'continue'

class Execution {
  output = ''
  readonly #template: Template
  readonly #data: TemplateData
  #variables: Variable[] = [{ name: '$', value: root }]
  #steps = 0
  #calls = 0
  #labels: ValueMap | undefined

  constructor(template: Template, data: TemplateData) {
    this.#template = template
    this.#data = data
  }

  run(nodes: readonly TemplateNode[], dot: Value): Flow {
    for (const node of nodes) {
      this.#step()
      const flow = this.#node(node, dot)
      if (flow !== 'next') return flow
    }
    return 'next'
  }

  #node(node: TemplateNode, dot: Value): Flow {
    switch (node.kind) {
      case 'text':
        this.#write(node.text)
        return 'next'
      case 'action': {
        const value = this.#pipe(node.pipe, dot)
        if (node.pipe.variables.length === 0) this.#write(printValue(this.#whole(value)))
        return 'next'
      }
      case 'if':
      case 'with':
        return this.#scoped(() => {
          const value = this.#pipe(node.pipe, dot)
          if (!isTrue(this.#whole(value))) return this.run(node.orElse, dot)
          return this.run(node.body, node.kind === 'with' ? value : dot)
        })
      case 'range':
        return this.#range(node, dot)
      case 'template':
        this.#call(node.name, node.pipe && this.#pipe(node.pipe, dot))
        return 'next'
      case 'break':
      case 'continue':
        return node.kind
      default:
        return unreachable(node)
    }
  }

  #range(node: TemplateNode & { readonly kind: 'if' | 'with' | 'range' }, dot: Value): Flow {
    return this.#scoped(() => {
      const over = this.#whole(this.#pipe({ ...node.pipe, variables: [] }, dot))
      const [first, second] = node.pipe.variables
      let ran = false
      for (const [key, item] of rangeItems(over)) {
        ran = true
        this.#step()
        const flow = this.#scoped(() => {
          if (second !== undefined) this.#bind(node.pipe, [first!, second], [key, item])
          else if (first !== undefined) this.#bind(node.pipe, [first], [item])
          return this.run(node.body, item)
        })
        if (flow === 'break') break
      }
      return ran ? 'next' : this.run(node.orElse, dot)
    })
  }

  #bind(pipe: Pipe, names: readonly string[], values: readonly Value[]): void {
    for (const [index, name] of names.entries()) {
      if (pipe.isAssignment) this.#variable(name).value = values[index]
      else this.#variables.push({ name, value: values[index] })
    }
  }

  #call(name: string, dot: Value): void {
    const nodes = this.#template.named.get(name)
    if (!nodes) throw new TemplateFailure(`template ${JSON.stringify(name)} not defined`)
    if (++this.#calls > MAX_CALLS) throw new TemplateFailure(`templates call each other deeper than ${MAX_CALLS}`)
    const outer = this.#variables
    this.#variables = [{ name: '$', value: dot }]
    this.run(nodes, dot)
    this.#variables = outer
    this.#calls--
  }

  #scoped<T>(run: () => T): T {
    const depth = this.#variables.length
    const result = run()
    this.#variables.length = depth
    return result
  }

  #pipe(pipe: Pipe, dot: Value): Value {
    let value: Value
    for (const [index, command] of pipe.commands.entries()) {
      value = this.#command(command, dot, index === 0 ? [] : [value])
    }
    if (pipe.variables.length > 0) this.#bind(pipe, pipe.variables.slice(0, 1), [value])
    return value
  }

  /** `piped` becomes the last argument. */
  #command(command: Command, dot: Value, piped: readonly Value[]): Value {
    const [first, ...rest] = command
    if (first!.kind === 'function') return this.#function(first!, rest, dot, piped)
    if (rest.length > 0 || piped.length > 0) throw new TemplateFailure("can't give argument to non-function")
    return this.#operand(first!, dot)
  }

  #function(
    { name, path }: Operand & { readonly kind: 'function' },
    operands: readonly Operand[],
    dot: Value,
    piped: readonly Value[],
  ): Value {
    this.#step()
    const [least, most] = functionArity[name]!
    const count = operands.length + piped.length
    if (count < least || count > most) {
      throw new TemplateFailure(
        `wrong number of args for ${name}: want ${least === most ? least : `at least ${least}`} got ${count}`,
      )
    }
    if (name === 'and' || name === 'or') return this.#shortCircuit(name, operands, dot, piped)
    if (name === '__line__') return this.#data.line()
    if (name === '__timestamp__') return { kind: 'time', ns: this.#data.timestampNs() }
    const args = [
      ...operands.map((operand) => this.#whole(this.#operand(operand, dot))),
      ...piped.map((arg) => this.#whole(arg)),
    ]
    return this.#fields(functions[name]!(args), path)
  }

  /** The first argument that decides, or the last; the others are not evaluated. */
  #shortCircuit(name: 'and' | 'or', operands: readonly Operand[], dot: Value, piped: readonly Value[]): Value {
    let value: Value
    for (const operand of operands) {
      value = this.#operand(operand, dot)
      if (isTrue(this.#whole(value)) === (name === 'or')) return value
    }
    return piped.length > 0 ? piped[0] : value
  }

  #operand(operand: Operand, dot: Value): Value {
    switch (operand.kind) {
      case 'literal':
        return operand.value
      case 'dot':
        return this.#fields(dot, operand.path)
      case 'variable':
        return this.#fields(this.#variable(operand.name).value, operand.path)
      case 'pipe':
        return this.#fields(this.#pipe(operand.pipe, dot), operand.path)
      case 'function':
        return this.#function(operand, [], dot, [])
      default:
        return unreachable(operand)
    }
  }

  #variable(name: string): Variable {
    return this.#variables.findLast((variable) => variable.name === name)!
  }

  #fields(value: Value, path: readonly string[]): Value {
    let at = value
    for (const name of path) {
      if (at === root) at = this.#data.label(name) ?? ''
      else if (isMap(at)) at = at.get(name)
      else throw new TemplateFailure(`can't evaluate field ${name} in type ${typeName(at)}`)
    }
    return at
  }

  /** The map of all labels is only made when a template uses it as a whole. */
  #whole(value: Value): Value {
    return value === root ? (this.#labels ??= this.#data.labels()) : value
  }

  #write(text: string): void {
    this.output += text
    if (this.output.length > MAX_TEMPLATE_OUTPUT) {
      throw new TemplateFailure(`output is longer than ${MAX_TEMPLATE_OUTPUT} characters`)
    }
  }

  #step(): void {
    if (++this.#steps > MAX_TEMPLATE_STEPS)
      throw new TemplateFailure(`template runs more than ${MAX_TEMPLATE_STEPS} steps`)
  }
}

function* rangeItems(over: Value): Iterable<readonly [Value, Value]> {
  if (isList(over)) yield* over.map((item, index) => [BigInt(index), item] as const)
  else if (isMap(over)) yield* sortedKeys(over).map((key) => [key, over.get(key)] as const)
  else if (typeof over === 'bigint') for (let i = 0n; i < over; i++) yield [i, i]
  else if (over !== undefined) throw new TemplateFailure(`range can't iterate over ${printValue(over)}`)
}
