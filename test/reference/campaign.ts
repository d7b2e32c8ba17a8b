/**
 * Many random questions over many random data sets, each put to the read path and to the reference. The same seed asks the same.
 * A failure names the seed and the data set, which are asked again by themselves with
 *
 *     SEED=7 DATA_SET=12 node --test test/reference/equivalence-heads.fuzz.test.ts
 *
 * `QUESTIONS` sets how many questions each of these files asks.
 */
import assert from 'node:assert/strict'
import { parseExpr } from '#/logs/logql/parser/parse-expr.ts'
import { enableLinearRegex } from '#/platform/regex/linear.ts'
import { Chance } from './chance.ts'
import { checkQuestion, type Outcome } from './check-question.ts'
import { Coverage, everything } from './coverage.ts'
import { randomQuestion } from './question.ts'
import { randomDataSet, type Source } from './random-data.ts'
import { describeFailure, shrink } from './shrink.ts'
import { buildWorld } from './world.ts'
import { testSeed } from '#/kernel/fixture/test-seed.ts'

const questionsPerDataSet = 75
/** Share of the answers that must have something in them, and of those that the language may leave open. */
const leastFound = 0.4
const mostUndecided = 0.04
/** Share of the answers from blocks for which pages must have been left out. */
const leastPruned = 0.06
/** Share of the pages of blocks whose lines must be stored without what varies in them. */
const leastCut = 0.05
const outcomes: readonly Outcome[] = [
  'empty',
  'rows',
  'samples',
  'pipeline error',
  'matching',
  'instant only',
  'undecided',
]
/** Below so many questions chance may miss a function. */
const enoughForEverything = 5000

const fromEnv = (name: string): number | undefined => {
  const text = process.env[name]
  return text === undefined ? undefined : Number(text)
}

export const campaignSeed = testSeed

/** @throws AssertionError with the smallest question and data found that show a difference, or when too little was reached. */
export async function runCampaign(
  kinds: readonly Source['kind'][],
  defaultQuestions: number,
  { isMerged = false }: { readonly isMerged?: boolean } = {},
): Promise<string> {
  enableLinearRegex()
  const questions = fromEnv('QUESTIONS') ?? defaultQuestions
  const only = fromEnv('DATA_SET')
  const coverage = new Coverage()
  const dataSets =
    only === undefined ? Array.from({ length: Math.ceil(questions / questionsPerDataSet) }).keys() : [only]
  const answers = { total: 0, pruned: 0 }
  const pages = { total: 0, cut: 0 }
  for (const number of dataSets) await askAll(kinds, number, { coverage, answers, pages, isMerged })
  const count = (outcome: Outcome): number => coverage.counts.get(`outcome ${outcome}`) ?? 0
  const asked = outcomes.reduce((sum, outcome) => sum + count(outcome), 0)
  if (asked >= enoughForEverything) {
    assert.deepEqual(
      coverage.missing([...everything(), ...outcomes.map((one) => `outcome ${one}`)]),
      [],
      'never reached',
    )
    const found = count('rows') + count('samples')
    assert(found >= leastFound * asked, `only ${found} of ${asked} answers had something in them`)
    if (kinds.includes('block'))
      assert(answers.pruned >= leastPruned * answers.total, `only ${answers.pruned} were pruned`)
    assert(pages.cut >= leastCut * pages.total, `only ${pages.cut} of ${pages.total} pages were cut`)
    assert(count('undecided') <= mostUndecided * asked, `${count('undecided')} of ${asked} answers were left open`)
  }
  const parts = outcomes.map((outcome) => `${count(outcome)} ${outcome}`).join(', ')
  return `${asked} questions: ${parts}; pages left out for ${answers.pruned} of ${answers.total} answers; ${pages.cut} of ${pages.total} pages cut`
}

type Counts = {
  readonly coverage: Coverage
  readonly answers: { total: number; pruned: number }
  readonly pages: { total: number; cut: number }
  readonly isMerged: boolean
}

async function askAll(
  kinds: readonly Source['kind'][],
  dataSet: number,
  { coverage, answers, pages, isMerged }: Counts,
): Promise<void> {
  const chance = new Chance(campaignSeed + dataSet * 7919)
  const data = { ...randomDataSet(chance, kinds), isMerged }
  const world = await buildWorld(data)
  for (let i = 0; i < questionsPerDataSet; i++) {
    const question = randomQuestion(chance, data)
    coverage.countQuery(parseExpr(question.query))
    try {
      coverage.count(`outcome ${await checkQuestion(world, question)}`)
    } catch (error) {
      const smallest = await shrink({ data, question })
      assert.fail(describeFailure(smallest, { original: error, replay: `SEED=${campaignSeed} DATA_SET=${dataSet}` }))
    }
  }
  answers.total += world.answers.total
  answers.pruned += world.answers.pruned
  pages.total += world.pages.total
  pages.cut += world.pages.cut
}
