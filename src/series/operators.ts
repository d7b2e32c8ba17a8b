/** The operators between two numbers. */

export type ArithmeticOp = '+' | '-' | '*' | '/' | '%' | '^'
export type ComparisonOp = '==' | '!=' | '<' | '<=' | '>' | '>='
export type SetOp = 'and' | 'or' | 'unless'

const arithmetic: Readonly<Record<ArithmeticOp, (a: number, b: number) => number>> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  // Division by zero is not a number here, whatever the dividend; so is the remainder.
  '/': (a, b) => (b === 0 ? NaN : a / b),
  '%': (a, b) => (b === 0 ? NaN : a % b),
  '^': power,
}

const comparison: Readonly<Record<ComparisonOp, (a: number, b: number) => boolean>> = {
  '==': (a, b) => a === b,
  '!=': (a, b) => a !== b,
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
}

/** IEEE 754's `pow`, which differs from `**` where the base is 1 or -1 and the exponent is infinite or NaN. */
function power(base: number, exponent: number): number {
  if (base === 1) return 1
  if (base === -1 && (exponent === Infinity || exponent === -Infinity)) return 1
  return base ** exponent
}

export function isSetOp(op: string): op is SetOp {
  return op === 'and' || op === 'or' || op === 'unless'
}

export function isComparison(op: string): op is ComparisonOp {
  return Object.hasOwn(comparison, op)
}

/**
 * The value that an operator gives two numbers, or undefined when a comparison without `bool` drops the pair; a kept pair
 * gives `kept`.
 */
export function operate(
  op: ArithmeticOp | ComparisonOp,
  [left, right]: readonly [number, number],
  { returnBool, kept }: { readonly returnBool: boolean; readonly kept: number },
): number | undefined {
  if (!isComparison(op)) return arithmetic[op](left, right)
  const holds = comparison[op](left, right)
  if (returnBool) return holds ? 1 : 0
  return holds ? kept : undefined
}

/** Two literals: comparisons give 0 or 1, with or without `bool`. */
export function operateScalars(op: ArithmeticOp | ComparisonOp, left: number, right: number): number {
  return operate(op, [left, right], { returnBool: true, kept: 0 }) ?? NaN
}
