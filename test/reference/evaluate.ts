/**
 * LogQL evaluated the slow and obvious way: entries one by one, strings, BigInt times, a new array at every turn. It shares
 * nothing with the read path but the syntax tree and compiled regular expressions, so that both are unlikely to be wrong alike.
 */
import type {
  Expr,
  Grouping,
  Matcher,
  MetricExpr,
  RangeAggregation,
  VectorAggregation,
  BinaryExpr,
} from '#/logs/logql/ast/nodes.ts'
import type { LabelPredicate, LineFilterNode, StageNode } from '#/logs/logql/ast/stage-nodes.ts'
import { parseLabels } from '#/logs/model/labels.ts'
import { compileRegex } from '#/platform/regex/compile.ts'
import type { Entry } from './sources.ts'

type Fields = Readonly<Record<string, string>>

/** An entry on its way: line and labels in three categories. */
type State = {
  readonly timeNs: bigint
  readonly line: string
  readonly stream: Fields
  readonly metadata: Fields
  readonly parsed: Fields
}

export type ReferenceRow = { readonly timeNs: bigint; readonly line: string; readonly labels: Fields }
/** Values by series (labels as sorted JSON) at one time. */
export type ReferenceVector = ReadonlyMap<string, number>

/** Every surviving entry in [startNs, endNs), in order of time, equal times in order of `entries`. */
export function referenceRows(
  expr: Expr<StageNode> & { readonly kind: 'log' },
  entries: readonly Entry[],
  { startNs, endNs }: { readonly startNs: bigint; readonly endNs: bigint },
): ReferenceRow[] {
  return survivors(expr, entries, undefined)
    .filter(({ timeNs }) => timeNs >= startNs && timeNs < endNs)
    .map((state) => ({ timeNs: state.timeNs, line: state.line, labels: visible(state) }))
    .toSorted((a, b) => (a.timeNs < b.timeNs ? -1 : a.timeNs > b.timeNs ? 1 : 0))
}

/** The vector at one time. @throws Error `pipeline error` when a sample has an error that the query does not expect. */
export function referenceVector(
  expr: MetricExpr<StageNode>,
  entries: readonly Entry[],
  timeNs: bigint,
): ReferenceVector {
  const value = evaluate(expr, entries, timeNs)
  return typeof value === 'number' ? new Map([['{}', value]]) : value
}

export function seriesKey(labels: Fields): string {
  return JSON.stringify(Object.fromEntries(Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1))))
}

/** `read` names the labels that are read behind the pipeline, when not all are. */
function survivors(
  { matchers, stages }: { readonly matchers: readonly Matcher[]; readonly stages: readonly StageNode[] },
  entries: readonly Entry[],
  read: readonly string[] | undefined,
): State[] {
  return entries.flatMap((entry) => {
    const stream = Object.fromEntries(parseLabels(entry.stream))
    if (!matchers.every((matcher) => matches(matcher, stream[matcher.name] ?? ''))) return []
    let state: State | undefined = {
      timeNs: entry.timeNs,
      line: entry.line,
      stream,
      metadata: renamed(entry.metadata, stream),
      parsed: {},
    }
    for (const [i, stage] of stages.entries()) {
      const later = stages.slice(i + 1).some(({ kind }) => kind === 'label_filter')
      state = state && runStage(stage, state, read === undefined || read.length > 0 || later)
    }
    return state ? [state] : []
  })
}

function renamed(metadata: Fields, stream: Fields): Fields {
  return Object.fromEntries(
    Object.entries(metadata).map(([name, value]) => [name in stream ? `${name}_extracted` : name, value]),
  )
}

function visible({ stream, metadata, parsed }: State): Fields {
  return { ...stream, ...metadata, ...parsed }
}

function matches({ op, value }: Pick<Matcher, 'op' | 'value'>, text: string): boolean {
  switch (op) {
    case '=':
      return text === value
    case '!=':
      return text !== value
    case '=~':
      return compileRegex(value, { anchored: true }).test(text)
    case '!~':
      return !compileRegex(value, { anchored: true }).test(text)
  }
}

/** A parser whose labels nobody reads does nothing, and so finds no error. */
function runStage(stage: StageNode, state: State, isRead: boolean): State | undefined {
  switch (stage.kind) {
    case 'line_filter':
      return linePasses(stage, state.line) ? state : undefined
    case 'label_filter':
      return runPredicate(stage.filter, state)
    case 'json':
      return isRead ? runJson(state) : state
    case 'logfmt':
      return isRead ? runLogfmt(state) : state
    case 'decolorize':
    case 'drop':
    case 'keep':
    case 'label_format':
    case 'line_format':
    case 'pattern':
    case 'regexp':
    case 'unpack':
      throw new Error(`the reference does not know stage ${stage.kind}`)
  }
}

