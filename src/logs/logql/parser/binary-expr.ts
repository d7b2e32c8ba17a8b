/** Makes the node of a binary operation: checks its legs, folds two numbers into one. */
import type { BinaryExpr, BinaryOp, Expr, MetricExpr, SourceRange, VectorMatching } from '#/logs/logql/ast/nodes.ts'
import { foldNumbers, type NumberOp } from './fold.ts'
import { ParseError } from './parse-error.ts'
import type { TokenCursor } from './token-cursor.ts'

type Operation = {
  readonly op: BinaryOp
  readonly returnBool: boolean
  readonly matching: VectorMatching | undefined
  readonly left: Expr
  readonly right: Expr
  readonly at: SourceRange
}

/** @throws ParseError for legs that the operator cannot stand between, and for too many operators */
export function binaryExpr(cursor: TokenCursor, operation: Operation): MetricExpr {
  const { op, returnBool, matching, at } = operation
  const left = metricLeg('left', op, operation.left)
  const right = metricLeg('right', op, operation.right)
  if (isSetOp(op)) {
    refuseNumber('left', op, left)
    refuseNumber('right', op, right)
  } else if (left.kind === 'number' && right.kind === 'number') {
    return { kind: 'number', value: foldNumbers(op, left.value, right.value), at }
  }
  cursor.countOperator()
  return { kind: 'binary', op, returnBool, matching, left, right, at } satisfies BinaryExpr
}

function isSetOp(op: BinaryOp): op is Exclude<BinaryOp, NumberOp> {
  return op === 'or' || op === 'and' || op === 'unless'
}

function metricLeg(side: 'left' | 'right', op: BinaryOp, leg: Expr): MetricExpr {
  if (leg.kind !== 'log') return leg
  const type = leg.stages.length === 0 ? '*syntax.MatchersExpr' : '*syntax.PipelineExpr'
  throw new ParseError(`unexpected type for ${side} leg of binary operation (${op}): ${type}`, leg.at)
}

function refuseNumber(side: 'left' | 'right', op: BinaryOp, leg: MetricExpr): void {
  if (leg.kind !== 'number') return
  const value = Number.isFinite(leg.value)
    ? leg.value.toFixed(6)
    : String(leg.value)
        .replace(/^Infinity/, '+Inf')
        .replace('-Infinity', '-Inf')
  throw new ParseError(`unexpected literal for ${side} leg of logical/set binary operation (${op}): ${value}`, leg.at)
}
