/** `label_format dst=src, x="{{.a}}"`: renames labels and writes new ones from templates. */
import { printString } from '#/logs/logql/ast/literals.ts'
import type { LabelFormat, LabelFormatNode } from '#/logs/logql/ast/stage-nodes.ts'
import { needsAlso, stageProblem, type LabelNeeds, type StageCursor, type StageDefinition } from './stage.ts'
import { templateNeeds, templateProblem } from './template-text.ts'

export const labelFormat: StageDefinition<LabelFormatNode> = {
  kind: 'label_format',
  keywords: ['label_format'],
  doc: 'Renames a label (`dst=src`) or sets it to the output of a template (`dst="{{.a}}"`).',
  // a template may read `__line__`
  reads: { line: true, writesLine: false, writesLabels: true },
  parse(cursor) {
    const formats = [parseFormat(cursor)]
    while (cursor.accept(',')) formats.push(parseFormat(cursor))
    return { kind: 'label_format', formats, at: cursor.range() }
  },
  print: (node) => `| label_format ${node.formats.map(printFormat).join(', ')}`,
  problem(node, printLog) {
    const cause = formatsProblem(node.formats)
    return cause === undefined ? undefined : stageProblem(labelFormat.print(node, printLog), cause)
  },
  needs: (node, after) => node.formats.reduceRight(formatNeeds, after),
}

function parseFormat(cursor: StageCursor): LabelFormat {
  const target = cursor.expect('IDENTIFIER').text
  cursor.expect('=')
  const value = cursor.expect('IDENTIFIER', 'STRING')
  if (value.kind === 'IDENTIFIER') return { kind: 'rename', target, source: value.text }
  return { kind: 'template', target, template: value.text, raw: value.raw && value.text.includes('"') }
}

function printFormat(format: LabelFormat): string {
  return format.kind === 'rename'
    ? `${format.target}=${format.source}`
    : `${format.target}=${printString(format.template, format.raw)}`
}

function formatsProblem(formats: readonly LabelFormat[]): string | undefined {
  const targets = new Set<string>()
  for (const { target } of formats) {
    if (target === '__error__') return '__error__ cannot be formatted'
    if (targets.has(target)) return `multiple label name '${target}' not allowed in a single format operation`
    targets.add(target)
  }
  for (const format of formats) {
    const cause = format.kind === 'template' ? templateProblem(format.template, format.target) : undefined
    if (cause !== undefined) return `invalid template for label '${format.target}': ${cause}`
  }
  return undefined
}

function formatNeeds(after: LabelNeeds, format: LabelFormat): LabelNeeds {
  if (format.kind === 'rename') return needsAlso(after, [format.source])
  return templateNeeds(after, format.template)
}
