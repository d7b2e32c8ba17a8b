/**
 * What must stand in a line so that a label filter can pass, when the label comes from the line: the value itself, or a part of it.
 * Bytes that are no UTF-8 become blanks in values, so no blank counts; a backslash may write any character another way.
 */
import { requiredLiterals } from '#/kernel/re2-literals.ts'
import { parseRe2 } from '#/kernel/re2-parse.ts'
import type { LabelPredicate } from '#/logs/logql/ast/stage-nodes.ts'
import { matchesEmpty } from '#/logs/logql/stages/regex-problem.ts'
import { MIN_TEXT } from './line-filter-class.ts'

/** Alternatives beyond this are not worth a search each. */
const MAX_TEXTS = 16

/** One of `texts` is in the line, unless it writes a character of the value with a backslash. */
export type ValueTexts = { readonly names: readonly string[]; readonly texts: readonly string[] }

/** One for each condition that must hold; none when nothing can be said. */
export function valueTexts(predicate: LabelPredicate): readonly ValueTexts[] {
  switch (predicate.kind) {
    case 'and':
      return predicate.terms.flatMap(valueTexts)
    case 'or':
      return alternatives(predicate.terms.map(valueTexts))
    case 'text':
      if (predicate.op === '=') return searchable(predicate.name, [predicate.value])
      return predicate.op === '=~' ? searchable(predicate.name, regexTexts(predicate.value)) : []
    case 'in':
      return searchable(predicate.name, predicate.values ?? [])
    case 'number':
    case 'duration':
    case 'bytes':
    case 'ip':
      return []
  }
}

/** Any one condition of each alternative will do: the one with the longest texts. */
function alternatives(terms: readonly (readonly ValueTexts[])[]): readonly ValueTexts[] {
  const best = terms.map((conditions) => conditions.toSorted((a, b) => shortest(b.texts) - shortest(a.texts))[0])
  if (!best.every((one) => one !== undefined)) return []
  const texts = [...new Set(best.flatMap((one) => one.texts))]
  const names = [...new Set(best.flatMap((one) => one.names))]
  return texts.length > MAX_TEXTS ? [] : [{ names, texts }]
}

function searchable(name: string, values: readonly string[]): readonly ValueTexts[] {
  const texts = [...new Set(values.map(longestCertainPart))]
  const isUseful = texts.length > 0 && texts.length <= MAX_TEXTS && shortest(texts) >= MIN_TEXT
  return isUseful ? [{ names: [name], texts }] : []
}

function regexTexts(pattern: string): readonly string[] {
  if (matchesEmpty(pattern)) return []
  const required = requiredLiterals(parseRe2(pattern, { dotAll: true }).root)
  return required && !required.fold ? required.texts : []
}

function longestCertainPart(value: string): string {
  if (!value.isWellFormed()) return ''
  return value.split(/[ \ufffd]/).reduce((longest, part) => (part.length > longest.length ? part : longest), '')
}

function shortest(texts: readonly string[]): number {
  return Math.min(...texts.map((text) => text.length))
}
