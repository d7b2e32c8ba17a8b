/** What the parser must know of templates without running them. */
import type { Operand, Pipe, TemplateNode } from '#/logs/logql/template/nodes.ts'
import { parseTemplate, templateMistake } from '#/logs/logql/template/parse-template.ts'
import { needsAlso, type LabelNeeds } from './stage.ts'

/** What is wrong with a template, as Go says it; undefined when nothing is. `name` is the template's name in the message. */
export function templateProblem(template: string, name = 'line'): string | undefined {
  return templateMistake(template, name)
}

/** What is needed before a stage that reads the labels of these templates. */
export function templateNeeds(after: LabelNeeds, template: string): LabelNeeds {
  const reads = templateLabels(template)
  return reads === 'all' ? 'all' : needsAlso(after, reads)
}

/**
 * The labels that a template may read: the first field behind the dot or `$`. It may name more than are read (inside `with` the
 * dot is another value), never fewer; the dot or `$` by itself stands for all of them.
 */
export function templateLabels(template: string): LabelNeeds {
  const { body, named } = parseTemplate(template)
  const names = new Set<string>()
  const isBounded = [body, ...named.values()].every((nodes) => nodes.every((node) => visitNode(node, names)))
  return isBounded ? names : 'all'
}

/** Adds the names that a node reads; false when that may be any. */
function visitNode(node: TemplateNode, names: Set<string>): boolean {
  switch (node.kind) {
    case 'text':
    case 'break':
    case 'continue':
      return true
    case 'action':
      return visitPipe(node.pipe, names)
    case 'template':
      return node.pipe === undefined || visitPipe(node.pipe, names)
    case 'if':
    case 'with':
    case 'range':
      return visitPipe(node.pipe, names) && [...node.body, ...node.orElse].every((child) => visitNode(child, names))
  }
}

function visitPipe({ commands }: Pipe, names: Set<string>): boolean {
  return commands.flat().every((operand) => visitOperand(operand, names))
}

function visitOperand(operand: Operand, names: Set<string>): boolean {
  if (operand.kind === 'pipe') return visitPipe(operand.pipe, names)
  if (operand.kind !== 'dot' && (operand.kind !== 'variable' || operand.name !== '$')) return true
  const [name] = operand.path
  if (name !== undefined) names.add(name)
  return name !== undefined
}
