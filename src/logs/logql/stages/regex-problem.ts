/** What the parser asks of regular expressions, without compiling them. */
import { firstRepeated } from './repeated-name.ts'
import { BadRequest } from '#/kernel/errors.ts'
import { parseRe2 } from '#/kernel/re2-parse.ts'
import type { Re2, Re2Node } from '#/kernel/re2-node.ts'

/** What is wrong with a regular expression, in Go's words; undefined when nothing is. */
export function regexProblem(pattern: string): string | undefined {
  try {
    parsed(pattern)
    return undefined
  } catch (error) {
    if (error instanceof BadRequest) return error.message
    throw error
  }
}

/** The last pattern that was read: a stage asks several questions about one. */
let last: { readonly pattern: string; readonly regex: Re2 } | undefined

function parsed(pattern: string): Re2 {
  if (last?.pattern !== pattern) last = { pattern, regex: parseRe2(pattern) }
  return last.regex
}

/** Whether a matcher's expression, which holds for the whole value, accepts the empty one. The pattern is known to be right. */
export function matchesEmpty(pattern: string): boolean {
  return acceptsEmpty(parsed(pattern).root)
}

function acceptsEmpty(node: Re2Node): boolean {
  switch (node.op) {
    case 'literal':
    case 'class':
    case 'any':
    case 'word_boundary':
      return false
    case 'empty':
    case 'begin_text':
    case 'end_text':
    case 'begin_line':
    case 'end_line':
    case 'no_word_boundary':
      return true
    case 'capture':
      return acceptsEmpty(node.sub)
    case 'repeat':
      return node.min === 0 || acceptsEmpty(node.sub)
    case 'concat':
      return node.subs.every(acceptsEmpty)
    case 'alternate':
      return node.subs.some(acceptsEmpty)
  }
}

const labelName = /^[a-zA-Z_][a-zA-Z0-9_]*$/

/** What is wrong with the named groups of the `regexp` stage's pattern, which is right otherwise. */
export function captureProblem(pattern: string): string | undefined {
  const names = parsed(pattern).groupNames.filter((name) => name !== undefined)
  if (names.length === 0) return 'at least one named capture must be supplied'
  const bad = names.find((name) => !labelName.test(name))
  if (bad !== undefined) return `invalid extracted label name '${bad}'`
  const twice = firstRepeated(names)
  return twice === undefined ? undefined : `duplicate extracted label name '${twice}'`
}
