/**
 * Random LogQL for property tests: trees that reach every production of the grammar, every stage, every function. All are valid:
 * `printExpr` of one parses to the same tree, apart from places.
 */
import fc, { type Arbitrary } from 'fast-check'
import type { BinaryOp, Expr, Grouping, LogRange, MetricExpr, Unwrap, VectorMatching } from '#/logs/logql/ast/nodes.ts'
import { rangeFunctions, vectorFunctions, type RangeFunction } from '#/logs/logql/functions/index.ts'
import { labelFilter, logExpr, logQuery } from './log-arbitrary.ts'
import { labelName, milliseconds, number, regex, text, unsigned } from './text-arbitrary.ts'

const at = { start: 0, end: 0 }

const unwrap: Arbitrary<Unwrap> = fc.record({
  label: labelName,
  conversion: fc.constantFrom(undefined, 'bytes' as const, 'duration' as const, 'duration_seconds' as const),
  filters: fc.array(labelFilter, { maxLength: 2 }),
  at: fc.constant(at),
})

function logRange(fn: RangeFunction): Arbitrary<LogRange> {
  const none = fc.constant(undefined)
  return fc.record({
    log: logExpr,
    unwrap: fn.unwrap === 'required' ? unwrap : fn.unwrap === 'forbidden' ? none : fc.oneof(none, unwrap),
    rangeNs: milliseconds,
    offsetNs: fc.oneof(
      fc.constant(0),
      milliseconds,
      milliseconds.map((ns) => -ns),
    ),
    at: fc.constant(at),
  })
}

const labels = fc.array(labelName, { maxLength: 3 })
const grouping: Arbitrary<Grouping | undefined> = fc.option(
  fc.record({ kind: fc.constantFrom('by' as const, 'without' as const), labels }),
  { nil: undefined },
)

const rangeAggregation: Arbitrary<MetricExpr> = fc
  .constantFrom(...rangeFunctions.values())
  .chain((fn) =>
    fc.record({
      kind: fc.constant('range_aggregation' as const),
      op: fc.constant(fn.name),
      parameter: fn.parameter === 'required' ? unsigned : fc.constant(undefined),
      label: fn.parameter === 'label' ? labelName : fc.constant(undefined),
      range: logRange(fn),
      grouping: fn.grouping ? grouping : fc.constant(undefined),
      at: fc.constant(at),
    }),
  )
  .map(({ label, ...node }) => (label === undefined ? node : { ...node, label }))

const matching: Arbitrary<VectorMatching | undefined> = fc.option(
  fc.record({
    kind: fc.constantFrom('on' as const, 'ignoring' as const),
    labels,
    group: fc.option(fc.record({ side: fc.constantFrom('left' as const, 'right' as const), include: labels }), {
      nil: undefined,
    }),
  }),
  { nil: undefined },
)

const literal: Arbitrary<MetricExpr> = number.map((value) => ({ kind: 'number', value, at }))
const vector: Arbitrary<MetricExpr> = unsigned.map((value) => ({ kind: 'vector', value, at }))
const setOps: ReadonlySet<string> = new Set<BinaryOp>(['or', 'and', 'unless'])
const binaryOp = fc.constantFrom<BinaryOp>(
  'or',
  'and',
  'unless',
  '==',
  '!=',
  '<',
  '<=',
  '>',
  '>=',
  '+',
  '-',
  '*',
  '/',
  '%',
  '^',
)

function metric(depth: number): Arbitrary<MetricExpr> {
  if (depth === 0) return fc.oneof({ weight: 4, arbitrary: rangeAggregation }, vector)
  const inner = metric(depth - 1)
  const leg = fc.oneof({ weight: 3, arbitrary: inner }, literal)
  const vectorAggregation = fc.constantFrom(...vectorFunctions.values()).chain((fn) =>
    fc.record({
      kind: fc.constant('vector_aggregation' as const),
      op: fc.constant(fn.name),
      parameter: fn.parameter === 'required' ? fc.integer({ min: 1, max: 1e6 }) : fc.constant(undefined),
      expr: leg,
      grouping: fn.grouping ? grouping : fc.constant(undefined),
      at: fc.constant(at),
    }),
  )
  const binary = fc
    .record({ op: binaryOp, returnBool: fc.boolean(), matching, left: leg, right: leg })
    // numbers around one operator would be folded, and set operators refuse them
    .filter(({ op, left, right }) =>
      setOps.has(op)
        ? left.kind !== 'number' && right.kind !== 'number'
        : left.kind !== 'number' || right.kind !== 'number',
    )
    .map((node): MetricExpr => ({ kind: 'binary', ...node, at }))
  const labelReplace = fc
    .record({ expr: inner, target: text, replacement: text, source: text, regex })
    .map((node): MetricExpr => ({ kind: 'label_replace', ...node, at }))
  return fc.oneof(rangeAggregation, vectorAggregation, binary, labelReplace)
}

export const metricExpr: Arbitrary<MetricExpr> = fc.oneof(literal, metric(0), metric(1), metric(2))
export const expr: Arbitrary<Expr> = fc.oneof(logQuery, metricExpr)

/** The same tree with all places blanked, for comparisons. */
export function withoutPlaces<T>(value: T): T {
  return JSON.parse(JSON.stringify(value, (key, part: unknown) => (key === 'at' ? undefined : plain(part)))) as T
}

/** JSON has no word for some numbers. */
function plain(value: unknown): unknown {
  if (typeof value !== 'number') return value
  return Object.is(value, -0) ? 'negative zero' : Number.isFinite(value) ? value : `not finite: ${value}`
}
