/**
 * What a label filter asks of a page: the value as structured metadata of a row, or, where a parser may find the label, its text in a
 * line. Bytes that are no UTF-8 become blanks in values that are parsed, so blanks divide texts; a character may be written with an
 * escape, so a page with such an escape may hold any value.
 */
import { exactLiterals, requiredLiterals } from '#/kernel/re2-literals.ts'
import { parseRe2 } from '#/kernel/re2-parse.ts'
import type { LabelPredicate } from '#/logs/logql/ast/stage-nodes.ts'
import { matchesEmpty } from '#/logs/logql/stages/regex-problem.ts'
import type { PageCondition } from '#/storage/filter/filter.ts'
import { allOf, anyOf, decodedText } from './line-conditions.ts'
import type { PageTerm } from './page-conditions.ts'

/** Where a filter finds the value of a label. `unknown`: also where a page does not show it. */
export type ValueSource = 'unknown' | 'metadata' | 'line or metadata' | 'escaped line or metadata'

/** Each of them costs a probe in each block. */
const MAX_VALUES = 64
/** Blanks divide a text into so many parts that are looked for, the longest ones. */
const MAX_PARTS = 8

/** Texts of which a value must be one (`isWhole`), or contain one. */
type Texts = { readonly texts: readonly string[]; readonly isWhole: boolean; readonly anyCase: boolean }

/** Undefined when any page may have a row that passes. */
export function labelCondition(
  predicate: LabelPredicate,
  sourceOf: (name: string) => ValueSource,
): PageTerm | undefined {
  switch (predicate.kind) {
    case 'and':
      return allTerms(predicate.terms.flatMap((term) => labelCondition(term, sourceOf) ?? []))
    case 'or':
      return anyTerm(predicate.terms.map((term) => labelCondition(term, sourceOf)))
    case 'text':
    case 'in': {
      const texts = textsOf(predicate)
      return texts && sourceCondition(predicate.name, texts, sourceOf(predicate.name))
    }
    case 'number':
    case 'duration':
    case 'bytes':
    case 'ip':
      // these let entries with an error pass, whatever the value
      return undefined
  }
}

function allTerms(terms: readonly PageTerm[]): PageTerm | undefined {
  return terms.length === 0 ? undefined : joined(terms, allOf(terms.map(({ condition }) => condition)))
}

function anyTerm(terms: readonly (PageTerm | undefined)[]): PageTerm | undefined {
  const known = terms.filter((term) => term !== undefined)
  if (known.length < terms.length) return undefined
  const condition = anyOf(known.map((term) => term.condition))
  return condition && joined(known, condition)
}

function joined(terms: readonly PageTerm[], condition: PageCondition): PageTerm {
  return {
    condition,
    unlessStreams: [...new Set(terms.flatMap(({ unlessStreams }) => unlessStreams))],
    unlessMetadata: [...new Set(terms.flatMap(({ unlessMetadata }) => unlessMetadata))],
  }
}

/** What a passing value looks like; undefined when it may be empty, which a row without the label has, or look like anything. */
function textsOf(predicate: LabelPredicate & { readonly kind: 'text' | 'in' }): Texts | undefined {
  if (predicate.kind === 'in') return predicate.values && wholeTexts(predicate.values)
  const { op, value } = predicate
  if (op === '=') return wholeTexts([value])
  if (op !== '=~' || matchesEmpty(value)) return undefined
  const { root } = parseRe2(value, { dotAll: true })
  const exact = exactLiterals(root)
  if (exact && !exact.fold) return wholeTexts(exact.texts)
  const required = requiredLiterals(root)
  return required && { texts: required.texts, isWhole: false, anyCase: required.fold }
}

function wholeTexts(texts: readonly string[]): Texts | undefined {
  return texts.includes('') || texts.length > MAX_VALUES ? undefined : { texts, isWhole: true, anyCase: false }
}

function sourceCondition(name: string, texts: Texts, source: ValueSource): PageTerm | undefined {
  if (source === 'unknown') return undefined
  const inMetadata = texts.isWhole ? anyOf(texts.texts.map((value) => metadataValue(name, value))) : undefined
  if (source === 'metadata') return inMetadata && { condition: inMetadata, unlessStreams: [name], unlessMetadata: [] }
  const inLine = lineTexts(texts, source === 'escaped line or metadata')
  if (inLine === undefined) return undefined
  if (inMetadata === undefined) return { condition: inLine, unlessStreams: [name], unlessMetadata: [name] }
  const condition = anyOf([inMetadata, inLine])
  return condition && { condition, unlessStreams: [name], unlessMetadata: [] }
}

function metadataValue(name: string, value: string): PageCondition | undefined {
  return value.isWellFormed() && !value.includes('\ufffd') ? { kind: 'value', name, value } : undefined
}

/** One of the texts stands in a line, or, with escapes, is written with one. */
function lineTexts({ texts, anyCase }: Texts, hasEscapes: boolean): PageCondition | undefined {
  const escapes = hasEscapes && texts.length > 0 ? [escapeOf(texts, anyCase)] : []
  return anyOf([
    ...texts.map((text) => partsOf(text, anyCase)),
    ...escapes.map((text): PageCondition => ({ kind: 'text', text, anyCase: false })),
  ])
}

function partsOf(text: string, anyCase: boolean): PageCondition | undefined {
  const parts = text.split(/[ \ufffd]/).toSorted((a, b) => b.length - a.length)
  const conditions = parts.slice(0, MAX_PARTS).flatMap((part) => decodedText(part, anyCase) ?? [])
  return conditions.length === 0 ? undefined : allOf(conditions)
}

/** Characters that have an escape of their own, in JSON or logfmt. */
const ownEscape = /["'\\/\p{Cc}]/u
const ascii = /^\p{ASCII}*$/u

/** What stands in a line that writes a character of one of the texts with an escape. */
function escapeOf(texts: readonly string[], anyCase: boolean): string {
  if (texts.some((text) => ownEscape.test(text))) return '\\'
  // in any case there are letters beyond ASCII for some of it
  return !anyCase && texts.every((text) => ascii.test(text)) ? String.raw`\u00` : String.raw`\u`
}
