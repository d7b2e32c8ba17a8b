/** Asks the read path and the reference the same question. */
import assert from 'node:assert/strict'
import { EddaError } from '#/kernel/errors.ts'
import { parseExpr, type Query } from '#/logs/logql/parser/parse-expr.ts'
import type { QueryData, QueryStats } from '#/logs/wire/query.ts'
import { checkLogs } from './check-logs.ts'
import { checkOrder, checkVector, type FoundSample } from './check-samples.ts'
import { referenceVectors } from './evaluate/metric-query.ts'
import { ReferenceFailure, Undecided } from './evaluate/outcome.ts'
import type { Vector } from './evaluate/samples.ts'
import type { InstantQuestion, LogQuestion, Question, RangeQuestion } from './question.ts'
import type { World } from './world.ts'

export type Outcome = 'empty' | 'rows' | 'samples' | ReferenceFailure['reason'] | 'undecided'

const signal = new AbortController().signal
const messages: Readonly<Record<ReferenceFailure['reason'], RegExp>> = {
  'pipeline error': /^pipeline error: '\w+' for series: '\{.*\}'\.\n/s,
  'instant only': /^count min sketches are only supported on instant queries$/,
  matching: /^(found duplicate series on the (left|right) hand-side|multiple matches for labels)/,
}

/** How the question was answered. @throws when the answers differ. */
export async function checkQuestion(world: World, question: Question): Promise<Outcome> {
  return question.kind === 'log' ? checkLogQuestion(world, question) : checkMetricQuestion(world, question)
}

async function checkLogQuestion({ querier, entries, answers }: World, question: LogQuestion): Promise<Outcome> {
  const request = { ...parsed(question.query), ...question, tenant: 'test', stepNs: 1_000_000_000n }
  const { expr } = request
  assert(expr.kind === 'log')
  const { data, stats } = await querier.range(request, signal)
  countAnswer(answers, stats)
  assert(data.kind === 'streams')
  return checkLogs(data.streams, { expr, entries, question })
}

function countAnswer(answers: World['answers'], { pagesByFilter }: QueryStats): void {
  answers.total++
  if (pagesByFilter > 0) answers.pruned++
}

function parsed(query: string): { readonly query: string; readonly expr: Query; readonly maxSeries: number } {
  return { query, expr: parseExpr(query), maxSeries: 0 }
}

async function checkMetricQuestion(
  { querier, entries, answers }: World,
  question: RangeQuestion | InstantQuestion,
): Promise<Outcome> {
  const request = { ...parsed(question.query), tenant: 'test', limit: 100, direction: 'backward' as const }
  const { expr } = request
  assert(expr.kind !== 'log')
  const times = evaluationTimes(question)
  const [startNs, endNs] = [times[0]!, times.at(-1)!]
  const ask = async (): Promise<QueryData> => {
    const { data, stats } =
      question.kind === 'instant'
        ? await querier.instant({ ...request, timeNs: question.timeNs }, signal)
        : await querier.range({ ...request, startNs, endNs, stepNs: question.stepNs, intervalNs: 0n }, signal)
    countAnswer(answers, stats)
    return data
  }
  let expected: readonly Vector[]
  try {
    expected = referenceVectors(expr, entries, { times, kind: question.kind })
  } catch (error) {
    if (error instanceof Undecided) return answeredSomehow(ask)
    if (!(error instanceof ReferenceFailure)) throw error
    await assert.rejects(
      ask(),
      (problem) => problem instanceof EddaError && messages[error.reason].test(problem.message),
    )
    return error.reason
  }
  const data = await ask()
  for (const [step, vector] of expected.entries()) checkVector(samplesAt(data, step), vector, expr)
  if (data.kind === 'vector') checkOrder(data.samples, question.query, expr)
  return expected.some((vector) => vector.length > 0) ? 'samples' : 'empty'
}

/** Where the language leaves the answer open, the query must still end in one that it could be. */
async function answeredSomehow(ask: () => Promise<QueryData>): Promise<Outcome> {
  try {
    await ask()
  } catch (error) {
    const isAllowed =
      error instanceof EddaError && Object.values(messages).some((message) => message.test(error.message))
    if (!isAllowed) throw error
  }
  return 'undecided'
}

function evaluationTimes(question: RangeQuestion | InstantQuestion): bigint[] {
  if (question.kind === 'instant') return [question.timeNs]
  return Array.from({ length: question.stepCount }, (_, step) => question.startNs + BigInt(step) * question.stepNs)
}

function samplesAt(data: QueryData, step: number): readonly FoundSample[] {
  if (data.kind === 'vector') return data.samples
  if (data.kind === 'scalar') return [{ labels: [], value: data.value }]
  assert(data.kind === 'matrix')
  return data.series
    .filter(({ present }) => present[step] === 1)
    .map(({ labels, values }) => ({ labels, value: values[step]! }))
}
