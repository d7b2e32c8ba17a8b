/** Matchers of a query as the label indexes ask them. */
import type { Matcher } from '#/logs/logql/ast/nodes.ts'
import type { LabelPredicate } from '#/logs/logql/ast/stage-nodes.ts'
import type { Selection } from './plan.ts'
import { compileRegex } from '#/platform/regex/compile.ts'
import type { LabelMatcher } from '#/storage/index/label-index.ts'

/**
 * Matchers of the streams that may have an entry that passes. Label filters on labels of the stream take part: a stream without the
 * label may have entries that get it from elsewhere.
 */
export function streamMatchers({ matchers, streamFilters = [] }: Selection): LabelMatcher[] {
  const filters = streamFilters.map(({ name, filter }) => {
    const passes = textCondition(filter)
    return { name, matches: (text: string) => text === '' || passes(text) }
  })
  return [...labelMatchers(matchers), ...filters]
}

export function labelMatchers(matchers: readonly Matcher[]): LabelMatcher[] {
  return matchers.map(({ name, op, value }) => ({
    name,
    matches: condition(op, value),
    equals: op === '=' && value !== '' ? value : undefined,
  }))
}

function condition(op: Matcher['op'], value: string): (text: string) => boolean {
  if (op === '=') return (text) => text === value
  if (op === '!=') return (text) => text !== value
  const regex = compileRegex(value, { anchored: true })
  return op === '=~' ? (text) => regex.test(text) : (text) => !regex.test(text)
}

/** A predicate that speaks of one label and of nothing but texts. */
export function textCondition(filter: LabelPredicate): (text: string) => boolean {
  switch (filter.kind) {
    case 'and': {
      const terms = filter.terms.map(textCondition)
      return (text) => terms.every((passes) => passes(text))
    }
    case 'or': {
      const terms = filter.terms.map(textCondition)
      return (text) => terms.some((passes) => passes(text))
    }
    case 'text':
      return condition(filter.op, filter.value)
    case 'in': {
      const values = new Set(filter.values)
      return (text) => values.has(text)
    }
    case 'number':
    case 'duration':
    case 'bytes':
    case 'ip':
      throw new TypeError(`a stream filter on ${filter.name} compares more than texts`)
  }
}
