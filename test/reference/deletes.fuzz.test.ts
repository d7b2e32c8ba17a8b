/**
 * Random delete requests over random data: what queries then see is what a reference sees from which the deleted entries were taken,
 * over heads, blocks and mixtures of both; and what indexes answer is what they answer where the entries never were.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { rowEraser } from '#/logs/compactor/deletes/row-eraser.ts'
import { parseExpr } from '#/logs/logql/parser/parse-expr.ts'
import { rowQuery } from '#/logs/logql/planner/row-query.ts'
import { absoluteNs, clipToDay, dayOf } from '#/logs/model/day.ts'
import { decodeBlockPage } from '#/logs/store/block-page.ts'
import { openLogBlock } from '#/logs/store/open-log-block.ts'
import type { HiddenRows } from '#/logs/wire/deletes.ts'
import { MemoryStore } from '#/platform/objstore/memory.ts'
import { enableLinearRegex } from '#/platform/regex/linear.ts'
import { realClock } from '#/platform/world/real-clock.ts'
import { campaignSeed } from './campaign.ts'
import { Chance } from './chance.ts'
import { checkQuestion } from './check-question.ts'
import { referenceRows } from './evaluate/log-query.ts'
import { randomQuestion } from './question.ts'
import { BASE_NS, randomDataSet, SECOND, type DataSet, type Source } from './random-data.ts'
import { LogWriter } from './random-log.ts'
import { makeHeads, writeBlock, type Entry } from './sources.ts'
import { buildWorld, type World } from './world.ts'

const DATA_SETS = Number(process.env['DATA_SETS'] ?? 15)
const QUESTIONS = 25
const signal = new AbortController().signal

type Deleting = { readonly request: HiddenRows; readonly means: (entry: Entry) => boolean }

/** A request that the reference can decide about; undefined when chance made one that neither could. */
function randomDelete(chance: Chance, data: DataSet, id: number): Deleting | undefined {
  const query = chance.is(0.4) ? new LogWriter(chance, data).selector() : new LogWriter(chance, data).query(false)
  const startNs = BASE_NS + BigInt(chance.pick([-200_000, -1, 0, 2, 5, 9])) * SECOND
  const endNs = startNs + BigInt(chance.pick([1, 4, 10, 300_000])) * SECOND + 1n
  const expr = parseExpr(query)
  assert(expr.kind === 'log')
  try {
    rowQuery(query)
    for (const { entries } of data.sources) for (const entry of entries) referenceRows(expr, [entry])
  } catch {
    return undefined
  }
  const request = { id: String(id), query, startNs, endNs, isErasedFrom: () => false }
  const means = (entry: Entry): boolean =>
    entry.timeNs >= startNs && entry.timeNs < endNs && referenceRows(expr, [entry]).length > 0
  return { request, means }
}

function randomDeletes(chance: Chance, data: DataSet): readonly Deleting[] {
  const wanted = chance.int(1, 3)
  const found: Deleting[] = []
  for (let i = 0; i < 20 && found.length < wanted; i++) {
    const one = randomDelete(chance, data, i)
    if (one !== undefined) found.push(one)
  }
  return found
}

async function checkDataSet(number: number, kinds: readonly Source['kind'][]): Promise<number> {
  const chance = new Chance(campaignSeed + number * 6007)
  const data = randomDataSet(chance, kinds)
  const deletes = randomDeletes(chance, data)
  const isLeft = (entry: Entry): boolean => !deletes.some(({ means }) => means(entry))
  const requests = deletes.map(({ request }) => request)
  const masked = await buildWorld(data, { hiddenRows: () => requests })
  const entries = masked.entries.filter(isLeft)
  const context = `SEED=${campaignSeed} data set ${number}: ${requests.map(({ query }) => query).join('; ')}`
  for (let i = 0; i < QUESTIONS; i++) {
    const question = randomQuestion(chance, data)
    try {
      await checkQuestion({ ...masked, entries }, question)
    } catch (error) {
      throw new Error(`${context}\nasked ${question.query}`, { cause: error })
    }
  }
  const left = data.sources.map(({ kind, entries: own }) => ({ kind, entries: own.filter(isLeft) }))
  const erased = await buildWorld({ ...data, sources: left.filter((source) => source.entries.length > 0) })
  assert.deepEqual(await indexAnswers(masked), await indexAnswers(erased), context)
  for (const { entries: own } of data.sources) await checkErasers(own, deletes, context)
  return masked.entries.length - entries.length
}

