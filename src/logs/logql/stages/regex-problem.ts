/** What the parser asks of regular expressions, without compiling them. */
import { re2Mistake, parseRe2 } from '#/kernel/re2-parse.ts'
import type { Re2Node } from '#/kernel/re2-node.ts'

/** What is wrong with a regular expression, in Go's words; undefined when nothing is. */
export function regexProblem(pattern: string): string | undefined {
  return re2Mistake(pattern)
}

/** Whether a matcher's expression, which holds for the whole value, accepts the empty one. The pattern is known to be right. */
export function matchesEmpty(pattern: string): boolean {
  return acceptsEmpty(parseRe2(pattern).root)
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
  const names = parseRe2(pattern).groupNames.filter((name) => name !== undefined)
  if (names.length === 0) return 'at least one named capture must be supplied'
  const bad = names.find((name) => !labelName.test(name))
  if (bad !== undefined) return `invalid extracted label name '${bad}'`
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  return twice === undefined ? undefined : `duplicate extracted label name '${twice}'`
}
