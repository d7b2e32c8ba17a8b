/** Stream selectors among the parameters of the metadata endpoints. */
import { BadRequest } from '#/kernel/errors.ts'
import type { Matcher } from '#/logs/logql/ast/nodes.ts'
import { parseSelector } from '#/logs/logql/parser/parse-selector.ts'
import type { Parameter } from '#/platform/http/endpoint-docs.ts'

/** The optional `query`: one selector that must name at least one value; `{}` and nothing mean all streams. */
export function selectorParam(query: URLSearchParams): readonly (readonly Matcher[])[] {
  const text = (query.get('query') ?? '').trim()
  return text === '' || text === '{}' ? [] : [parseSelector(text, { validate: true })]
}

/** The required `query` of the index endpoints; `{}` means all streams. */
export function volumeSelectors(query: URLSearchParams): readonly (readonly Matcher[])[] {
  const text = (query.get('query') ?? '').trim()
  return /^\{\s*\}$/.test(text) ? [] : [parseSelector(text, { validate: true })]
}

export const matchesParams: readonly Parameter[] = ['match[]', 'match'].map((name) => ({
  name,
  in: 'query',
  type: 'string',
  doc: 'A stream selector; streams that any of them selects are shown.',
  isRepeated: true,
  default: 'all streams',
  example: '{app="shop"}',
}))

/** `match[]` and `match`, each a selector without further demands. None, or a single `{}`, means all streams. */
export function matchParams(query: URLSearchParams): readonly (readonly Matcher[])[] {
  const groups = [...query.getAll('match[]'), ...query.getAll('match')].map((text) =>
    parseSelector(text, { validate: false }),
  )
  if (groups.length === 1 && groups[0]?.length === 0) return []
  if (groups.some((matchers) => matchers.length === 0)) throw new BadRequest('0 matchers in group: {}')
  return groups
}
