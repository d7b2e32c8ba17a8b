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
    const operands = [parseOperand(cursor)]
    while (cursor.accept('or')) operands.push(parseOperand(cursor))
    return { kind: 'line_filter', op: first.kind as LineFilterOp, operands, at: cursor.range() }
  },
  print: (node) => `${node.op} ${node.operands.map(printOperand).join(' or ')}`,
  problem(node) {
    for (const operand of node.operands) {
      const cause = operandProblem(node.op, operand)
      if (cause !== undefined) return stageProblem(lineFilter.print(node), cause)
    }
    return undefined
  },
  needs: (_node, after) => after,
}

function parseOperand(cursor: StageCursor): LineFilterOperand {
  const token = cursor.expect('STRING', 'ip')
  // backticks are kept where quotes would have to be escaped otherwise
  if (token.kind === 'STRING') return { kind: 'text', value: token.text, raw: token.raw && token.text.includes('"') }
  cursor.expect('(')
  const pattern = cursor.expect('STRING')
  cursor.expect(')')
  return { kind: 'ip', value: pattern.text, raw: false }
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
