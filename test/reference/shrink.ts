/** Makes a question and its data smaller while the answers still differ: by leaving out one thing after the other. */
import type { Expr, LogExpr, MetricExpr } from '#/logs/logql/ast/nodes.ts'
import type { LabelPredicate, StageNode } from '#/logs/logql/ast/stage-nodes.ts'
import { printExpr } from '#/logs/logql/format/print.ts'
import { parseExpr } from '#/logs/logql/parser/parse-expr.ts'
import { checkQuestion } from './check-question.ts'
import type { Question } from './question.ts'
import type { DataSet } from './random-data.ts'
import { buildWorld } from './world.ts'

export type Case = { readonly data: DataSet; readonly question: Question }
export type SmallestCase = Case & {
  /** Undefined when the question fails only after others. */
  readonly problem: unknown
}

/** Tries at most; each is one query over a small data set. */
const maxTries = 1500

/** `first` fails. */
export async function shrink(first: Case): Promise<SmallestCase> {
  let smallest: SmallestCase = { ...first, problem: await problemOf(first) }
  if (smallest.problem === undefined) return smallest
  for (let tries = 0, isSmaller = true; isSmaller && tries < maxTries;) {
    isSmaller = false
    for (const candidate of smallerCases(smallest)) {
      if (++tries > maxTries) break
      const problem = await problemOf(candidate)
      if (problem === undefined) continue
      smallest = { ...candidate, problem }
      isSmaller = true
      break
    }
  }
  return smallest
}

async function problemOf({ data, question }: Case): Promise<unknown> {
  const world = await buildWorld(data)
  try {
    parseExpr(question.query)
  } catch {
    return undefined
  }
  try {
    await checkQuestion(world, question)
    return undefined
  } catch (error) {
    return error
  }
}

function* smallerCases({ data, question }: Case): Generator<Case> {
  for (const [at, source] of data.sources.entries()) {
    yield { question, data: { ...data, sources: data.sources.toSpliced(at, 1) } }
    const half = source.entries.length >> 1
    if (half < 2) continue
    for (const entries of [source.entries.slice(half), source.entries.slice(0, half)]) {
      yield { question, data: { ...data, sources: data.sources.with(at, { ...source, entries }) } }
    }
  }
  for (const query of smallerQueries(parseExpr(question.query))) yield { data, question: { ...question, query } }
  for (const [at, source] of data.sources.entries()) {
    for (const i of source.entries.keys()) {
      const entries = source.entries.toSpliced(i, 1)
      yield { question, data: { ...data, sources: data.sources.with(at, { ...source, entries }) } }
    }
  }
  if (question.kind === 'range' && question.stepCount > 1) {
    yield { data, question: { ...question, stepCount: question.stepCount - 1 } }
    yield {
      data,
      question: { ...question, startNs: question.startNs + question.stepNs, stepCount: question.stepCount - 1 },
    }
  }
  if (question.kind === 'log' && question.intervalNs > 0n) yield { data, question: { ...question, intervalNs: 0n } }
  if (question.kind === 'log' && question.limit < 1000) yield { data, question: { ...question, limit: 1000 } }
  if (data.pageRows < 100) yield { question, data: { ...data, pageRows: 100 } }
}

function smallerQueries(expr: Expr): string[] {
  const smaller = expr.kind === 'log' ? smallerLogs(expr) : smallerMetrics(expr)
  return smaller.map(printExpr)
}

function smallerLogs(expr: LogExpr): LogExpr[] {
  return smallerStages(expr.stages).map((stages) => ({ ...expr, stages }))
}

function smallerStages(stages: readonly StageNode[]): StageNode[][] {
  return stages.flatMap((stage, at) => [
    stages.toSpliced(at, 1),
    ...smallerStage(stage).map((smaller) => stages.with(at, smaller)),
  ])
}

