/**
 * A year in which data comes, ages and goes, in simulated time: two tenants that keep their streams for different times, several blocks
 * in each of some hours of a day, late entries every few days, delete requests every fortnight, a power cut every month. Nothing waits
 * for timers: rounds of compaction and upkeep are called where they would be due.
 */
import { limits, type Limits } from '#/logs/limits.ts'
import { dayOf } from '#/logs/model/day.ts'
import { defaultsOf } from '#/platform/config/option.ts'
import { EraseHarness } from './erase-harness.ts'
import { blockDir, walDir } from './ingester-harness.ts'

const hourMs = 3_600_000
export const dayMs = 24 * hourMs

export const tenants = ['a', 'b'] as const
export type Tenant = (typeof tenants)[number]

/** Days that entries are kept; those of tenant `b` with app 0 go earlier than its others. */
export const keptDays = { a: 7, b: 30, bApp0: 3 } as const

export type YearOptions = {
  /** Hours of a day in which something is pushed. */
  readonly hours: readonly number[]
  readonly blocksPerHour: number
}

/** How large everything is at the end of a day, and what the last start had to do. */
export type Size = {
  readonly day: number
  /** Files below the directory of the blocks. */
  readonly objects: number
  readonly directories: number
  readonly blocks: number
  /** Of one tenant and a day for which nothing comes any more. */
  readonly blocksOfOldDay: number
  /** Day files. */
  readonly catalogBytes: number
  /** Days of tenants that the running catalog knows. */
  readonly catalogDays: number
  readonly walBytes: number
  /** Of the disk. */
  readonly startOperations: number
  readonly startBytes: number
}

type PushedLine = { readonly text: string; readonly timeMs: number; readonly app: number; isDeleted: boolean }

const daysBetweenDeletes = 14
const daysBetweenStarts = 30
const daysBetweenLate = 5
const lateDays = 3

export class YearRun {
  readonly harness = new EraseHarness(365)
  readonly #options: YearOptions
  readonly #lines: Record<Tenant, PushedLine[]> = { a: [], b: [] }
  #day = 0
  #pushes = 0
  #start = { operations: 0, bytes: 0 }
  deleteRequests = 0

  constructor(options: YearOptions) {
    this.#options = options
    this.harness.limitsOf = limitsOf
    this.harness.compaction = { settings: { targetBytes: 20_000, maxInputs: 8 } }
  }

  /** Starts, at midnight. */
  async begin(): Promise<void> {
    const { clock } = this.harness.world
    await this.harness.start()
    clock.clear()
    clock.jump(dayMs - (clock.nowMs() % dayMs))
  }

  async nextDay(): Promise<void> {
    const { world, compactor, upkeep, ingester } = this.harness
    const { hours, blocksPerHour } = this.#options
    const midnightMs = world.clock.nowMs()
    const goTo = (hour: number): void => world.clock.jump(midnightMs + hour * hourMs - world.clock.nowMs())
    for (const hour of hours) {
      for (let block = 1; block <= blocksPerHour; block++) {
        goTo(hour + block / (blocksPerHour + 1))
        for (const tenant of tenants) await this.#push(tenant, 0)
      }
      if (hour === hours[0] && this.#day % daysBetweenLate === 0) await this.#push('b', lateDays)
      // the hour is over, and has settled
      goTo(hour + 1.25)
      await compactor.runOnce()
    }
    if ((this.#day + 1) % daysBetweenDeletes === 0) await this.#delete()
    goTo(24)
    this.#day++
    await ingester.flush(undefined)
    // yesterday has settled since the last look
    await upkeep.look()
    await compactor.runOnce()
    await upkeep.look()
    if (this.#day % daysBetweenStarts === 0) await this.#startAgain()
  }

  async #push(tenant: Tenant, daysAgo: number): Promise<void> {
    const number = this.#pushes++
    const timeMs = this.harness.clock.nowMs() - daysAgo * dayMs
    const lines = Array.from({ length: 8 }, (_, i): PushedLine => {
      const what = i === 5 && daysAgo === 0 ? 'secret' : 'plain'
      return { text: `${tenant}${i % 4} push ${number} entry ${i} ${what}`, timeMs, app: i % 4, isDeleted: false }
    })
    this.#lines[tenant].push(...lines)
    const timeNs = BigInt(timeMs) * 1_000_000n
    const entries = lines.map(({ text, app }, i) => ({
      stream: `{app="${app}"}`,
      timeNs: timeNs + BigInt(i),
      line: text,
    }))
    await this.harness.push(entries, tenant)
    await this.harness.ingester.flush(tenant)
  }

  /** What was pushed in the last two days with a word in it. */
  async #delete(): Promise<void> {
    const endMs = this.harness.clock.nowMs()
    const startMs = endMs - 2 * dayMs
    for (const tenant of tenants) {
      await this.harness.deletes.create(tenant, { query: '{app="1"} |= "secret"', startMs, endMs })
      this.deleteRequests++
      for (const line of this.#lines[tenant]) {
        if (line.text.includes('secret') && line.timeMs >= startMs) line.isDeleted = true
      }
    }
  }

  async #startAgain(): Promise<void> {
    const { disk, clock } = this.harness.world
    const before = { operations: disk.operations, bytes: disk.bytesRead }
    disk.journal.length = 0
    await this.harness.crashAndStart()
    clock.clear()
    this.#start = { operations: disk.operations - before.operations, bytes: disk.bytesRead - before.bytes }
  }

  /** Lines that must be there, and those that may be: too old, and not looked at since. */
  lines(tenant: Tenant): { readonly kept: readonly string[]; readonly going: readonly string[] } {
    const nowMs = this.harness.clock.nowMs()
    const kept: string[] = []
    const going: string[] = []
    for (const { text, timeMs, app, isDeleted } of this.#lines[tenant]) {
      const periodMs = (tenant === 'b' && app === 0 ? keptDays.bApp0 : keptDays[tenant]) * dayMs
      if (isDeleted || timeMs + periodMs + 2 * dayMs < nowMs) continue
      if (timeMs + periodMs >= nowMs) kept.push(text)
      else going.push(text)
    }
    return { kept, going }
  }

  size(): Size {
    const { world, catalog } = this.harness
    const paths = world.disk.paths()
    const objects = paths.filter((path) => path.startsWith(`${blockDir}/`))
    const bytesOf = (some: readonly string[]): number =>
      some.reduce((sum, path) => sum + world.disk.contentOf(path).length, 0)
    const oldDay = dayOf(world.clock.nowNs()) - lateDays - 2
    return {
      day: this.#day,
      objects: objects.length,
      directories: world.disk.directories().filter((path) => path.startsWith(`${blockDir}/`)).length,
      blocks: this.harness.blocks().length,
      blocksOfOldDay: Math.max(...tenants.map((tenant) => catalog.list(tenant, oldDay, oldDay).length)),
      catalogBytes: bytesOf(objects.filter((path) => path.endsWith('/catalog.json'))),
      catalogDays: catalog.days().length,
      walBytes: bytesOf(paths.filter((path) => path.startsWith(`${walDir}/`))),
      startOperations: this.#start.operations,
      startBytes: this.#start.bytes,
    }
  }
}

function limitsOf(tenant: string): Limits {
  const rule = { selector: '{app="0"}', priority: 1, periodMs: keptDays.bApp0 * dayMs }
  return {
    ...defaultsOf(limits),
    retention_period: (tenant === 'a' ? keptDays.a : keptDays.b) * dayMs,
    retention_stream: tenant === 'b' ? [rule] : [],
  }
}
