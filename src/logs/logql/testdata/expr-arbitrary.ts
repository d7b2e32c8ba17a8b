/**
 * Random LogQL for property tests: trees that reach every production of the grammar, every stage, every function. All are valid:
 * `printExpr` of one parses to the same tree, apart from places.
 */
import fc, { type Arbitrary } from 'fast-check'
import type {
  BinaryOp,
  Expr,
  Grouping,
  LogExpr,
  LogRange,
  Matcher,
  MetricExpr,
  Unwrap,
  VectorMatching,
} from '#/logs/logql/ast/nodes.ts'
import type { CompareOp, LabelChoice, LabelPredicate, StageNode } from '#/logs/logql/ast/stage-nodes.ts'
import { rangeFunctions, vectorFunctions, type RangeFunction } from '#/logs/logql/functions/index.ts'

const at = { start: 0, end: 0 }

/** Names: plain ones, ones that are functions elsewhere, ones in other scripts. */
export const labelName: Arbitrary<string> = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom('app', 'env', 'level', 'status', '_x', 'a1', 'trace_id', '__error__') },
  {
    weight: 2,
    arbitrary: fc.constantFrom('rate', 'count', 'duration', 'ip', 'bytes', 'vector', 'sum', 'SORT', 'größe'),
  },
)
/** Texts with all that quoting must handle. */
export const text: Arbitrary<string> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.constantFrom(
      '',
      'error',
      'a b',
      'x"y',
      'x`y"',
      '\\d',
      'tab\tline\n',
      'ü',
      '\u{1f600}',
      '\u2028',
      '\0',
    ),
  },
  { weight: 1, arbitrary: fc.string({ maxLength: 12, unit: 'binary' }) },
)
/** RE2 expressions. */
export const regex: Arbitrary<string> = fc.constantFrom('a.+', 'x|y', '(?i)Err', '\\d+"', '', '[^"]*', '\\Qa.b\\E', '`')

export const matcher: Arbitrary<Matcher> = fc.oneof(
  fc.record({ name: labelName, op: fc.constantFrom('=' as const, '!=' as const), value: text }),
  fc.record({ name: labelName, op: fc.constantFrom('=~' as const, '!~' as const), value: regex }),
)
/** At least one matcher refuses the empty value, as queries must. */
export const matchers: Arbitrary<Matcher[]> = fc
  .tuple(
    fc.constantFrom<Matcher>({ name: 'app', op: '=', value: 'x' }, { name: 'app', op: '=~', value: 'x.+' }),
    fc.array(matcher, { maxLength: 3 }),
  )
  .map(([first, more]) => [...more, first])

const compareOp = fc.constantFrom<CompareOp>('==', '!=', '>', '>=', '<', '<=')
const number = fc.oneof(
  fc.integer({ min: -1000, max: 1000 }),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.constantFrom(0, -0, 0.5, 1e21, 1e-7, 5e-324, Number.MAX_VALUE, 1e6),
)
const unsigned = number.map(Math.abs)
const milliseconds = fc.integer({ min: 1, max: 2 ** 31 }).map((ms) => ms * 1e6)
const durationNs = fc.oneof(
  milliseconds,
  milliseconds.map((ns) => -ns),
  fc.integer({ min: 0, max: 2 ** 40 }),
  fc.constantFrom(0, 300, 1500, 60e9, 90_061e9),
)
const bytes = fc.oneof(fc.integer({ min: 0, max: 2 ** 45 }), fc.constantFrom(5000, 20_000, 5120, 999_949, 1e15))

