/** How values compare: only within one kind, as in Go. */
import { fail } from './arguments.ts'
import { isList, isMap, isTime, typeName, type Value } from './values.ts'

type Kind = 'bool' | 'int' | 'float' | 'string' | undefined

function kindOf(value: Value): Kind {
  if (typeof value === 'boolean') return 'bool'
  if (typeof value === 'bigint') return 'int'
  if (typeof value === 'number') return 'float'
  return typeof value === 'string' ? 'string' : undefined
}

/** Negative, zero, positive; NaN when there is no order. @throws TemplateFailure when Go would not compare them. */
export function compareValues(left: Value, right: Value): number {
  const kinds = [kindOf(left), kindOf(right)]
  if (kinds.includes(undefined)) fail('invalid type for comparison')
  if (kinds[0] !== kinds[1]) fail('incompatible types for comparison')
  if (kinds[0] === 'bool') fail('invalid type for comparison')
  return left! < right! ? -1 : left! > right! ? 1 : left === right ? 0 : Number.NaN
}

/** @throws TemplateFailure when Go would not compare them. */
export function equalValues(left: Value, right: Value): boolean {
  const [leftKind, rightKind] = [kindOf(left), kindOf(right)]
  if (leftKind !== rightKind) {
    if (left !== undefined && right !== undefined) fail('incompatible types for comparison')
    return false
  }
  if (leftKind !== undefined) return left === right
  for (const value of [left, right])
    if (isList(value) || (value !== undefined && isMap(value)))
      fail(`non-comparable type ${typeName(value)}: ${typeName(value)}`)
  if (left === undefined || right === undefined) return left === right
  return isTime(left) && isTime(right) && left.ns === right.ns
}