function smallerStage(stage: StageNode): StageNode[] {
  const less = <T>(items: readonly T[]): T[][] => (items.length < 2 ? [] : items.map((_, at) => items.toSpliced(at, 1)))
  switch (stage.kind) {
    case 'line_filter':
      return less(stage.operands).map((operands) => ({ ...stage, operands }))
    case 'label_filter':
      return smallerPredicates(stage.filter).map((filter) => ({ ...stage, filter }))
    case 'json':
      return less(stage.extractions).map((extractions) => ({ ...stage, extractions }))
    case 'logfmt':
      return less(stage.extractions).map((extractions) => ({ ...stage, extractions }))
    case 'label_format':
      return less(stage.formats).map((formats) => ({ ...stage, formats }))
    case 'drop':
    case 'keep':
      return less(stage.choices).map((choices) => ({ ...stage, choices }))
    case 'distinct':
      return less(stage.labels).map((labels) => ({ ...stage, labels }))
    case 'regexp':
    case 'pattern':
    case 'unpack':
    case 'line_format':
    case 'decolorize':
    case 'sort':
    case 'limit':
      return []
  }
}

function smallerPredicates(predicate: LabelPredicate): LabelPredicate[] {
  if (predicate.kind !== 'and' && predicate.kind !== 'or') return []
  const { kind, terms } = predicate
  const fewer = terms.length > 2 ? terms.map((_, at) => ({ kind, terms: terms.toSpliced(at, 1) })) : []
  return [...terms, ...fewer]
}

function smallerMetrics(expr: MetricExpr): MetricExpr[] {
  switch (expr.kind) {
    case 'number':
    case 'vector':
      return []
    case 'binary':
      return [
        expr.left,
        expr.right,
        ...(expr.matching ? [{ ...expr, matching: undefined }] : []),
        ...smallerMetrics(expr.left).map((left) => ({ ...expr, left })),
        ...smallerMetrics(expr.right).map((right) => ({ ...expr, right })),
      ]
    case 'label_replace':
      return [expr.expr, ...smallerMetrics(expr.expr).map((inner) => ({ ...expr, expr: inner }))]
    case 'vector_aggregation':
      return [
        expr.expr,
        ...(expr.grouping ? [{ ...expr, grouping: undefined }] : []),
        ...smallerMetrics(expr.expr).map((inner) => ({ ...expr, expr: inner })),
      ]
    case 'range_aggregation': {
      const { range } = expr
      const { unwrap } = range
      return [
        ...(expr.grouping ? [{ ...expr, grouping: undefined }] : []),
        ...smallerLogs(range.log).map((log) => ({ ...expr, range: { ...range, log } })),
        ...(unwrap ? smallerStages(unwrap.filters) : []).map((filters) => ({
          ...expr,
          range: { ...range, unwrap: { ...unwrap!, filters } },
        })),
        ...(range.offsetNs === 0 ? [] : [{ ...expr, range: { ...range, offsetNs: 0 } }]),
      ]
    }
  }
}

export function describeFailure(
  { data, question, problem }: SmallestCase,
  { original, replay }: { readonly original: unknown; readonly replay: string },
): string {
  const plain = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? `${value}n` : value)
  const sources = data.sources.map(({ kind, entries }) =>
    [
      `  ${kind}, pages of ${data.pageRows} rows`,
      ...entries.map((entry) => `    ${JSON.stringify(entry, plain)}`),
    ].join('\n'),
  )
  return [
    'the read path and the reference differ',
    `query:    ${question.query}`,
    `question: ${JSON.stringify({ ...question, query: undefined }, plain)}`,
    `data:\n${sources.join('\n')}`,
    problem === undefined
      ? `problem:  only after the questions before it: ${messageOf(original)}`
      : `problem:  ${messageOf(problem)}`,
    `replay:   ${replay}`,
  ].join('\n')
}

function messageOf(problem: unknown): string {
  return problem instanceof Error ? problem.message : String(problem)
}
