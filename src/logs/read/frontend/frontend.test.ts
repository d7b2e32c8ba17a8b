import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { BadRequest } from '#/kernel/errors.ts'
import { limits as limitOptions } from '#/logs/limits.ts'
import { emptyStats } from '#/logs/read/querier/query-run.ts'
import type { Querier } from '#/logs/read/querier/querier.ts'
import type { InstantQuery, QueryAnswer, RangeQuery } from '#/logs/wire/query.ts'
import { defaultsOf } from '#/platform/config/option.ts'
import { FairQueue } from '#/platform/queue/fair-queue.ts'
import { realClock } from '#/platform/world/real-clock.ts'
import { Frontend } from './frontend.ts'

const never = new AbortController().signal
const rangeQuery: RangeQuery = {
  tenant: 'a',
  query: 'sum(rate({app="x"}[1m]))',
  startNs: 0n,
  endNs: 600_000_000_000n,
  stepNs: 60_000_000_000n,
  intervalNs: 0n,
  limit: 100,
  direction: 'backward',
}
const instantQuery: InstantQuery = { ...rangeQuery, timeNs: 600_000_000_000n }

/** A frontend whose queries wait until they are let go. */
function setUp() {
  const asked: { readonly kind: string; readonly signal: AbortSignal; readonly end: (error?: Error) => void }[] = []
  const run = (kind: string, signal: AbortSignal): Promise<QueryAnswer> => {
    const { promise, resolve, reject } = Promise.withResolvers<QueryAnswer>()
    const answer: QueryAnswer = { data: { kind: 'scalar', timeNs: 0n, value: 1 }, stats: emptyStats(), warnings: [] }
    asked.push({ kind, signal, end: (error) => (error === undefined ? resolve(answer) : reject(error)) })
    signal.addEventListener('abort', () => reject(signal.reason))
    return promise
  }
  const querier = {
    range: (_: unknown, signal: AbortSignal) => run('range', signal),
    instant: (_: unknown, signal: AbortSignal) => run('instant', signal),
  } as unknown as Querier
  let shared = 0
  const queue = new FairQueue({ maxConcurrent: 16, maxWaitingPerTenant: 8 })
  const limits = { ...defaultsOf(limitOptions), query_timeout: 0, max_query_length: 0, max_query_lookback: 0 }
  let generation = 0
  const frontend = new Frontend({
    querier,
    queue,
    limitsOf: () => limits,
    clock: realClock,
    generation: () => generation,
    onShared: () => shared++,
  })
  return { frontend, asked, shared: () => shared, queue, hide: () => generation++ }
}

describe('Frontend', () => {
  it('runs a query once for all who ask it at the same time', async () => {
    const { frontend, asked, shared, queue } = setUp()
    const answers = [
      frontend.range(rangeQuery, never),
      frontend.range({ ...rangeQuery, query: ' sum ( rate({app=`x`} [60s]) )' }, never),
      frontend.range({ ...rangeQuery }, never),
      frontend.instant(instantQuery, never),
      frontend.instant(instantQuery, never),
    ]
    assert.deepEqual(
      asked.map(({ kind }) => kind),
      ['range', 'instant'],
    )
    assert.deepEqual([shared(), queue.running], [3, 2], 'those who wait for another take no place in the queue')
    for (const { end } of asked) end()
    const [first, second, third] = await Promise.all(answers)
    assert.equal(first, second)
    assert.equal(first, third)
  })

  it('runs a query again that is asked behind a delete request', async () => {
    const { frontend, asked, shared, hide } = setUp()
    const before = frontend.range(rangeQuery, never)
    hide()
    const behind = frontend.range(rangeQuery, never)
    assert.deepEqual([asked.length, shared()], [2, 0])
    for (const { end } of asked) end()
    assert.notEqual(await before, await behind)
  })

  it('runs what differs in anything', async () => {
    const { frontend, asked, shared } = setUp()
    const others: Partial<RangeQuery>[] = [
      {},
      { tenant: 'b' },
      { query: 'sum(rate({app="y"}[1m]))' },
      { startNs: 1n },
      { endNs: 700_000_000_000n },
      { stepNs: 1_000_000_000n },
      { limit: 99 },
      { direction: 'forward' },
      { noCache: true },
      { noCache: true },
    ]
    const answers = others.map((other) => frontend.range({ ...rangeQuery, ...other }, never))
    assert.deepEqual([asked.length, shared()], [others.length, 0])
    for (const { end } of asked) end()
    await Promise.all(answers)
  })

  it('gives all of them the error, and asks anew afterwards', async () => {
    const { frontend, asked } = setUp()
    const answers = [frontend.range(rangeQuery, never), frontend.range(rangeQuery, never)]
    asked[0]!.end(new BadRequest('too much'))
    for (const answer of answers) await assert.rejects(answer, /too much/)
    const later = frontend.range(rangeQuery, never)
    assert.equal(asked.length, 2)
    asked[1]!.end()
    await later
  })

  it('ends a run when nobody waits for it any more', async () => {
    const { frontend, asked, queue } = setUp()
    const [one, other] = [new AbortController(), new AbortController()]
    const answers = [frontend.range(rangeQuery, one.signal), frontend.range(rangeQuery, other.signal)]
    one.abort()
    await assert.rejects(answers[0]!)
    assert.equal(asked[0]!.signal.aborted, false)
    other.abort()
    await assert.rejects(answers[1]!)
    assert.equal(asked[0]!.signal.aborted, true)
    assert.equal(queue.running, 0)
  })
})