const comparison: Arbitrary<LabelPredicate> = fc.oneof(
  matcher.chain(({ name, op, value }) => {
    const mayBeRaw = (op === '=~' || op === '!~') && !/[`\r]/.test(value)
    return (mayBeRaw ? fc.boolean() : fc.constant(false)).map((raw) => ({
      kind: 'text' as const,
      name,
      op,
      value,
      raw,
    }))
  }),
  fc.record({ kind: fc.constant('number' as const), name: labelName, op: compareOp, value: number }),
  fc.record({ kind: fc.constant('duration' as const), name: labelName, op: compareOp, value: durationNs }),
  fc.record({ kind: fc.constant('bytes' as const), name: labelName, op: compareOp, value: bytes }),
  fc.record({
    kind: fc.constant('ip' as const),
    name: labelName,
    op: fc.constantFrom('=' as const, '!=' as const),
    pattern: fc.constantFrom('10.0.0.1', '10.0.0.0/8', '10.0.0.1-10.0.0.9', '2001:db8::/32'),
  }),
)

/** `and` and `or` alternate downwards, so that no term is of its parent's kind. */
function joined(kind: 'and' | 'or', depth: number): Arbitrary<LabelPredicate> {
  const term =
    depth === 0
      ? comparison
      : fc.oneof({ weight: 3, arbitrary: comparison }, joined(kind === 'and' ? 'or' : 'and', depth - 1))
  return fc.array(term, { minLength: 2, maxLength: 4 }).map((terms) => ({ kind, terms }))
}
export const labelPredicate: Arbitrary<LabelPredicate> = fc.oneof(comparison, joined('and', 2), joined('or', 2))

/** A string with the flag that it keeps its backticks: only where it has quotes and can be raw. */
const rawable = (source: Arbitrary<string>): Arbitrary<{ value: string; raw: boolean }> =>
  source.chain((value) =>
    (value.includes('"') && !/[`\r]/.test(value) ? fc.boolean() : fc.constant(false)).map((raw) => ({ value, raw })),
  )

const ipOperand = fc
  .constantFrom('10.0.0.1', '::1', 'fe80::/10')
  .map((value) => ({ kind: 'ip' as const, value, raw: false }))
const textOperand = (source: Arbitrary<string>): Arbitrary<{ kind: 'text'; value: string; raw: boolean }> =>
  rawable(source).map((operand) => ({ kind: 'text' as const, ...operand }))
const operands = <T>(operand: Arbitrary<T>): Arbitrary<T[]> => fc.array(operand, { minLength: 1, maxLength: 3 })

const lineFilter: Arbitrary<StageNode> = fc.oneof(
  fc.record({
    kind: fc.constant('line_filter' as const),
    op: fc.constantFrom('|=' as const, '!=' as const),
    operands: operands(fc.oneof(textOperand(text), ipOperand)),
    at: fc.constant(at),
  }),
  fc.record({
    kind: fc.constant('line_filter' as const),
    op: fc.constantFrom('|~' as const, '!~' as const),
    operands: operands(textOperand(regex)),
    at: fc.constant(at),
  }),
  fc.record({
    kind: fc.constant('line_filter' as const),
    op: fc.constantFrom('|>' as const, '!>' as const),
    operands: operands(textOperand(fc.constantFrom('', '<_>', '<_> took <_>ms', 'a "b" <_>', '<>'))),
    at: fc.constant(at),
  }),
)

const template = rawable(fc.constantFrom('', '{{.app}}', '{{.a}} "{{ToUpper .b}}"', 'plain', '{{ if .x }}y{{ end }}'))
const choice: Arbitrary<LabelChoice> = fc.oneof(
  labelName.map((name) => ({ kind: 'name' as const, name })),
  matcher.map((condition) => ({ kind: 'matcher' as const, ...condition })),
)
const choices = fc.array(choice, { minLength: 1, maxLength: 3 })

const extraction = fc.record({
  label: labelName,
  source: fc.constantFrom(
    { expression: 'a', path: ['a'] },
    { expression: 'a.b[0]', path: ['a', 'b', 0] },
    { expression: '["x y"].z', path: ['x y', 'z'] },
  ),
})

const labelFormats = fc
  .uniqueArray(
    fc.oneof(
      fc.record({ kind: fc.constant('rename' as const), target: labelName, source: labelName }),
      fc
        .record({ target: labelName, template })
        .map(({ target, template: { value, raw } }) => ({ kind: 'template' as const, target, template: value, raw })),
    ),
    { minLength: 1, maxLength: 3, selector: ({ target }) => target },
  )
  .map((formats) => formats.filter(({ target }) => target !== '__error__'))
  .filter((formats) => formats.length > 0)

const labelFilter: Arbitrary<StageNode> = labelPredicate.map((filter) => ({ kind: 'label_filter', filter, at }))

/** Gives the parts of a stage their kind. */
function stageOf<K extends StageNode['kind']>(
  kind: K,
  parts: Arbitrary<Omit<Extract<StageNode, { kind: K }>, 'kind' | 'at'>>,
): Arbitrary<StageNode> {
  return parts.map((rest) => ({ kind, ...rest, at }) as unknown as StageNode)
}

const jsonExtraction = extraction.map(({ label, source }) => ({ label, ...source }))
const logfmtExtraction = fc.record({ label: labelName, key: text })
const logfmt = fc.record({
  strict: fc.boolean(),
  keepEmpty: fc.boolean(),
  extractions: fc.array(logfmtExtraction, { maxLength: 2 }),
})

export const stage: Arbitrary<StageNode> = fc.oneof(
  { weight: 3, arbitrary: lineFilter },
  { weight: 3, arbitrary: labelFilter },
  stageOf('json', fc.record({ extractions: fc.array(jsonExtraction, { maxLength: 3 }) })),
  stageOf('logfmt', logfmt),
  stageOf('regexp', fc.record({ pattern: fc.constantFrom('(?P<a>\\d+)', '"(?P<a>.*)" (?P<b>x|y)') })),
  stageOf('pattern', fc.record({ pattern: fc.constantFrom('<a>', '<_> <a> "<b>"') })),
  stageOf('unpack', fc.record({})),
  stageOf('decolorize', fc.record({})),
  stageOf(
    'line_format',
    template.map(({ value, raw }) => ({ template: value, raw })),
  ),
  stageOf('label_format', fc.record({ formats: labelFormats })),
  stageOf('drop', fc.record({ choices })),
  stageOf('keep', fc.record({ choices })),
)

/** No text gives `keep a` followed by `!= "x"`: that is a matcher of `a`. */
function isReadAsMatcher(before: StageNode | undefined, node: StageNode): boolean {
  if (before?.kind !== 'drop' && before?.kind !== 'keep') return false
  return before.choices.at(-1)?.kind === 'name' && node.kind === 'line_filter' && /^![=~]$/.test(node.op)
}

export const logExpr: Arbitrary<LogExpr> = fc
  .record({
    matchers,
    stages: fc
      .array(stage, { maxLength: 5 })
      .map((stages) =>
        stages.reduce<StageNode[]>((kept, node) => (isReadAsMatcher(kept.at(-1), node) ? kept : [...kept, node]), []),
      ),
  })
  .map((parts) => ({ kind: 'log', ...parts, at }))

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

const rangeAggregation: Arbitrary<MetricExpr> = fc.constantFrom(...rangeFunctions.values()).chain((fn) =>
  fc.record({
    kind: fc.constant('range_aggregation' as const),
    op: fc.constant(fn.name),
    parameter: fn.parameter === 'required' ? unsigned : fc.constant(undefined),
    range: logRange(fn),
    grouping: fn.grouping ? grouping : fc.constant(undefined),
    at: fc.constant(at),
  }),
)

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
export const expr: Arbitrary<Expr> = fc.oneof(logExpr, metricExpr)

/** The same tree with all places blanked, for comparisons. */
export function withoutPlaces<T>(value: T): T {
  return JSON.parse(JSON.stringify(value, (key, part: unknown) => (key === 'at' ? undefined : plain(part)))) as T
}

/** JSON has no word for some numbers. */
function plain(value: unknown): unknown {
  if (typeof value !== 'number') return value
  return Object.is(value, -0) ? 'negative zero' : Number.isFinite(value) ? value : `not finite: ${value}`
}
