/** Tests of one label value, as matchers in label filters, `drop` and `keep` state them. A missing label is ''. */
import type { MatchOp } from '#/logs/logql/ast/nodes.ts'
import type { RegexCompiler } from './compiler.ts'

export type TextMatch = (text: string) => boolean

/** Answers that a regular expression's test remembers; values repeat. */
const MAX_REMEMBERED = 1024
const MAX_REMEMBERED_LENGTH = 256

export function compileTextMatch(op: MatchOp, value: string, compiler: RegexCompiler): TextMatch {
  if (op === '=') return (text) => text === value
  if (op === '!=') return (text) => text !== value
  const regex = compiler.regex(value, { anchored: true })
  const wanted = op === '=~'
  const answers = new Map<string, boolean>()
  return (text) => {
    const known = answers.get(text)
    if (known !== undefined) return known
    const answer = regex.test(text) === wanted
    if (answers.size >= MAX_REMEMBERED) answers.clear()
    if (text.length <= MAX_REMEMBERED_LENGTH) answers.set(text, answer)
    return answer
  }
}