function linePasses({ op, operands }: LineFilterNode, line: string): boolean {
  const isIn = operands.some(({ value }) =>
    op === '|=' || op === '!=' ? line.includes(value) : compileRegex(value, { anchored: false }).test(line),
  )
  return op.startsWith('!') ? !isIn : isIn
}

/** The state after the filter, as a filter may set an error; undefined when it drops the entry. */
function runPredicate(predicate: LabelPredicate, state: State): State | undefined {
  switch (predicate.kind) {
    case 'and': {
      let [after, passes] = [state, true]
      for (const term of predicate.terms) {
        const next = runPredicate(term, after)
        if (next === undefined) passes = false
        else after = next
      }
      return passes ? after : undefined
    }
    case 'or': {
      for (const term of predicate.terms) {
        const next = runPredicate(term, state)
        if (next !== undefined) return next
      }
      return undefined
    }
    case 'text':
      return matches(predicate, visible(state)[predicate.name] ?? '') ? state : undefined
    case 'number': {
      if ('__error__' in visible(state)) return state
      const text = visible(state)[predicate.name]
      if (text === undefined) return undefined
      const number = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : undefined
      if (number === undefined) return withError(state, 'LabelFilterErr')
      return compare(predicate.op, number, predicate.value) ? state : undefined
    }
    case 'bytes':
    case 'duration':
    case 'ip':
      throw new Error(`the reference does not know label filter ${predicate.kind}`)
  }
}

function withError(state: State, error: string): State {
  return { ...state, parsed: { ...state.parsed, __error__: error } }
}

function withParsed(state: State, name: string, value: string): State {
  const label = name in state.stream || name in state.metadata ? `${name}_extracted` : name
  return label in state.parsed ? state : { ...state, parsed: { ...state.parsed, [label]: value } }
}

/** Objects of texts and numbers, one level deep: all that the generator writes. */
function runJson(state: State): State {
  let object: unknown
  try {
    object = JSON.parse(state.line)
  } catch {
    return withError(state, 'JSONParserErr')
  }
  if (typeof object !== 'object' || object === null) return withError(state, 'JSONParserErr')
  return Object.entries(object).reduce((now, [name, value]) => withParsed(now, name, String(value)), state)
}

