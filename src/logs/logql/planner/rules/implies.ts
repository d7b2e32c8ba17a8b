/** When one line filter says all that another one says. */
import { requiredLiterals } from '#/kernel/re2-literals.ts'
import { isAssertion, someNode } from '#/kernel/re2-node.ts'
import { parseRe2 } from '#/kernel/re2-parse.ts'
import type { LineFilterNode } from '#/logs/logql/ast/stage-nodes.ts'
import { compileRegex } from '#/platform/regex/compile.ts'
import { MIN_TEXT } from './line-filter-class.ts'
import { isNegative } from './rule.ts'

/** One operand with what its filter says about it. */
type Test = { readonly kind: 'text' | 'folded' | 'regex' | 'pattern' | 'ip'; readonly value: string }

/** Longer texts are not tried on expressions: planning must not cost what it saves. */
const MAX_TRIED_TEXT = 1024

/** True only when each line that passes `a` passes `b`. Both see the same line, and hold under the same condition. */
export function implies(a: LineFilterNode, b: LineFilterNode): boolean {
  if (isNegative(a) !== isNegative(b) || !sameCondition(a, b)) return false
  const [testsA, testsB] = [testsOf(a), testsOf(b)]
  // without a match of x there is none of y either, when a match of y is one of x
  if (isNegative(a)) return testsB.every((y) => testsA.some((x) => testImplies(y, x)))
  return testsA.every((x) => testsB.some((y) => testImplies(x, y)))
}

function sameCondition(a: LineFilterNode, b: LineFilterNode): boolean {
  const [namesA, namesB] = [a.unlessLabels ?? [], b.unlessLabels ?? []]
  // what holds everywhere holds where b does
  return namesA.every((name) => namesB.includes(name))
}

function testsOf({ op, ignoreCase, operands }: LineFilterNode): readonly Test[] {
  return operands.map(({ kind, value }) => {
    if (kind === 'ip') return { kind, value }
    if (op === '|>' || op === '!>') return { kind: 'pattern', value }
    if (op === '|~' || op === '!~') return { kind: 'regex', value }
    return { kind: ignoreCase ? 'folded' : 'text', value }
  })
}

function testImplies(a: Test, b: Test): boolean {
  if (a.kind === b.kind && a.value === b.value) return true
  if (!a.value.isWellFormed() || !b.value.isWellFormed()) return false
  switch (a.kind) {
    case 'text':
      return textImplies(a.value, b)
    case 'folded':
      return b.kind === 'folded' && containsFolded(a.value, b.value)
    case 'regex':
      return regexImplies(a.value, b)
    case 'pattern':
    case 'ip':
      return false
  }
}

function textImplies(text: string, b: Test): boolean {
  if (b.kind === 'text') return text.includes(b.value)
  if (b.kind === 'folded') return containsFolded(text, b.value)
  if (b.kind !== 'regex' || text.length > MAX_TRIED_TEXT) return false
  const regex = compileRegex(b.value, { anchored: false })
  // an expression that does not look around itself matches a part of the line, wherever that stands
  return !someNode(regex.root, isAssertion) && regex.test(text)
}

/** The expression must search for a text itself that is no shorter: else the filter for the text is the better first step. */
function regexImplies(pattern: string, b: Test): boolean {
  // bytes that are no UTF-8 look like U+FFFD to an expression, not to a search
  if (b.kind !== 'text' || b.value.includes('\ufffd')) return false
  const required = requiredLiterals(parseRe2(pattern, { dotAll: false }).root)
  if (!required || required.fold) return false
  return required.texts.every((text) => text.length >= MIN_TEXT && text.includes(b.value))
}

const ascii = /^[\0-\x7f]*$/

/** Only for ASCII is it plain what equals what but for case. */
function containsFolded(text: string, part: string): boolean {
  return ascii.test(text) && ascii.test(part) && text.toLowerCase().includes(part.toLowerCase())
}
