/** `|= "a" or "b"`, `!~ "re"`, `|> "<_> done"`, `|= ip("…")`: over a page of lines at once, or for one row. */
import { pureLiterals } from '#/kernel/re2-literals.ts'
import { isAssertion, someNode } from '#/kernel/re2-node.ts'
import type { LineFilterNode } from '#/logs/logql/ast/stage-nodes.ts'
import { parseIpPattern } from '#/logs/logql/stages/ip-pattern.ts'
import { compileRegex } from '#/platform/regex/compile.ts'
import { decidesOnCutLines, testsOfCutLines } from './cut-filter.ts'
import { hasFolded, markFolded, type FoldedNeedle } from './fold-search.ts'
import { compileIpScan, type IpScan } from './ip-scan.ts'
import { compileLinePattern, markLinePattern, matchesLinePattern, type CompiledLinePattern } from './line-pattern.ts'
import { compileLineRegex, markRegex, mayMatchRegex, type LineRegex } from './line-regex.ts'
import { markNeedle, type LineRows, type Marks } from './line-rows.ts'
import type { LineSelector, PageFilter, Row, RowStage } from './row.ts'

/** What a chain of operands comes to: it matches when any of these does. */
export type LineTests = {
  readonly needles: readonly Buffer[]
  readonly regexes: readonly LineRegex[]
  readonly patterns: readonly CompiledLinePattern[]
  readonly ips: readonly IpScan[]
  /** Texts in any case, which must be ASCII. */
  readonly folded: readonly FoldedNeedle[]
}

export function compilePageFilter(node: LineFilterNode): PageFilter {
  const tests = compileTests(node)
  const isWanted = !isNegative(node)
  const decides = decidesOnCutLines(tests)
  const cutTests = isWanted && !decides ? testsOfCutLines(tests) : undefined
  return {
    unlessLabels: node.unlessLabels,
    worksOnCutLines: decides,
    onCutLines: cutTests && selectorOf(cutTests, true),
    ...selectorOf(tests, isWanted),
  }
}

function selectorOf(tests: LineTests, isWanted: boolean): LineSelector {
  const wanted = isWanted ? 1 : 0
  return {
    mayPass: (lines) => !isWanted || mayMatch(lines, tests),
    select(lines, lineStart, rows, count) {
      const marks = new Uint8Array(count)
      markTests({ lines, base: 0, lineStart, rows, count }, tests, marks)
      let kept = 0
      for (let i = 0; i < count; i++) if (marks[i] === wanted) rows[kept++] = rows[i]!
      return kept
    },
  }
}

/** A text that is found over the end of a line is counted as found. */
function mayMatch(lines: Buffer, { needles, regexes, patterns, ips, folded }: LineTests): boolean {
  if (ips.length > 0 || patterns.some(({ longest }) => !longest || lines.includes(longest))) return true
  if (folded.some((needle) => hasFolded(lines, needle))) return true
  return needles.some((needle) => lines.includes(needle)) || regexes.some((regex) => mayMatchRegex(lines, regex))
}

/** The same for a line that an earlier stage wrote. */
export function compileLineFilter(node: LineFilterNode): RowStage {
  const tests = compileTests(node)
  const wanted = !isNegative(node)
  const { unlessLabels = [] } = node
  return (row) => unlessLabels.some((name) => row.hasBase(name)) || matchesTests(row, tests) === wanted
}

function isNegative({ op }: LineFilterNode): boolean {
  return op.startsWith('!')
}

function compileTests(node: LineFilterNode): LineTests {
  const needles: Buffer[] = []
  const regexes: LineRegex[] = []
  const patterns: CompiledLinePattern[] = []
  const ips: IpScan[] = []
  for (const operand of node.operands) {
    const { value } = operand
    if (operand.kind === 'ip') ips.push(compileIpScan(parseIpPattern(value)!))
    else if (node.op === '|>' || node.op === '!>') patterns.push(compileLinePattern(value))
    else if (node.op === '|~' || node.op === '!~') addRegex(value, needles, regexes)
    else if (node.ignoreCase) addRegex(`(?i)${quoteRegex(value)}`, needles, regexes)
    else needles.push(Buffer.from(value))
  }
  return { needles, regexes, patterns, ips, folded: [] }
}

function quoteRegex(text: string): string {
  return text.replaceAll(/[\\.+*?()|[\]{}^$]/g, '\\$&')
}

function addRegex(pattern: string, needles: Buffer[], regexes: LineRegex[]): void {
  const regex = compileRegex(pattern, { anchored: false })
  const texts = pureLiterals(regex.root)
  // what matches the empty text wherever it stands matches every line
  if (regex.test('') && !someNode(regex.root, isAssertion)) needles.push(Buffer.alloc(0))
  else if (texts && !texts.fold) for (const text of texts.texts) needles.push(Buffer.from(text))
  else regexes.push(compileLineRegex(regex))
}

function markTests(page: LineRows, tests: LineTests, marks: Marks): void {
  for (const needle of tests.needles) markNeedle(page, needle, marks)
  for (const needle of tests.folded) markFolded(page, needle, marks)
  for (const regex of tests.regexes) markRegex(page, regex, marks)
  for (const pattern of tests.patterns) markLinePattern(page, pattern, marks)
  if (tests.ips.length === 0) return
  const { lines, lineStart, rows, count } = page
  for (let i = 0; i < count; i++) {
    const start = lineStart[rows[i]!]!
    const end = lineStart[rows[i]! + 1]!
    if (marks[i] === 0 && tests.ips.some((isIn) => isIn(lines, start, end))) marks[i] = 1
  }
}

function matchesSlow(lines: Buffer, start: number, end: number, { patterns, ips }: LineTests): boolean {
  for (const pattern of patterns) if (matchesLinePattern(pattern, lines, start, end)) return true
  for (const isIn of ips) if (isIn(lines, start, end)) return true
  return false
}

function matchesTests(row: Row, tests: LineTests): boolean {
  const line = row.bytes.subarray(row.start, row.end)
  for (const needle of tests.needles) if (line.includes(needle)) return true
  for (const { regex } of tests.regexes) if (regex.test(row.lineText())) return true
  return matchesSlow(row.bytes, row.start, row.end, tests)
}
