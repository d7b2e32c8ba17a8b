/** What a rule of the optimizer is: a rewriting of stages that changes no answer, whatever the data. */
import type { LabelPredicate, LineFilterNode, RowStageNode } from '#/logs/logql/ast/stage-nodes.ts'
import { stageOf } from '#/logs/logql/stages/index.ts'

/** `notes` say what was done and why, one sentence each; none when `stages` are those that came. */
export type Rewrite = { readonly stages: readonly RowStageNode[]; readonly notes: readonly string[] }

export type Rule = {
  /** How explain names it. */
  readonly name: string
  readonly apply: (stages: readonly RowStageNode[]) => Rewrite
}

export function unchanged(stages: readonly RowStageNode[]): Rewrite {
  return { stages, notes: [] }
}

export function writesLine(node: RowStageNode): boolean {
  return stageOf(node).reads.writesLine
}

/** How many stages, from the first on, see the line as it was stored. */
export function storedLineStages(stages: readonly RowStageNode[]): number {
  const writer = stages.findIndex(writesLine)
  return writer < 0 ? stages.length : writer + 1
}

export function isParser({ kind }: RowStageNode): boolean {
  return kind === 'json' || kind === 'logfmt' || kind === 'regexp' || kind === 'pattern' || kind === 'unpack'
}

export function isLineFilter(node: RowStageNode): node is LineFilterNode {
  return node.kind === 'line_filter'
}

export function isNegative({ op }: LineFilterNode): boolean {
  return op.startsWith('!')
}

export function predicateNames(predicate: LabelPredicate): ReadonlySet<string> {
  if (predicate.kind !== 'and' && predicate.kind !== 'or') return new Set([predicate.name])
  return new Set(predicate.terms.flatMap((term) => [...predicateNames(term)]))
}

/**
 * True for conditions on texts alone, which neither look at errors nor make any: all other comparisons let entries with an error
 * pass and set one themselves. Memberships count once their values are known.
 */
export function readsTextOnly(predicate: LabelPredicate): boolean {
  if (predicate.kind === 'and' || predicate.kind === 'or') return predicate.terms.every(readsTextOnly)
  const isText = predicate.kind === 'text' || (predicate.kind === 'in' && predicate.values !== undefined)
  return isText && !isErrorLabel(predicate.name)
}

/** Labels that stages set without naming them. */
export function isErrorLabel(name: string): boolean {
  return name === '__error__' || name === '__error_details__' || name === '__preserve_error__'
}
