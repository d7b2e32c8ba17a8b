/** What a line filter asks of a page: texts of which some line holds one, or all. */
import { everyRequired } from '#/kernel/re2-literals.ts'
import { parseRe2 } from '#/kernel/re2-parse.ts'
import type { LineFilterNode, LineFilterOperand } from '#/logs/logql/ast/stage-nodes.ts'
import { parseLinePattern } from '#/logs/logql/stages/line-pattern.ts'
import type { PageCondition } from '#/storage/filter/filter.ts'
import { MIN_TEXT } from './rules/line-filter-class.ts'
import { isNegative } from './rules/rule.ts'

/** Undefined when any page may hold a line that passes. */
export function lineCondition(node: LineFilterNode): PageCondition | undefined {
  // derived from label filters, which ./value-conditions.ts looks at themselves
  if (node.unlessLabels !== undefined || isNegative(node)) return undefined
  return anyOf(node.operands.map((operand) => operandCondition(node, operand)))
}

function operandCondition({ op, ignoreCase }: LineFilterNode, operand: LineFilterOperand): PageCondition | undefined {
  const { kind, value } = operand
  if (kind === 'ip') return undefined
  if (op === '|=') return textCondition(value, ignoreCase === true)
  if (op === '|>') return patternCondition(value)
  const sets = everyRequired(parseRe2(value, { dotAll: false }).root)
  const useful = sets.filter(({ texts }) => texts.every((text) => text.length >= MIN_TEXT))
  return allKnown(useful.map(({ texts, fold }) => anyOf(texts.map((text) => decodedText(text, fold)))))
}

/** All texts of the pattern; an empty one, or one of `<_>` alone, has none. */
function patternCondition(pattern: string): PageCondition | undefined {
  const texts = parseLinePattern(pattern).flatMap((part) => (part.kind === 'literal' ? [part.text] : []))
  return allKnown(texts.map((text) => textCondition(text, false)))
}

/** A text that is searched byte by byte, or in any case. */
function textCondition(text: string, anyCase: boolean): PageCondition | undefined {
  if (anyCase) return decodedText(text, true)
  return text !== '' && text.isWellFormed() ? { kind: 'text', text, anyCase } : undefined
}

/** A text that is searched in decoded lines, in which bytes that are no UTF-8 look like U+FFFD. */
export function decodedText(text: string, anyCase: boolean): PageCondition | undefined {
  const isCertain = text !== '' && text.isWellFormed() && !text.includes('\ufffd')
  return isCertain ? { kind: 'text', text, anyCase } : undefined
}

/** Undefined when nothing can be said of one of them. */
export function anyOf(conditions: readonly (PageCondition | undefined)[]): PageCondition | undefined {
  const known = conditions.filter((condition) => condition !== undefined)
  if (known.length < conditions.length) return undefined
  if (known.length === 1) return known[0]
  return { kind: 'any', of: known.flatMap((one) => (one.kind === 'any' ? one.of : [one])) }
}

function allKnown(conditions: readonly (PageCondition | undefined)[]): PageCondition | undefined {
  const known = conditions.filter((condition) => condition !== undefined)
  return known.length === 0 ? undefined : allOf(known)
}

export function allOf(conditions: readonly PageCondition[]): PageCondition {
  if (conditions.length === 1) return conditions[0]!
  return { kind: 'all', of: conditions.flatMap((one) => (one.kind === 'all' ? one.of : [one])) }
}
