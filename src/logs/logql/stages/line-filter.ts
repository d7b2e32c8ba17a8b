/** `|= "a" or "b"`, `!~ "re"`, `|> "<_> done"`, `|= ip("10.0.0.0/8")`: keeps or drops lines by their text. */
import { printString } from '#/logs/logql/ast/literals.ts'
import type { LineFilterNode, LineFilterOp, LineFilterOperand } from '#/logs/logql/ast/stage-nodes.ts'
import { ipPatternProblem } from './ip-pattern.ts'
import { lineFilterPatternProblem } from './line-pattern.ts'
import { regexProblem } from './regex-problem.ts'
import { stageProblem, type StageCursor, type StageDefinition } from './stage.ts'

export const lineFilter: StageDefinition<LineFilterNode> = {
  kind: 'line_filter',
  keywords: ['|=', '!=', '|~', '!~', '|>', '!>'],
  doc: 'Keeps lines that contain a text, match a regular expression or a pattern, or hold an IP address; `!=`, `!~`, `!>` keep the others.',
  reads: { line: true, writesLine: false, writesLabels: false },
  parse(cursor, first) {
    const op = first.kind as LineFilterOp
    const ignoreCase = acceptIgnoreCase(cursor, op)
    const parseOne = ignoreCase ? parseText : parseOperand
    const operands = [parseOne(cursor)]
    while (cursor.accept('or')) operands.push(parseOne(cursor))
    return { kind: 'line_filter', op, ...(ignoreCase && { ignoreCase }), operands, at: cursor.range() }
  },
  print: ({ op, ignoreCase, operands }) =>
    `${op}${ignoreCase ? caseModifier : ''} ${operands.map(printOperand).join(' or ')}`,
  problem(node, printLog) {
    for (const operand of node.operands) {
      const cause = operandProblem(node.op, operand)
      if (cause !== undefined) return stageProblem(lineFilter.print(node, printLog), cause)
    }
    return undefined
  },
  needs: (_node, after) => after,
}

/** Behind `|=` and `!=`: substrings in any case. Loki has no name behind an operator. */
const caseModifier = 'i'

function acceptIgnoreCase(cursor: StageCursor, op: LineFilterOp): boolean {
  return (op === '|=' || op === '!=') && cursor.word() === caseModifier && cursor.accept('IDENTIFIER')
}

function parseOperand(cursor: StageCursor): LineFilterOperand {
  if (cursor.peek() !== 'ip') return parseText(cursor, 'ip')
  cursor.next()
  cursor.expect('(')
  const pattern = cursor.expect('STRING')
  cursor.expect(')')
  return { kind: 'ip', value: pattern.text, raw: false }
}

function parseText(cursor: StageCursor, ...alternatives: readonly 'ip'[]): LineFilterOperand {
  const { text, raw } = cursor.expect('STRING', ...alternatives)
  // backticks are kept where quotes would have to be escaped otherwise
  return { kind: 'text', value: text, raw: raw && text.includes('"') }
}

function printOperand({ kind, value, raw }: LineFilterOperand): string {
  return kind === 'ip' ? `ip(${printString(value, raw)})` : printString(value, raw)
}

function operandProblem(op: LineFilterOp, { kind, value }: LineFilterOperand): string | undefined {
  if (kind === 'ip') return op === '|=' || op === '!=' ? ipPatternProblem(value) : 'ip: invalid operation'
  if (op === '|~' || op === '!~') return regexProblem(value)
  if (op === '|>' || op === '!>') return lineFilterPatternProblem(value)
  return undefined
}
