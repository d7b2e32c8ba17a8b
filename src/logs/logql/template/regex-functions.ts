/** Template functions on regular expressions in RE2's language. Matches are counted as work one by one. */
import { BadRequest } from '#/kernel/errors.ts'
import { compileRegex, type Regex, type RegexMatch } from '#/platform/regex/compile.ts'
import { bounded, fail } from './arguments.ts'
import type { FunctionContext, TemplateFunction } from './functions.ts'

/** Searching costs more than reading: steps for each 64 characters of the text. */
const SEARCH_COST = 4

export const regexFunctions: Readonly<Record<string, TemplateFunction>> = {
  regexReplaceAll: ([pattern, text, replacement], context) => {
    const regex = regexOf(pattern)
    return replaceMatches(regex, text, expander(replacement, regex.groupNames), context)
  },
  regexReplaceAllLiteral: ([pattern, text, replacement], context) =>
    replaceMatches(regexOf(pattern), text, () => replacement, context),
  count: ([pattern, text], context) => {
    let count = 0
    forEachMatch(regexOf(pattern), text, context, () => count++)
    return BigInt(count)
  },
}

function regexOf(pattern: string): Regex {
  try {
    return compileRegex(pattern, { anchored: false })
  } catch (error) {
    if (error instanceof BadRequest) return fail(error.message)
    throw error
  }
}

/** Matches that do not overlap, left to right; an empty match right behind another does not count. */
function forEachMatch(regex: Regex, text: string, context: FunctionContext, visit: (match: RegexMatch) => void): void {
  context.spend((text.length >> 6) * SEARCH_COST)
  let lastEnd = -1
  for (let from = 0; from <= text.length;) {
    const match = regex.exec(text, from)
    if (!match) return
    context.spend(1)
    if (match.end > match.start || match.start !== lastEnd) visit(match)
    lastEnd = match.end
    from = match.end > match.start ? match.end : match.end + ((text.codePointAt(match.end) ?? 0) > 0xffff ? 2 : 1)
  }
}

function replaceMatches(
  regex: Regex,
  text: string,
  expand: (match: RegexMatch) => string,
  context: FunctionContext,
): string {
  let result = ''
  let at = 0
  forEachMatch(regex, text, context, (match) => {
    result = bounded(result + text.slice(at, match.start) + expand(match))
    at = match.end
  })
  return bounded(result + text.slice(at))
}

/** `$1`, `$name`, `${name}`, `$$`; the longest run of word characters is the name, unknown ones are empty. */
function expander(replacement: string, names: readonly (string | undefined)[]): (match: RegexMatch) => string {
  if (!replacement.includes('$')) return () => replacement
  const parts: (string | number)[] = []
  let at = 0
  for (const found of replacement.matchAll(/\$(?:\$|([\p{L}\p{Nd}_]+)|\{([\p{L}\p{Nd}_]+)\})/gu)) {
    parts.push(replacement.slice(at, found.index))
    at = found.index + found[0].length
    const name = found[1] ?? found[2]
    if (name === undefined) parts.push('$')
    else if (/^\d+$/.test(name)) parts.push(Number(name))
    else if (names.includes(name)) parts.push(names.indexOf(name) + 1)
  }
  parts.push(replacement.slice(at))
  return (match) => parts.map((part) => (typeof part === 'string' ? part : (match.groups[part] ?? ''))).join('')
}
