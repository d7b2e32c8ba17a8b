import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'

import fc from 'fast-check'

import { BadRequest } from '#/kernel/errors.ts'
import { FairQueue } from './fair-queue.ts'

/** A request that tells when it starts and ends when it is told. */
function job(started: string[], name: string): { run: () => Promise<string>; end: () => void } {
  const { promise, resolve } = Promise.withResolvers<string>()
  return {
    run: () => {
      started.push(name)
      return promise
    },
    end: () => resolve(name),
  }
}

/** Lets one holder block the queue, queues `requests` behind it, and tells the order in which they run one by one. */
async function orderOf(requests: readonly { tenant: string; weight: number; name: string }[]): Promise<string[]> {
  const queue = new FairQueue({ maxConcurrent: 1, maxWaitingPerTenant: 1000 })
  const started: string[] = []
  const holder = job([], '')
  const all = [queue.enqueue('holder', 1, holder.run)]
  for (const { tenant, weight, name } of requests) {
    all.push(
      queue.enqueue(tenant, weight, async () => {
        started.push(name)
        return name
      }),
    )
  }
  holder.end()
  await Promise.all(all)
  return started
}

describe('FairQueue', () => {
  it('runs at most maxConcurrent and gives back what the request gives', async () => {
    const queue = new FairQueue({ maxConcurrent: 2, maxWaitingPerTenant: 10 })
    const started: string[] = []
    const jobs = ['1', '2', '3'].map((name) => job(started, name))
    const results = jobs.map((one) => queue.enqueue('a', 1, one.run))
    assert.deepEqual(started, ['1', '2'])
    assert.equal(queue.running, 2)
    assert.equal(queue.waiting('a'), 1)
    jobs[0]!.end()
    assert.equal(await results[0], '1')
    await turn()
    assert.deepEqual(started, ['1', '2', '3'])
    jobs[1]!.end()
    jobs[2]!.end()
    assert.deepEqual(await Promise.all(results), ['1', '2', '3'])
    assert.equal(queue.running, 0)
  })

  it('passes errors on and goes on', async () => {
    const queue = new FairQueue({ maxConcurrent: 1, maxWaitingPerTenant: 10 })
    const bad = new BadRequest('bad')
    await assert.rejects(
      queue.enqueue('a', 1, () => Promise.reject(bad)),
      bad,
    )
    await assert.rejects(
      queue.enqueue('a', 1, () => {
        throw bad
      }),
      bad,
    )
    assert.equal(await queue.enqueue('a', 1, async () => 'fine'), 'fine')
  })

  it('takes turns between tenants, in order within one', async () => {
    const request = (tenant: string, count: number): { tenant: string; weight: number; name: string }[] =>
      Array.from({ length: count }, (_, index) => ({ tenant, weight: 10, name: `${tenant}${index}` }))
    const order = await orderOf([...request('a', 4), ...request('b', 2), ...request('c', 1)])
    assert.deepEqual(order, ['a0', 'b0', 'c0', 'a1', 'b1', 'a2', 'a3'])
  })

  it('weighs: ten small requests run for one large of another tenant', async () => {
    const large = [0, 1].map((index) => ({ tenant: 'large', weight: 100, name: `L${index}` }))
    const small = Array.from({ length: 12 }, () => ({ tenant: 'small', weight: 10, name: 's' }))
    const order = await orderOf([...large, ...small])
    assert.equal(order.indexOf('L0'), 0)
    assert.equal(order.indexOf('L1'), 11)
  })

  it('refuses beyond the limit of one tenant, not of others', async () => {
    const refused: string[] = []
    const lengths: number[] = []
    const queue = new FairQueue({
      maxConcurrent: 1,
      maxWaitingPerTenant: 2,
      observer: { waiting: (_, count) => void lengths.push(count), refused: (tenant) => void refused.push(tenant) },
    })
    const holder = job([], '')
    const running = queue.enqueue('a', 1, holder.run)
    const waiting = [queue.enqueue('a', 1, async () => 1), queue.enqueue('a', 1, async () => 2)]
    await assert.rejects(
      queue.enqueue('a', 1, async () => 3),
      { code: 'limit_exceeded', message: 'too many outstanding requests' },
    )
    const other = queue.enqueue('b', 1, async () => 4)
    holder.end()
    await Promise.all([running, other, ...waiting])
    assert.deepEqual(refused, ['a'])
    assert.deepEqual(lengths, [1, 0, 1, 2, 1, 0, 1, 0])
  })

  it('forgets a waiting request that is aborted, and never runs it', async () => {
    const queue = new FairQueue({ maxConcurrent: 1, maxWaitingPerTenant: 1 })
    const holder = job([], '')
    const running = queue.enqueue('a', 1, holder.run)
    const stop = new AbortController()
    const aborted = queue.enqueue('a', 1, () => assert.fail('it must not run'), stop.signal)
    stop.abort()
    await assert.rejects(aborted, { code: 'cancelled' })
    assert.equal(queue.waiting('a'), 0)
    const next = queue.enqueue('a', 1, async () => 'next')
    holder.end()
    assert.equal(await next, 'next')
    await running
    await assert.rejects(
      queue.enqueue('a', 1, () => assert.fail('it must not run'), stop.signal),
      { code: 'cancelled' },
    )
  })

  it('serves everyone exactly once whatever comes (property)', async () => {
    const requests = fc.array(
      fc.record({ tenant: fc.constantFrom('a', 'b', 'c'), weight: fc.integer({ min: 0, max: 1000 }) }),
      { maxLength: 60 },
    )
    await fc.assert(
      fc.asyncProperty(requests, async (list) => {
        const named = list.map((one, index) => ({ ...one, name: String(index) }))
        const order = await orderOf(named)
        assert.deepEqual(
          order.map(Number).toSorted((a, b) => a - b),
          named.map((_, index) => index),
        )
        for (const tenant of ['a', 'b', 'c']) {
          const own = order.filter((name) => list[Number(name)]?.tenant === tenant).map(Number)
          assert.deepEqual(
            own,
            own.toSorted((a, b) => a - b),
            `order of ${tenant}`,
          )
        }
      }),
      { numRuns: 100 },
    )
  })
})