/** `key=value` pairs without quotes. */
function runLogfmt(state: State): State {
  return state.line.split(' ').reduce((now, pair) => {
    const [, key, value] = /^([a-z_]+)=([^=" ]+)$/.exec(pair) ?? []
    return key === undefined || value === undefined ? now : withParsed(now, key, value)
  }, state)
}

function evaluate(
  expr: MetricExpr<StageNode>,
  entries: readonly Entry[],
  timeNs: bigint,
): Map<string, number> | number {
  switch (expr.kind) {
    case 'number':
      return expr.value
    case 'vector':
      return new Map([['{}', expr.value]])
    case 'range_aggregation':
      return rangeVector(expr, entries, { timeNs, grouping: undefined })
    case 'vector_aggregation':
      return aggregateVector(expr, entries, timeNs)
    case 'binary':
      return binaryVector(expr, entries, timeNs)
    case 'label_replace':
      throw new Error(`the reference does not know ${expr.kind}`)
  }
}

/** `grouping` is that of a sum around the range; with it the labels that are read are known, which decides about errors. */
function rangeVector(
  { op, range }: RangeAggregation<StageNode>,
  entries: readonly Entry[],
  { timeNs, grouping }: { readonly timeNs: bigint; readonly grouping: Grouping | undefined },
): Map<string, number> {
  const end = timeNs - BigInt(range.offsetNs)
  const start = end - BigInt(range.rangeNs)
  const sums = new Map<string, number>()
  const read = op === 'absent_over_time' ? [] : grouping?.kind === 'by' ? grouping.labels : undefined
  const mentionsError = JSON.stringify(range.log.stages).includes('__error__') || (read ?? []).includes('__error__')
  for (const state of survivors(range.log, entries, read)) {
    if (state.timeNs <= start || state.timeNs > end) continue
    const labels = visible(state)
    const hasError = '__error__' in labels
    if (hasError && !mentionsError) throw new Error('pipeline error')
    const preserved = hasError ? { ...labels, __preserve_error__: 'true' } : labels
    const key = seriesKey(grouping === undefined ? preserved : groupFields(preserved, grouping))
    const amount = op.startsWith('bytes') ? Buffer.byteLength(state.line) : 1
    sums.set(key, (sums.get(key) ?? 0) + amount)
  }
  if (op === 'absent_over_time')
    return sums.size > 0 ? new Map() : new Map([[seriesKey(certainLabels(range.log.matchers)), 1]])
  const seconds = op.endsWith('rate') ? range.rangeNs / 1e9 : 1
  return new Map([...sums].map(([key, sum]) => [key, sum / seconds]))
}

function certainLabels(matchers: readonly Matcher[]): Fields {
  const certain = matchers.filter(
    ({ name, op }) => op === '=' && matchers.filter((one) => one.name === name).length === 1,
  )
  return Object.fromEntries(certain.filter(({ value }) => value !== '').map(({ name, value }) => [name, value]))
}

function aggregateVector(
  expr: VectorAggregation<StageNode>,
  entries: readonly Entry[],
  timeNs: bigint,
): Map<string, number> {
  const { op, grouping, parameter } = expr
  const group = grouping ?? { kind: 'by', labels: [] }
  // sums over a range are taken over whole groups, so that a rate is divided once
  const isSumOfRange = op === 'sum' && expr.expr.kind === 'range_aggregation' && expr.expr.op !== 'absent_over_time'
  if (isSumOfRange && expr.expr.kind === 'range_aggregation')
    return rangeVector(expr.expr, entries, { timeNs, grouping: group })
  const input = evaluate(expr.expr, entries, timeNs)
  const samples: [string, number][] = typeof input === 'number' ? [['{}', input]] : [...input]
  const groups = Map.groupBy(samples, ([key]) => seriesKey(groupFields(JSON.parse(key) as Fields, group)))
  const result = new Map<string, number>()
  for (const [key, members] of groups) {
    const values = members.map(([, value]) => value)
    if (op === 'topk' || op === 'bottomk') {
      const sign = op === 'topk' ? -1 : 1
      const best = members.toSorted((a, b) => sign * (a[1] - b[1])).slice(0, parameter)
      for (const [label, value] of best) result.set(label, value)
    } else {
      result.set(key, fold(op, values))
    }
  }
  return result
}

function groupFields(labels: Fields, { kind, labels: names }: Grouping): Fields {
  return Object.fromEntries(Object.entries(labels).filter(([name]) => (kind === 'by') === names.includes(name)))
}

function fold(op: string, values: readonly number[]): number {
  const sum = values.reduce((total, value) => total + value, 0)
  const mean = sum / values.length
  switch (op) {
    case 'sum':
      return sum
    case 'avg':
      return mean
    case 'min':
      return Math.min(...values)
    case 'max':
      return Math.max(...values)
    case 'count':
      return values.length
    case 'stdvar':
      return values.reduce((total, value) => total + (value - mean) ** 2, 0) / values.length
    default:
      throw new Error(`the reference does not know ${op}`)
  }
}

function binaryVector(
  expr: BinaryExpr<StageNode>,
  entries: readonly Entry[],
  timeNs: bigint,
): Map<string, number> | number {
  const left = evaluate(expr.left, entries, timeNs)
  const right = evaluate(expr.right, entries, timeNs)
  if (typeof left === 'number' && typeof right === 'number') return apply(expr, left, right, NaN) ?? 0
  const result = new Map<string, number>()
  const keep = (key: string, value: number | undefined): void => void (value === undefined || result.set(key, value))
  if (typeof right === 'number') {
    for (const [key, value] of left as Map<string, number>) keep(key, apply(expr, value, right, value))
    return result
  }
  if (typeof left === 'number') {
    for (const [key, value] of right) keep(key, apply(expr, left, value, value))
    return result
  }
  if (expr.op === 'or') return new Map([...right, ...left])
  for (const [key, value] of left) {
    const partner = right.get(key)
    if (expr.op === 'and' || expr.op === 'unless')
      keep(key, (partner === undefined) === (expr.op === 'unless') ? value : undefined)
    else if (partner !== undefined) keep(key, apply(expr, value, partner, value))
  }
  return result
}

function apply({ op, returnBool }: BinaryExpr<StageNode>, a: number, b: number, kept: number): number | undefined {
  switch (op) {
    case '+':
      return a + b
    case '-':
      return a - b
    case '*':
      return a * b
    case '/':
      return b === 0 ? NaN : a / b
    case '%':
      return b === 0 ? NaN : a % b
    case '^':
      return a ** b
    case '==':
    case '!=':
    case '<':
    case '<=':
    case '>':
    case '>=': {
      const holds = compare(op, a, b)
      return returnBool ? Number(holds) : holds ? kept : undefined
    }
    case 'and':
    case 'or':
    case 'unless':
      throw new Error(`${op} does not stand between numbers`)
  }
}

function compare(op: '==' | '!=' | '<' | '<=' | '>' | '>=', a: number, b: number): boolean {
  switch (op) {
    case '==':
      return a === b
    case '!=':
      return a !== b
    case '<':
      return a < b
    case '<=':
      return a <= b
    case '>':
      return a > b
    case '>=':
      return a >= b
  }
}
