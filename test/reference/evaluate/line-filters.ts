/** `|= "a" or "b"`, `!~ "re"`, `|> "<_> done"`, `|= ip("…")`. */
import type { LineFilterNode, LineFilterOperand } from '#/logs/logql/ast/stage-nodes.ts'
import { compileRegex } from '#/platform/regex/compile.ts'
import { hasIp } from './ip-addresses.ts'
import { patternParts } from './pattern.ts'

export function linePasses(node: LineFilterNode, line: string): boolean {
  const isFound = node.operands.some((operand) => operandMatches(node, operand, line))
  return node.op.startsWith('!') ? !isFound : isFound
}

function operandMatches({ op, ignoreCase }: LineFilterNode, operand: LineFilterOperand, line: string): boolean {
  const { kind, value } = operand
  if (kind === 'ip') return hasIp(line, value)
  switch (op) {
    case '|=':
    case '!=':
      return ignoreCase ? compileRegex(`(?i)${quoted(value)}`, { anchored: false }).test(line) : line.includes(value)
    case '|~':
    case '!~':
      return compileRegex(value, { anchored: false }).test(line)
    case '|>':
    case '!>':
      return patternMatches(value, line)
  }
}

function quoted(text: string): string {
  return text.replaceAll(/[\\.+*?()|[\]{}^$]/g, String.raw`\$&`)
}

/** From left to right the first place of each text; what `<_>` stands for is not empty; no way back. */
function patternMatches(pattern: string, line: string): boolean {
  const parts = patternParts(pattern)
  if (parts.length === 0) return line === ''
  let rest = line
  let isGap = false
  for (const [index, part] of parts.entries()) {
    if (part.kind === 'capture') {
      isGap = true
      continue
    }
    const at = rest.indexOf(part.text)
    if (at < 0 || (isGap && at === 0) || (!isGap && index > 0 && at > 0)) return false
    rest = rest.slice(at + part.text.length)
    isGap = false
  }
  return isGap ? rest !== '' : rest === ''
}
