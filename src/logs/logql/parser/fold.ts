/** Arithmetic between two numbers, done while parsing. Go's rules: division by zero is NaN, `%` is C's fmod. */
import { unreachable } from '#/kernel/assert.ts'
import type { BinaryOp } from '#/logs/logql/ast/nodes.ts'

/** Operators that two numbers can stand around. */
export type NumberOp = Exclude<BinaryOp, 'or' | 'and' | 'unless'>

export function foldNumbers(op: NumberOp, left: number, right: number): number {
  switch (op) {
    case '+':
      return left + right
    case '-':
      return left - right
    case '*':
      return left * right
    case '/':
      return right === 0 ? Number.NaN : left / right
    case '%':
      return right === 0 ? Number.NaN : left % right
    case '^':
      return power(left, right)
    case '==':
      return Number(left === right)
    case '!=':
      return Number(left !== right)
    case '<':
      return Number(left < right)
    case '<=':
      return Number(left <= right)
    case '>':
      return Number(left > right)
    case '>=':
      return Number(left >= right)
    default:
      return unreachable(op)
  }
}

/** 1 to any power is 1, even NaN; -1 to an infinite power is 1. */
function power(left: number, right: number): number {
  if (left === 1 || (left === -1 && Math.abs(right) === Infinity)) return 1
  return left ** right
}
