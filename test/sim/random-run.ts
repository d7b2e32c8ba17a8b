/**
 * One random life of an ingester: pushes of two tenants, repeats, late entries, flushes, time that passes, a disk that fills up,
 * fails, or loses power, and restarts, some of which fail themselves. After each restart and at the end every acknowledged entry is
 * there, and once.
 */
import assert from 'node:assert/strict'

import type { PlainEntry } from '#/logs/wire/entry-batch-builder.ts'
import { IngesterHarness } from './ingester-harness.ts'
import { plainRow } from './read-rows.ts'
import { settle } from './world/sim-clock.ts'
import { faultKinds } from './world/sim-disk.ts'
import { SimRandom } from './world/sim-random.ts'

const STEPS = 60
const noon = BigInt(Date.UTC(2026, 0, 15, 12)) * 1_000_000n
const tenants = ['a', 'b']

/** What clients know of a tenant's entries. */
type Ledger = { readonly acknowledged: Set<string>; readonly tried: Set<string>; readonly repeated: Set<string> }

/** Returns the number of disk operations. @throws AssertionError. */
export async function runRandomly(seed: number): Promise<number> {
  const life = new Life(seed)
  try {
    return await life.run()
  } catch (error) {
    throw new Error(`after: ${life.story.slice(-30).join(', ')}`, { cause: error })
  }
}

class Life {
  readonly story: string[] = []
  readonly #random: SimRandom
  readonly #harness: IngesterHarness
  readonly #ledgers = new Map<string, Ledger>(
    tenants.map((tenant) => [tenant, { acknowledged: new Set(), tried: new Set(), repeated: new Set() }]),
  )
  #written = 0

  constructor(seed: number) {
    this.#random = new SimRandom(seed)
    this.#harness = new IngesterHarness(seed, {
      flushBytes: 30_000 + this.#random.below(100_000),
      memoryBytes: 1_000_000,
      wal: {
        segmentBytes: 1000 + this.#random.below(20_000),
        sync: this.#random.pick(['commit', 'commit', 'interval', 'never']),
      },
    })
  }

  /** With another sync mode than `commit` only the process may end, not the machine. */
  get #survivesPowerLoss(): boolean {
    return this.#harness.walSync === 'commit'
  }

  async run(): Promise<number> {
    await this.#harness.start()
    for (let step = 0; step < STEPS; step++) {
      await this.#step()
      if (this.#harness.world.disk.isDead) await this.#restart()
    }
    await this.#restart()
    return this.#harness.world.disk.operations
  }

  async #step(): Promise<void> {
    const random = this.#random
    const { disk, clock } = this.#harness.world
    const roll = random.below(100)
    if (roll < 60) return this.#pushes()
    if (roll < 72) return this.#note('flush', this.#harness.ingester.flush(random.pick(['a', 'b', undefined])))
    if (roll < 82) return this.#note('time', clock.advance(random.below(200_000)))
    if (roll < 90) {
      const isKill = !this.#survivesPowerLoss
      const kind = isKill ? random.pick(['EIO', 'ENOSPC'] as const) : random.pick(faultKinds)
      this.story.push(`${kind} set`)
      disk.failAt(disk.operations + random.below(60), kind)
      return
    }
    if (roll < 94) {
      this.story.push('disk full')
      disk.capacityBytes = disk.usedBytes + random.below(5000)
      await this.#pushes()
      disk.capacityBytes = Number.MAX_SAFE_INTEGER
      return this.#note('room again', clock.advance(1000))
    }
    return this.#restart()
  }

  async #note(what: string, done: Promise<void>): Promise<void> {
    this.story.push(what)
    await done.catch(() => undefined)
  }

  async #pushes(): Promise<void> {
    const count = 1 + this.#random.below(4)
    await Promise.all(Array.from({ length: count }, () => this.#push()))
    if (this.#random.chance(0.3)) await settle()
  }

  async #push(): Promise<void> {
    const tenant = this.#random.pick(tenants)
    const ledger = this.#ledgers.get(tenant)!
    const entries = Array.from({ length: 1 + this.#random.below(8) }, () => this.#entry())
    for (const one of entries) ledger.tried.add(plainRow(one))
    for (let attempt = 0; attempt < 3; attempt++) {
      try {
        await this.#harness.push(entries, tenant)
        this.story.push(`push ${tenant} ${entries.length}`)
        for (const one of entries) ledger.acknowledged.add(plainRow(one))
        return
      } catch {
        this.story.push(`push ${tenant} refused`)
        // whoever sends again after a refusal may find that the first attempt was stored and flushed meanwhile
        for (const one of entries) ledger.repeated.add(plainRow(one))
        if (this.#harness.world.disk.isDead) return
        await this.#harness.world.clock.advance(1000)
      }
    }
  }

  #entry(): PlainEntry {
    const random = this.#random
    const day = random.chance(0.1) ? -BigInt(random.below(3)) * 86_400_000_000_000n : 0n
    return {
      stream: `{app="${random.below(5)}"}`,
      timeNs: noon + day + BigInt(random.below(1000)),
      line: `${this.#written++} `.padEnd(random.below(random.chance(0.05) ? 20_000 : 300), '.'),
      ...(random.chance(0.3) && { metadata: { [`k${random.below(4)}`]: String(random.below(3)) } }),
    }
  }

  async #restart(): Promise<void> {
    const { disk, clock } = this.#harness.world
    this.story.push('restart')
    for (let attempt = 0; ; attempt++) {
      clock.clear()
      if (this.#survivesPowerLoss) disk.crash()
      else disk.kill()
      if (attempt < 2 && this.#random.chance(0.2)) {
        disk.failAt(disk.operations + this.#random.below(40), this.#survivesPowerLoss ? 'torn' : 'EIO')
      }
      try {
        await this.#harness.start()
        break
      } catch (error) {
        this.story.push('start failed')
        if (attempt >= 2) throw error
      }
    }
    disk.heal()
    await this.#check()
  }

  async #check(): Promise<void> {
    for (const [tenant, { acknowledged, tried, repeated }] of this.#ledgers) {
      const found = await this.#harness.rows(tenant)
      const seen = new Set<string>()
      for (const row of found) {
        assert.ok(tried.has(row), `tenant ${tenant} has a row that nobody sent: ${row}`)
        assert.ok(!seen.has(row) || repeated.has(row), `tenant ${tenant} has a row twice: ${row}`)
        seen.add(row)
      }
      for (const row of acknowledged) assert.ok(seen.has(row), `tenant ${tenant} lost ${row}`)
    }
    assert.deepEqual(this.#harness.corruptions, [])
  }
}
