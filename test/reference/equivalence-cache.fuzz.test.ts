/**
 * What is kept of blocks must change no answer: random questions over random data, each asked again, with its times moved by some
 * steps, with more or fewer of them, from the same querier, and compared with the reference each time.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Querier } from '#/logs/read/querier/querier.ts'
import type { QueryAnswer } from '#/logs/wire/query.ts'
import { enableLinearRegex } from '#/platform/regex/linear.ts'
import { campaignSeed } from './campaign.ts'
import { Chance } from './chance.ts'
import { checkQuestion } from './check-question.ts'
import { randomQuestion, type Question } from './question.ts'
import { randomDataSet } from './random-data.ts'
import { buildWorld } from './world.ts'

const dataSets = 8
const questionsPerDataSet = 15
const timesEach = 5

test('answers stay the same when results of blocks are kept', async (t) => {
  enableLinearRegex()
  const found = { samples: 0, pages: 0 }
  for (let number = 0; number < dataSets; number++) {
    const chance = new Chance(campaignSeed + number * 104_729)
    const data = randomDataSet(chance, number % 3 === 0 ? ['block', 'head'] : ['block'])
    const world = await buildWorld(data)
    const counting = { ...world, querier: countingQuerier(world.querier, found) }
    for (let i = 0; i < questionsPerDataSet; i++) {
      let question = randomQuestion(chance, data)
      for (let n = 0; n < timesEach; n++) {
        try {
          await checkQuestion(counting, question)
        } catch (error) {
          throw new Error(`SEED=${campaignSeed}, data set ${number}: ${describe(question)}`, { cause: error })
        }
        question = moved(chance, question)
      }
    }
  }
  t.diagnostic(`results of ${found.samples} blocks were known, and pages of ${found.pages}`)
  assert(found.samples > 50 && found.pages > 0, 'results of blocks are used')
})

function moved(chance: Chance, question: Question): Question {
  if (chance.is(0.3)) return question
  switch (question.kind) {
    case 'log': {
      const shift = BigInt(chance.pick([-3, -1, 0, 0, 1, 100])) * 1_000_000_000n
      const limit = chance.is(0.5) ? question.limit : chance.pick([1, 3, 1000])
      const direction = chance.pick(['forward', 'backward'] as const)
      return { ...question, startNs: question.startNs + shift, endNs: question.endNs + shift, limit, direction }
    }
    case 'range': {
      const { startNs, stepNs, stepCount } = question
      const shift = BigInt(chance.pick([-3, -1, 1, 2, 10]))
      return { ...question, startNs: startNs + shift * stepNs, stepCount: Math.max(1, stepCount + chance.int(-2, 6)) }
    }
    case 'instant':
      return { ...question, timeNs: question.timeNs + BigInt(chance.pick([-1, 1, 5])) * 1_000_000_000n }
  }
}

function countingQuerier(querier: Querier, found: { samples: number; pages: number }): Querier {
  const counted = async (asked: Promise<QueryAnswer>): Promise<QueryAnswer> => {
    const answer = await asked
    found.samples += answer.stats.knownSamples.found
    found.pages += answer.stats.knownPages.found
    return answer
  }
  return {
    range: (...asked: Parameters<Querier['range']>) => counted(querier.range(...asked)),
    instant: (...asked: Parameters<Querier['instant']>) => counted(querier.instant(...asked)),
  } as Querier
}

function describe(question: Question): string {
  return JSON.stringify(question, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value))
}
