/**
 * Executes a template over the labels of an entry. Never compiles code; output, work and depth are bounded, so a template can
 * fail but neither hang nor fill the memory. Failures say what Go says, and where.
 */
import { unreachable } from '#/kernel/assert.ts'
import { quoteGo } from '#/kernel/go-quote.ts'
import { sizeOf } from './arguments.ts'
import { Evaluation } from './evaluate.ts'
import { functions as entryFunctions, type TemplateData, type TemplateFunction } from './functions.ts'
import { LIMITS } from './limits.ts'
import type { BranchNode, Pipe, Template, TemplateNode } from './nodes.ts'
import { isList, isMap, isTrue, printValue, sortedKeys, type Value } from './values.ts'

type Flow = 'next' | 'break' | 'continue'

/** Executes one template again and again, over data that the caller changes in between. */
export class TemplateEngine {
  #output = ''
  readonly #evaluation: Evaluation
  readonly #template: Template
  #calls = 0
  #depth = 0

  /** `functions` has all that the template was parsed with. */
  constructor(
    template: Template,
    data: TemplateData,
    functions: Readonly<Record<string, TemplateFunction>> = entryFunctions,
  ) {
    this.#template = template
    this.#evaluation = new Evaluation(template, data, functions)
  }

  /** The output. @throws TemplateFailure */
  run(): string {
    this.#output = ''
    this.#calls = 0
    this.#depth = 0
    this.#evaluation.reset()
    this.#list(this.#template.body, this.#evaluation.root)
    return this.#output
  }

  /** How much work the last run was, so far if it failed. */
  get steps(): number {
    return this.#evaluation.steps
  }

  #list(nodes: readonly TemplateNode[], dot: Value): Flow {
    if (++this.#depth > LIMITS.depth) throw this.#evaluation.failure(`blocks run nested deeper than ${LIMITS.depth}`)
    let flow: Flow = 'next'
    for (const node of nodes) {
      this.#evaluation.spend(1)
      flow = this.#node(node, dot)
      if (flow !== 'next') break
    }
    this.#depth--
    return flow
  }

  #node(node: TemplateNode, dot: Value): Flow {
    const evaluation = this.#evaluation
    evaluation.enter(node)
    switch (node.kind) {
      case 'text':
        this.#write(node.text)
        return 'next'
      case 'action': {
        const value = evaluation.pipe(node.pipe, dot)
        if (node.pipe.variables.length > 0) return 'next'
        evaluation.enter(node)
        this.#write(printValue(evaluation.whole(value)))
        return 'next'
      }
      case 'if':
      case 'with':
        return evaluation.scoped(() => this.#condition(node, dot))
      case 'range':
        return evaluation.scoped(() => this.#range(node, dot))
      case 'template':
        this.#call(node.name, node.pipe, dot)
        return 'next'
      case 'break':
      case 'continue':
        return node.kind
      default:
        return unreachable(node)
    }
  }

  #condition(node: BranchNode, dot: Value): Flow {
    const value = this.#evaluation.pipe(node.pipe, dot)
    if (!isTrue(this.#evaluation.whole(value))) return this.#list(node.orElse, dot)
    return this.#list(node.body, node.kind === 'with' ? value : dot)
  }

  #range(node: BranchNode, dot: Value): Flow {
    const evaluation = this.#evaluation
    const { variables, isAssignment } = node.pipe
    const over = evaluation.whole(evaluation.pipe({ ...node.pipe, variables: [] }, dot))
    let ran = false
    for (const [key, item] of this.#items(over)) {
      ran = true
      evaluation.spend(1)
      const flow = evaluation.scoped(() => {
        const values = variables.length > 1 ? [key, item] : [item]
        for (const [index, name] of variables.entries()) evaluation.bind(name, values[index], isAssignment)
        return this.#list(node.body, item)
      })
      if (flow === 'break') break
    }
    return ran ? 'next' : this.#list(node.orElse, dot)
  }

  *#items(over: Value): Iterable<readonly [Value, Value]> {
    if (over === undefined) return
    this.#evaluation.spend(sizeOf(over) >> 3)
    if (isList(over)) {
      for (const [index, item] of over.entries()) yield [BigInt(index), item]
    } else if (typeof over === 'bigint') {
      for (let i = 0n; i < over; i++) yield [i, i]
    } else if (typeof over === 'object' && isMap(over)) {
      for (const key of sortedKeys(over)) yield [key, over.get(key)]
    } else {
      throw this.#evaluation.failure(`range can't iterate over ${printValue(over)}`)
    }
  }

  #call(name: string, pipe: Pipe | undefined, dot: Value): void {
    const evaluation = this.#evaluation
    const nodes = this.#template.named.get(name)
    if (!nodes) throw evaluation.failure(`template ${quoteGo(name)} not defined`)
    if (this.#calls === LIMITS.calls) throw evaluation.failure(`exceeded maximum template depth (${LIMITS.calls})`)
    const value = pipe && evaluation.pipe(pipe, dot)
    this.#calls++
    evaluation.inTemplate(name, value, () => this.#list(nodes, value))
    this.#calls--
  }

  #write(text: string): void {
    this.#output += text
    if (this.#output.length > LIMITS.output) {
      throw this.#evaluation.failure(`output is longer than ${LIMITS.output} characters`)
    }
  }
}
