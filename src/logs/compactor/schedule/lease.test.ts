import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { StoreLeases } from './lease.ts'
import { MemoryStore } from '#/platform/objstore/memory.ts'

/** Time goes on when somebody sleeps; everybody who sleeps until then wakes in the order of time. */
class Hands {
  nowMs = 1000
  readonly #sleepers: { readonly atMs: number; readonly wake: () => void }[] = []

  sleep(ms: number): Promise<void> {
    return new Promise((wake) => this.#sleepers.push({ atMs: this.nowMs + ms, wake }))
  }

  async advance(ms: number): Promise<void> {
    const endMs = this.nowMs + ms
    for (;;) {
      for (let i = 0; i < 50; i++) await Promise.resolve()
      this.#sleepers.sort((a, b) => a.atMs - b.atMs)
      if (this.#sleepers[0] === undefined || this.#sleepers[0].atMs > endMs) break
      const next = this.#sleepers.shift()!
      this.nowMs = next.atMs
      next.wake()
    }
    this.nowMs = endMs
  }
}

function holders(): { readonly hands: Hands; readonly one: StoreLeases; readonly two: StoreLeases } {
  const hands = new Hands()
  const clock = { nowMs: () => hands.nowMs, sleep: (ms: number) => hands.sleep(ms) }
  const store = new MemoryStore(clock as unknown as ConstructorParameters<typeof MemoryStore>[0])
  const make = (holder: string): StoreLeases => new StoreLeases({ store, clock, holder, ttlMs: 60_000, settleMs: 1000 })
  return { hands, one: make('one'), two: make('two') }
}

async function settled<T>(hands: Hands, promise: Promise<T>): Promise<T> {
  await hands.advance(1000)
  return promise
}

describe('leases in an object store', () => {
  it('go to one of two that ask at the same time', async () => {
    const { hands, one, two } = holders()
    const both = Promise.all([one.acquire('a'), two.acquire('a')])
    assert.equal((await settled(hands, both)).filter(Boolean).length, 1)
  })

  it('stay with their holder as long as it asks, and are anybody else’s when it has gone', async () => {
    const { hands, one, two } = holders()
    assert.equal(await settled(hands, one.acquire('a')), true)
    for (let i = 0; i < 5; i++) {
      await hands.advance(40_000)
      assert.equal(await settled(hands, one.acquire('a')), true, 'renewed')
      assert.equal(await settled(hands, two.acquire('a')), false)
    }
    await hands.advance(59_000)
    assert.equal(await settled(hands, two.acquire('a')), true, 'expired')
    assert.equal(await settled(hands, one.acquire('a')), false)
  })

  it('are of one tenant, and can be given back', async () => {
    const { hands, one, two } = holders()
    assert.equal(await settled(hands, one.acquire('a')), true)
    assert.equal(await settled(hands, two.acquire('b')), true)
    await two.release('a')
    assert.equal(await settled(hands, two.acquire('a')), false, 'only by the holder')
    await one.release('a')
    assert.equal(await settled(hands, two.acquire('a')), true)
  })
})
