/** Templates of text and labels alone, `{{.method}} {{.path}}`: most are like that, and run without any of the engine. */
import { internText } from '#/kernel/intern.ts'
import type { Command, Operand, Template } from './nodes.ts'

/** Texts and labels by turns; it begins and ends with a text. */
export type LabelTemplate = { readonly texts: readonly string[]; readonly labels: readonly string[] }

/** Undefined when the template is more than that. */
export function labelTemplate({ body }: Template): LabelTemplate | undefined {
  const texts = ['']
  const labels: string[] = []
  for (const node of body) {
    if (node.kind === 'text') {
      texts.push(texts.pop()! + node.text)
      continue
    }
    const operand =
      node.kind === 'action' && node.pipe.variables.length === 0 ? soleOperand(node.pipe.commands) : undefined
    if (operand?.kind !== 'dot' || operand.path.length !== 1) return undefined
    labels.push(internText(operand.path[0]!))
    texts.push('')
  }
  return { texts, labels }
}

function soleOperand(commands: readonly Command[]): Operand | undefined {
  return commands.length === 1 && commands[0]!.length === 1 ? commands[0]![0] : undefined
}
