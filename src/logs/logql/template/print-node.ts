/** Nodes as Go writes them in error messages. */
import { quoteGo } from '#/kernel/go-quote.ts'
import type { Command, Operand, Pipe, TemplateNode } from './nodes.ts'

export function printOperand(operand: Operand): string {
  const fields = operand.kind === 'literal' ? '' : operand.path.map((name) => `.${name}`).join('')
  switch (operand.kind) {
    case 'literal':
      return operand.source
    case 'dot':
      return fields === '' ? '.' : fields
    case 'variable':
    case 'function':
      return operand.name + fields
    case 'pipe':
      return fields === '' ? printPipe(operand.pipe) : `(${printPipe(operand.pipe)})${fields}`
  }
}

export function printCommand(command: Command): string {
  return command
    .map((operand) =>
      operand.kind === 'pipe' && operand.path.length === 0 ? `(${printPipe(operand.pipe)})` : printOperand(operand),
    )
    .join(' ')
}

export function printPipe({ variables, isAssignment, commands }: Pipe): string {
  const declaration = variables.length > 0 ? `${variables.join(', ')} ${isAssignment ? '=' : ':='} ` : ''
  return declaration + commands.map(printCommand).join(' | ')
}

export function printNode(node: TemplateNode): string {
  switch (node.kind) {
    case 'text':
      return node.text
    case 'action':
      return `{{${printPipe(node.pipe)}}}`
    case 'template':
      return `{{template ${quoteGo(node.name)}${node.pipe ? ` ${printPipe(node.pipe)}` : ''}}}`
    case 'break':
    case 'continue':
      return `{{${node.kind}}}`
    case 'if':
    case 'with':
    case 'range': {
      const orElse = node.orElse.length > 0 ? `{{else}}${node.orElse.map(printNode).join('')}` : ''
      return `{{${node.kind} ${printPipe(node.pipe)}}}${node.body.map(printNode).join('')}${orElse}{{end}}`
    }
  }
}
