/** Random log queries: every stage in every form, label filters with queries inside, and what may stand at the end. */
import fc, { type Arbitrary } from 'fast-check'
import type { LogExpr } from '#/logs/logql/ast/nodes.ts'
import type {
  KeepNode,
  LabelChoice,
  LabelFilterNode,
  LabelPredicate,
  LineFilterNode,
  StageNode,
} from '#/logs/logql/ast/stage-nodes.ts'
import { maxLimit } from '#/logs/logql/stages/limit.ts'
import {
  bytes,
  compareOp,
  durationNs,
  labelName,
  matcher,
  matchers,
  number,
  rawable,
  regex,
  text,
} from './text-arbitrary.ts'

const at = { start: 0, end: 0 }
/** How deep queries nest behind `in`. */
const maxSubqueries = 2

const textComparison: Arbitrary<LabelPredicate> = matcher.chain(({ name, op, value }) => {
  const mayBeRaw = (op === '=~' || op === '!~') && !/[`\r]/.test(value)
  const raws = mayBeRaw ? fc.boolean() : fc.constant(false)
  return raws.map((raw) => ({ kind: 'text' as const, name, op, value, raw }))
})

const comparison: Arbitrary<LabelPredicate> = fc.oneof(
  textComparison,
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

/** `subqueries`: how many levels of queries may nest behind `in`. */
function atom(subqueries: number): Arbitrary<LabelPredicate> {
  if (subqueries === 0) return comparison
  const membership = fc.record({ kind: fc.constant('in' as const), name: labelName, query: subquery(subqueries - 1) })
  return fc.oneof({ weight: 8, arbitrary: comparison }, { weight: 1, arbitrary: membership })
}

/** `and` and `or` alternate downwards, so that no term is of its parent's kind. */
function joined(kind: 'and' | 'or', depth: number, subqueries: number): Arbitrary<LabelPredicate> {
  const single = atom(subqueries)
  const other = kind === 'and' ? 'or' : 'and'
  const term = depth === 0 ? single : fc.oneof({ weight: 3, arbitrary: single }, joined(other, depth - 1, subqueries))
  return fc.array(term, { minLength: 2, maxLength: 4 }).map((terms) => ({ kind, terms }))
}

function labelFilterOf(subqueries: number): Arbitrary<LabelFilterNode> {
  const filter = fc.oneof(atom(subqueries), joined('and', 2, subqueries), joined('or', 2, subqueries))
  return stageOf('label_filter', fc.record({ filter }))
}

/** Gives the parts of a stage their kind. */
function stageOf<K extends StageNode['kind']>(
  kind: K,
  parts: Arbitrary<Omit<Extract<StageNode, { kind: K }>, 'kind' | 'at'>>,
): Arbitrary<Extract<StageNode, { kind: K }>> {
  return parts.map((rest) => ({ kind, ...rest, at }) as unknown as Extract<StageNode, { kind: K }>)
}

const ipOperand = fc
  .constantFrom('10.0.0.1', '::1', 'fe80::/10')
  .map((value) => ({ kind: 'ip' as const, value, raw: false }))
const textOperand = (source: Arbitrary<string>): Arbitrary<{ kind: 'text'; value: string; raw: boolean }> =>
  rawable(source).map((operand) => ({ kind: 'text' as const, ...operand }))
const operands = <T>(operand: Arbitrary<T>): Arbitrary<T[]> => fc.array(operand, { minLength: 1, maxLength: 3 })

const containsOp = fc.constantFrom('|=' as const, '!=' as const)
const linePattern = fc.constantFrom('', '<_>', '<_> took <_>ms', 'a "b" <_>', '<>')
const lineFilter: Arbitrary<LineFilterNode> = fc.oneof(
  stageOf('line_filter', fc.record({ op: containsOp, operands: operands(fc.oneof(textOperand(text), ipOperand)) })),
  stageOf(
    'line_filter',
    fc.record({ op: containsOp, ignoreCase: fc.constant(true as const), operands: operands(textOperand(text)) }),
  ),
  stageOf('line_filter', fc.record({ op: fc.constantFrom('|~', '!~'), operands: operands(textOperand(regex)) })),
  stageOf('line_filter', fc.record({ op: fc.constantFrom('|>', '!>'), operands: operands(textOperand(linePattern)) })),
)

const choice: Arbitrary<LabelChoice> = fc.oneof(
  labelName.map((name) => ({ kind: 'name' as const, name })),
  matcher.map((condition) => ({ kind: 'matcher' as const, ...condition })),
)
const choices = fc.array(choice, { minLength: 1, maxLength: 3 })

const jsonExtraction = fc
  .record({
    label: labelName,
    source: fc.constantFrom(
      { expression: 'a', path: ['a'] },
      { expression: 'a.b[0]', path: ['a', 'b', 0] },
      { expression: '["x y"].z', path: ['x y', 'z'] },
    ),
  })
  .map(({ label, source }) => ({ label, ...source }))
const logfmt = fc.record({
  strict: fc.boolean(),
  keepEmpty: fc.boolean(),
  extractions: fc.array(fc.record({ label: labelName, key: fc.oneof(text, labelName) }), { maxLength: 2 }),
})

const template = rawable(
  fc.constantFrom('', '{{.app}}', '{{.a}} "{{ToUpper .b}}"', 'plain', '{{ if .x }}y{{ end }}'),
).map(({ value, raw }) => ({ template: value, raw }))
const target = labelName.filter((name) => name !== '__error__')
const labelFormats = fc.uniqueArray(
  fc.oneof(
    fc.record({ kind: fc.constant('rename' as const), target, source: labelName }),
    fc
      .record({ target, template })
      .map((format) => ({ kind: 'template' as const, target: format.target, ...format.template })),
  ),
  { minLength: 1, maxLength: 3, selector: (format) => format.target },
)

function rowStage(subqueries: number): Arbitrary<StageNode> {
  return fc.oneof(
    { weight: 3, arbitrary: lineFilter },
    { weight: 3, arbitrary: labelFilterOf(subqueries) },
    stageOf('json', fc.record({ extractions: fc.array(jsonExtraction, { maxLength: 3 }) })),
    stageOf('logfmt', logfmt),
    stageOf('regexp', fc.record({ pattern: fc.constantFrom('(?P<a>\\d+)', '"(?P<a>.*)" (?P<b>x|y)') })),
    stageOf('pattern', fc.record({ pattern: fc.constantFrom('<a>', '<_> <a> "<b>"') })),
    stageOf('unpack', fc.record({})),
    stageOf('decolorize', fc.record({})),
    stageOf('line_format', template),
    stageOf('label_format', fc.record({ formats: labelFormats })),
    stageOf('drop', fc.record({ choices })),
    stageOf('keep', fc.record({ choices })),
  )
}

/** No text gives `keep a` followed by `!= "x"`: that is a matcher of `a`. */
function isReadAsMatcher(before: StageNode | undefined, node: StageNode): boolean {
  if (before?.kind !== 'drop' && before?.kind !== 'keep') return false
  return before.choices.at(-1)?.kind === 'name' && node.kind === 'line_filter' && /^![=~]$/.test(node.op)
}

function rowStages(subqueries: number, maxLength: number): Arbitrary<StageNode[]> {
  return fc
    .array(rowStage(subqueries), { maxLength })
    .map((stages) =>
      stages.reduce<StageNode[]>((kept, node) => (isReadAsMatcher(kept.at(-1), node) ? kept : [...kept, node]), []),
    )
}

function logWith(stages: Arbitrary<StageNode[]>): Arbitrary<LogExpr> {
  return fc.record({ matchers, stages }).map((parts) => ({ kind: 'log', ...parts, at }))
}

/** What may stand behind `in (`: it keeps one label. */
function subquery(subqueries: number): Arbitrary<LogExpr> {
  const last: Arbitrary<KeepNode> = stageOf(
    'keep',
    labelName.map((name) => ({ choices: [{ kind: 'name', name }] })),
  )
  return logWith(fc.tuple(rowStages(subqueries, 2), last).map(([before, keep]) => [...before, keep]))
}

const distinct = stageOf('distinct', fc.record({ labels: fc.array(labelName, { minLength: 1, maxLength: 3 }) }))
const sort = stageOf('sort', fc.record({ label: labelName, descending: fc.boolean() }))
const limit = stageOf('limit', fc.record({ count: fc.oneof(fc.integer({ min: 1, max: 20 }), fc.constant(maxLimit)) }))
const orNothing = <T>(some: Arbitrary<T>): Arbitrary<T | undefined> => fc.option(some, { nil: undefined, freq: 2 })
const tail: Arbitrary<StageNode[]> = fc
  .tuple(orNothing(distinct), orNothing(sort), orNothing(limit))
  .map((stages) => stages.filter((stage) => stage !== undefined))

const pipeline = rowStages(maxSubqueries, 5)
export const labelFilter: Arbitrary<StageNode> = labelFilterOf(maxSubqueries)
/** What range functions look at. */
export const logExpr: Arbitrary<LogExpr> = logWith(pipeline)
/** A whole query, whose answer are entries. */
export const logQuery: Arbitrary<LogExpr> = logWith(fc.tuple(pipeline, tail).map((parts) => parts.flat()))
