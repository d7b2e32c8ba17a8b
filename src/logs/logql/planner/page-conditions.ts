/**
 * What the stages of a query ask of a page as a whole: without it no row of the page passes, so the page need not be read. Two
 * kinds, both necessary and neither sufficient:
 *
 * - texts that a line must hold and values that a row must have as structured metadata, which the filters of a block answer;
 * - filters on one label, which can be decided where statistics know all values that a page has of it.
 *
 * A row that a stage drops counts nowhere, with an error or without, so leaving out its page changes no answer.
 */
import type { LabelFilterNode, LabelPredicate, RowStageNode } from '#/logs/logql/ast/stage-nodes.ts'
import type { PageCondition } from '#/storage/filter/filter.ts'
import { allOf, lineCondition } from './line-conditions.ts'
import { isPlainLabel, outputsOf } from './rules/label-origin.ts'
import { isLineFilter, isParser, predicateNames, readsTextOnly, storedLineStages, writesLine } from './rules/rule.ts'
import { labelCondition, type ValueSource } from './value-conditions.ts'

/** A page without `condition` has no row that passes, with two exceptions. */
export type PageTerm = {
  readonly condition: PageCondition
  /** It says nothing about rows of streams that have one of these labels: they see the value of the stream. */
  readonly unlessStreams: readonly string[]
  /** Nor about pages with structured metadata of one of these names. */
  readonly unlessMetadata: readonly string[]
}

/** A filter on the text of one label, which no stage before it makes, apart from parsers. */
export type LabelTerm = {
  readonly name: string
  readonly filter: LabelPredicate
  /** Whether the label may come from the line when neither stream nor metadata have it. */
  readonly mayBeParsed: boolean
}

/** All of them must hold. Plain data. */
export type PageConditions = { readonly terms: readonly PageTerm[]; readonly labels: readonly LabelTerm[] }

export const noConditions: PageConditions = { terms: [], labels: [] }

/** Queries with more stages are not looked at. */
const MAX_STAGES = 256

/** `stages` may be those of the query or what the optimizer made of them. */
export function pageConditions(stages: readonly RowStageNode[]): PageConditions {
  if (stages.length > MAX_STAGES) return noConditions
  const stored = stages.slice(0, storedLineStages(stages)).filter(isLineFilter)
  const conditions = stored.map(lineCondition).filter((condition) => condition !== undefined)
  const lines: readonly PageTerm[] =
    conditions.length === 0 ? [] : [{ condition: allOf(conditions), unlessStreams: [], unlessMetadata: [] }]
  const filters = stages.flatMap((node, index) =>
    node.kind === 'label_filter' ? [{ node, before: stages.slice(0, index) }] : [],
  )
  return {
    terms: [...lines, ...filters.flatMap(({ node, before }) => valueTerms(node, before))],
    labels: filters.flatMap(({ node, before }) => labelTerms(node.filter, before)),
  }
}

function valueTerms({ filter }: LabelFilterNode, before: readonly RowStageNode[]): readonly PageTerm[] {
  const sourceOf = (name: string): ValueSource => valueSource(name, before)
  return topTerms(filter).flatMap((term) => labelCondition(term, sourceOf) ?? [])
}

function labelTerms(filter: LabelPredicate, before: readonly RowStageNode[]): readonly LabelTerm[] {
  return topTerms(filter).flatMap((term) => {
    const [name, ...others] = predicateNames(term)
    if (name === undefined || others.length > 0 || !readsTextOnly(term) || !isPlainLabel(name, before)) return []
    return [{ name, filter: term, mayBeParsed: before.some((node) => mayFind(node, name)) }]
  })
}

/** Conditions that must all hold. */
function topTerms(filter: LabelPredicate): readonly LabelPredicate[] {
  return filter.kind === 'and' ? filter.terms.flatMap(topTerms) : [filter]
}

/** Where a filter behind `before` finds the value of a label, when the stream does not have it. */
function valueSource(name: string, before: readonly RowStageNode[]): ValueSource {
  if (!isPlainLabel(name, before)) return 'unknown'
  const parsers = before.filter((node) => mayFind(node, name))
  const last = parsers.at(-1)
  if (last === undefined) return 'metadata'
  // what an earlier stage wrote is not in the stored line
  if (before.slice(0, before.indexOf(last) + 1).some(writesLine)) return 'unknown'
  const hasEscapes = parsers.some(({ kind }) => kind === 'json' || kind === 'logfmt')
  return hasEscapes ? 'escaped line or metadata' : 'line or metadata'
}

function mayFind(node: RowStageNode, name: string): boolean {
  return isParser(node) && (outputsOf(node)?.includes(name) ?? true)
}
