/** Matchers of label values: in selectors, label filters, `drop` and `keep`. */
import type { Matcher } from '#/logs/logql/ast/nodes.ts'
import { compileRegex } from '#/platform/regex/compile.ts'

/** Regular expressions must match the whole text. */
export function matches({ op, value }: Pick<Matcher, 'op' | 'value'>, text: string): boolean {
  switch (op) {
    case '=':
      return text === value
    case '!=':
      return text !== value
    case '=~':
      return compileRegex(value, { anchored: true }).test(text)
    case '!~':
      return !compileRegex(value, { anchored: true }).test(text)
  }
}
