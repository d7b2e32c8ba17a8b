/** How line filters are searched, from fast to slow, and in which order they should stand because of that. */
import { pureLiterals, requiredLiterals } from '#/kernel/re2-literals.ts'
import { isAssertion, someNode } from '#/kernel/re2-node.ts'
import { parseRe2 } from '#/kernel/re2-parse.ts'
import type { LineFilterNode, LineFilterOperand } from '#/logs/logql/ast/stage-nodes.ts'
import { matchesEmpty } from '#/logs/logql/stages/regex-problem.ts'
import { isNegative } from './rule.ts'

/**
 * - `text`: bytes are searched in the page as a whole;
 * - `folded`: the same in lower case;
 * - `regex_text`: an expression on those lines only that have a text which each match contains;
 * - `regex_folded`: the same with a text in any case;
 * - `pattern`, `ip`, `regex`: line by line.
 */
export type LineFilterClass = 'text' | 'folded' | 'regex_text' | 'regex_folded' | 'pattern' | 'ip' | 'regex'

/** Lines searched per second and core, in MB/s: rounded figures of the pipeline's benchmark, for comparisons between filters. */
export const lineFilterSpeed: Readonly<Record<LineFilterClass, number>> = {
  text: 3000,
  folded: 700,
  regex_text: 1500,
  regex_folded: 500,
  pattern: 500,
  ip: 100,
  regex: 60,
}

/** The share of lines that a filter is taken to drop. What is wanted is rare, what is unwanted is too. */
const positiveDrop = 0.9
const negativeDrop = 0.1
/** Each byte of a text makes it this much rarer. */
const dropPerByte = 0.005
const maxTextBonus = 0.09

/** Shorter texts are not worth a search of their own before an expression. */
export const MIN_TEXT = 2

/** The slowest of its operands. */
export function lineFilterClass(node: LineFilterNode): LineFilterClass {
  return node.operands
    .map((operand) => operandClass(node, operand))
    .reduce((slowest, one) => (lineFilterSpeed[one] < lineFilterSpeed[slowest] ? one : slowest))
}

/** Filters with less of it come first: the time that a filter takes for each line that it drops. */
export function lineFilterRank(node: LineFilterNode): number {
  const drop = isNegative(node)
    ? negativeDrop
    : positiveDrop + Math.min(maxTextBonus, dropPerByte * shortestText(node)) - dropPerByte * (node.operands.length - 1)
  return 1 / (lineFilterSpeed[lineFilterClass(node)] * Math.max(drop, negativeDrop))
}

/** The texts of which a passing line contains one, byte by byte; undefined when that cannot be said. */
export function requiredTexts(node: LineFilterNode): readonly string[] | undefined {
  if (isNegative(node) || node.ignoreCase) return undefined
  const texts = node.operands.map((operand) => operandTexts(node, operand))
  return texts.every((one) => one !== undefined) ? texts.flat() : undefined
}

/** Whether every line passes. */
export function passesAll(node: LineFilterNode): boolean {
  return !isNegative(node) && node.operands.some((operand) => matchesAll(node, operand))
}

function operandClass(node: LineFilterNode, { kind, value }: LineFilterOperand): LineFilterClass {
  if (kind === 'ip') return 'ip'
  if (node.op === '|>' || node.op === '!>') return 'pattern'
  if (node.op === '|=' || node.op === '!=') return node.ignoreCase ? 'folded' : 'text'
  const { root } = parseRe2(value, { dotAll: false })
  const pure = pureLiterals(root)
  if (pure) return pure.fold ? 'folded' : 'text'
  const required = requiredLiterals(root)
  if (!required || required.texts.some((text) => text.length < MIN_TEXT)) return 'regex'
  return required.fold ? 'regex_folded' : 'regex_text'
}

function operandTexts({ op }: LineFilterNode, { kind, value }: LineFilterOperand): readonly string[] | undefined {
  if (kind === 'ip' || op === '|>') return undefined
  if (op === '|=') return value === '' ? undefined : [value]
  const required = requiredLiterals(parseRe2(value, { dotAll: false }).root)
  return required && !required.fold ? required.texts : undefined
}

function matchesAll({ op }: LineFilterNode, { kind, value }: LineFilterOperand): boolean {
  if (kind === 'ip') return false
  if (op === '|=') return value === ''
  // what matches the empty text without looking around matches it everywhere
  if (op === '|~') return matchesEmpty(value) && !someNode(parseRe2(value, { dotAll: false }).root, isAssertion)
  return false
}

function shortestText(node: LineFilterNode): number {
  return Math.min(...(requiredTexts(node) ?? ['']).map((text) => text.length))
}