/** Over the whole time, so that no run is cut at its ends. */
async function indexAnswers({ querier }: World): Promise<unknown> {
  const range = { tenant: 'test', startNs: BASE_NS - 300_000n * SECOND, endNs: BASE_NS + 400_000n * SECOND }
  const query = { ...range, selectors: [] }
  const volume = { ...query, limit: 1000, targetLabels: [], aggregateBy: 'series' as const, maxSeries: 0 }
  const { bytes, entries, streams } = await querier.indexStats(query, signal)
  const perHour = await querier.volume({ ...volume, stepNs: 70n * SECOND }, signal)
  const bySecond = perHour.volumes.map(({ labels, samples }) => [
    labels,
    samples.reduce((sum, one) => sum + one.bytes, 0),
  ])
  return {
    stats: { bytes, entries, streams },
    series: await querier.series(query, signal),
    names: await querier.labelNames(query, signal),
    apps: await querier.labelValues('app', query, signal),
    whole: (await querier.volume({ ...volume, stepNs: 0n }, signal)).volumes,
    sums: bySecond.map((one) => JSON.stringify(one)).toSorted(),
    patternLines: (await querier.patterns({ ...query, stepNs: 10n * SECOND }, signal)).reduce(
      (sum, { samples }) => sum + samples.reduce((all, { lines }) => all + lines, 0),
      0,
    ),
  }
}

/** Merges take out of a block exactly what the requests mean. */
async function checkErasers(entries: readonly Entry[], deletes: readonly Deleting[], context: string): Promise<void> {
  const store = new MemoryStore(realClock)
  for (const head of makeHeads('e', entries, 1000)) {
    const meta = await writeBlock(store, head, { tenant: 'test', sequence: 1, pageRows: 7 })
    const block = await openLogBlock(store, meta)
    const erasers = deletes.map(({ request }) => rowEraser({ ...request, ...clipToDay(request, head.day) }))
    const opened = erasers.map((eraser) => eraser.open(block.streams.coded()))
    const columns = { lengths: true, lines: true, meta: 'all' as const }
    const left: string[] = []
    for (const bytes of await block.readPages([...block.pages.keys()], columns, undefined)) {
      const page = decodeBlockPage(bytes)
      const flags = new Uint8Array(page.rowCount)
      for (const one of opened) one?.eraseRows(page, flags)
      for (let row = 0; row < page.rowCount; row++) {
        const line = page.lines.toString('utf8', page.lineStart[row]!, page.lineStart[row + 1]!)
        const key = [block.streams.text(page.stream[row]!), absoluteNs(head.day, page.time[row]!), line]
        if (flags[row] === 0) left.push(key.join(' '))
      }
      page.release()
    }
    const expected = entries
      .filter((entry) => dayOf(entry.timeNs) === head.day && !deletes.some(({ means }) => means(entry)))
      .map(({ stream, timeNs, line }) => [stream, timeNs, line].join(' '))
    assert.deepEqual(left.toSorted(), expected.toSorted(), `${context}: erased`)
  }
}

for (const kinds of [['head'], ['block'], ['head', 'block']] as const) {
  test(`deleted entries of ${kinds.join(' and ')} are seen nowhere (seed ${campaignSeed})`, async (t) => {
    enableLinearRegex()
    let deleted = 0
    for (let number = 0; number < DATA_SETS; number++) deleted += await checkDataSet(number, kinds)
    t.diagnostic(`${deleted} entries deleted`)
    assert(deleted > DATA_SETS)
  })
}
