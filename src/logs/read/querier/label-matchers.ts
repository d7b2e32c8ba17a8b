/** Matchers of a query as the label indexes ask them. */
import type { Matcher } from '#/logs/logql/ast/nodes.ts'
import { compileRegex } from '#/platform/regex/compile.ts'
import type { LabelMatcher } from '#/storage/index/label-index.ts'

export function labelMatchers(matchers: readonly Matcher[]): LabelMatcher[] {
  return matchers.map(({ name, op, value }) => ({ name, matches: condition(op, value) }))
}

function condition(op: Matcher['op'], value: string): (text: string) => boolean {
  if (op === '=') return (text) => text === value
  if (op === '!=') return (text) => text !== value
  const regex = compileRegex(value, { anchored: true })
  return op === '=~' ? (text) => regex.test(text) : (text) => !regex.test(text)
}
