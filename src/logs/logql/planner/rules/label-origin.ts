/** Where the label that a filter sees comes from: which stages before it can have made, changed or hidden it. */
import type { RowStageNode } from '#/logs/logql/ast/stage-nodes.ts'
import { isErrorLabel, isParser } from './rule.ts'

/** Parsers write `<name>_extracted` where the stream or the metadata has the name already. */
const EXTRACTED_SUFFIX = '_extracted'

/**
 * Whether no stage but a parser makes or hides `name`, so that what a filter sees is the stream's or the metadata's value, and where
 * there is none, what a parser found in the line.
 */
export function isPlainLabel(name: string, before: readonly RowStageNode[]): boolean {
  return !isErrorLabel(name) && !name.endsWith(EXTRACTED_SUFFIX) && before.every((node) => !touches(node, name))
}

/** Whether a stage other than a parser may set or remove the label. */
export function touches(node: RowStageNode, name: string): boolean {
  if (node.kind === 'label_format') {
    return node.formats.some((format) => format.target === name || (format.kind === 'rename' && format.source === name))
  }
  if (node.kind === 'drop') return node.choices.some((choice) => choice.name === name)
  if (node.kind === 'keep') return !node.choices.some((choice) => choice.kind === 'name' && choice.name === name)
  return false
}

/** The labels that a stage may set, apart from errors; undefined when that depends on the line. */
export function outputsOf(node: RowStageNode): readonly string[] | undefined {
  const names = declaredOutputs(node)
  return names && [...names, ...names.map((name) => name + EXTRACTED_SUFFIX)]
}

function declaredOutputs(node: RowStageNode): readonly string[] | undefined {
  if (node.kind === 'json' || node.kind === 'logfmt') {
    return node.extractions.length > 0 ? node.extractions.map(({ label }) => label) : undefined
  }
  if (node.kind === 'regexp') return [...node.pattern.matchAll(/\(\?P?<(\w+)>/g)].map(([, name]) => name!)
  if (node.kind === 'pattern') return [...node.pattern.matchAll(/<(\w+)>/g)].map(([, name]) => name!)
  return isParser(node) ? undefined : []
}
