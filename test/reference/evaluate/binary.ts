/** Operators between vectors and numbers. */
import type { BinaryExpr, VectorMatching } from '#/logs/logql/ast/nodes.ts'
import type { StageNode } from '#/logs/logql/ast/stage-nodes.ts'
import { without, type Fields } from './entry-state.ts'
import { compareNumbers } from './label-filters.ts'
import { isExact } from './exactness.ts'
import { areClose, ReferenceFailure, Undecided } from './outcome.ts'
import { keyOf, omitLabels, pickLabels, type Sample, type Vector } from './samples.ts'

type Binary = BinaryExpr<StageNode>

export function binaryVector(expr: Binary, left: Vector | number, right: Vector | number): Vector | number {
  if (typeof left === 'number' && typeof right === 'number')
    return apply({ ...expr, returnBool: true }, left, right, 0) ?? NaN
  if (typeof right === 'number') return mapVector(left as Vector, (value) => apply(expr, value, right, value))
  if (typeof left === 'number') return mapVector(right, (value) => apply(expr, left, value, value))
  if (expr.op === 'and' || expr.op === 'or' || expr.op === 'unless') return combine(expr.op, expr.matching, left, right)
  return match(expr, left, right)
}

function mapVector(vector: Vector, change: (value: number) => number | undefined): Vector {
  return vector.flatMap(({ labels, value }) => {
    const changed = change(value)
    return changed === undefined ? [] : [{ labels, value: changed }]
  })
}

function signature(labels: Fields, matching: VectorMatching | undefined): Fields {
  if (matching === undefined) return labels
  return matching.kind === 'on' ? pickLabels(labels, matching.labels) : omitLabels(labels, matching.labels)
}

function combine(
  op: 'and' | 'or' | 'unless',
  matching: VectorMatching | undefined,
  left: Vector,
  right: Vector,
): Vector {
  checkUnique(left)
  checkUnique(right)
  const keysOf = (vector: Vector): Set<string> =>
    new Set(vector.map(({ labels }) => keyOf(signature(labels, matching))))
  const [leftKeys, rightKeys] = [keysOf(left), keysOf(right)]
  const isIn = (keys: Set<string>, { labels }: Sample): boolean => keys.has(keyOf(signature(labels, matching)))
  if (op === 'or') return [...left, ...right.filter((sample) => !isIn(leftKeys, sample))]
  return left.filter((sample) => isIn(rightKeys, sample) === (op === 'and'))
}

/** What set operators do to vectors in which labels coincide is left open. */
function checkUnique(vector: Vector): void {
  if (new Set(vector.map(({ labels }) => keyOf(labels))).size < vector.length) throw new Undecided('labels coincide')
}

/** Every sample of the many side with the one of the other side that has its signature. */
function match(expr: Binary, left: Vector, right: Vector): Vector {
  const { matching } = expr
  const group = matching?.group
  const [many, one] = group?.side === 'right' ? [right, left] : [left, right]
  const partners = Map.groupBy(one, ({ labels }) => keyOf(signature(labels, matching)))
  if ([...partners.values()].some((same) => same.length > 1)) throw new ReferenceFailure('matching')
  const result: Sample[] = []
  const met = new Set<string>()
  for (const sample of many) {
    const key = keyOf(signature(sample.labels, matching))
    const partner = partners.get(key)?.[0]
    if (partner === undefined) continue
    const [a, b] = many === left ? [sample.value, partner.value] : [partner.value, sample.value]
    const value = apply(expr, a, b, a)
    if (value === undefined) continue
    const labels = matchedLabels(sample.labels, partner.labels, matching)
    const identity = group === undefined ? key : keyOf(labels)
    if (met.has(identity)) throw new ReferenceFailure('matching')
    met.add(identity)
    result.push({ labels, value })
  }
  return result
}

function matchedLabels(many: Fields, one: Fields, matching: VectorMatching | undefined): Fields {
  if (matching?.group === undefined) return signature(many, matching)
  return matching.group.include.reduce((labels, name) => {
    const value = one[name] ?? ''
    return value === '' ? without(labels, name) : { ...labels, [name]: value }
  }, many)
}

/** Undefined when a comparison drops the pair. */
function apply(expr: Binary, a: number, b: number, kept: number): number | undefined {
  const { op, returnBool } = expr
  const isRounded = !isExact(expr.left) || !isExact(expr.right)
  switch (op) {
    case '+':
      return a + b
    case '-':
      return a - b
    case '*':
      return a * b
    case '/':
      return b === 0 ? NaN : a / b
    case '%': {
      if (b === 0) return NaN
      const toEdge = Math.min(Math.abs(a % b), Math.abs(b) - Math.abs(a % b))
      if (isRounded && toEdge <= 1e-9 * Math.max(1, Math.abs(a)))
        throw new Undecided('the remainder of a rounded number')
      return a % b
    }
    case '^':
      return a === 1 ? 1 : a ** b
    case 'and':
    case 'or':
    case 'unless':
      throw new Error(`${op} does not stand between numbers`)
    case '==':
    case '!=':
    case '<':
    case '<=':
    case '>':
    case '>=': {
      if (isRounded && areClose(a, b)) throw new Undecided('a comparison of rounded numbers')
      const holds = compareNumbers(op, a, b)
      return returnBool ? Number(holds) : holds ? kept : undefined
    }
  }
}
