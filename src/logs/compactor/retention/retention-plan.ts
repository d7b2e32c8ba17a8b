/**
 * What has to go of the blocks of a tenant. By age: a block of which every row is too old goes whole; one in which all rows of a rule
 * are too old is written anew without them, so that each rule makes a block be written at most once. By size: the oldest blocks.
 */
import { decideStreams, retentionRules, type RetentionRule } from './retention-rules.ts'
import { eachConcurrently } from '#/kernel/each-concurrently.ts'
import type { EraseOrder } from '#/logs/compactor/merge/erase.ts'
import type { Limits } from '#/logs/limits.ts'
import type { LogBlock } from '#/logs/store/log-block.ts'
import type { BlockMeta } from '#/storage/block/meta.ts'

const OPEN_CONCURRENCY = 4
const MS_PER_DAY = 86_400_000

export type OpenBlock = (meta: BlockMeta) => Promise<LogBlock>

/** Of the rows that a rule decides about: the last time in day; -Infinity when there is none. */
type LastTimes = Float64Array

type Inspected = { readonly rulesKey: string; readonly last: LastTimes }

/** What is known of blocks that rules divide; one block has one answer as long as the rules stay. */
export class BlockInspections {
  readonly #open: OpenBlock
  readonly #known = new Map<string, Inspected>()

  constructor(open: OpenBlock) {
    this.#open = open
  }

  async lastTimes(meta: BlockMeta, rules: readonly RetentionRule[]): Promise<LastTimes> {
    const rulesKey = JSON.stringify(rules.map(({ selector }) => selector))
    const known = this.#known.get(meta.key)
    if (known?.rulesKey === rulesKey) return known.last
    const { streams, runs } = await this.#open(meta)
    const decided = decideStreams(streams, rules)
    const last = new Float64Array(rules.length).fill(-Infinity)
    for (const [run, ordinal] of runs.stream.entries()) {
      const rule = decided[ordinal]!
      last[rule] = Math.max(last[rule]!, runs.maxTime[run]!)
    }
    this.#known.set(meta.key, { rulesKey, last })
    return last
  }

  /** Forgets blocks that are gone. */
  keep(isThere: (key: string) => boolean): void {
    for (const key of this.#known.keys()) if (!isThere(key)) this.#known.delete(key)
  }
}

export type RetentionPlan = {
  readonly rules: readonly RetentionRule[]
  /** Blocks that go whole, with the id of the rule by which they do. */
  readonly whole: ReadonlyMap<BlockMeta, string>
  readonly orders: ReadonlyMap<BlockMeta, readonly EraseOrder[]>
  /** By rule, when the next block has nothing of it left that is young enough. */
  readonly nextMs: readonly number[]
}

export type PlanLimits = Pick<Limits, 'retention_period' | 'retention_stream' | 'retention_bytes'>

export async function planRetention(
  blocks: readonly BlockMeta[],
  limits: PlanLimits,
  { nowMs, inspections }: { readonly nowMs: number; readonly inspections: BlockInspections },
): Promise<RetentionPlan> {
  const rules = retentionRules(limits)
  const whole = new Map<BlockMeta, string>()
  const orders = new Map<BlockMeta, readonly EraseOrder[]>()
  const nextMs = rules.map(() => Infinity)
  const periods = rules.map(({ periodMs }) => periodMs)
  const shortest = Math.min(...periods.filter((period) => period > 0))
  const longest = periods.includes(0) ? Infinity : Math.max(...periods)
  const divided: BlockMeta[] = []
  for (const meta of blocks) {
    const age = nowMs - msOf(meta.day, meta.maxTime)
    // the rule of the longest period is the last one to agree
    if (age > longest) whole.set(meta, rules[periods.indexOf(longest)]!.id)
    else if (age > shortest) divided.push(meta)
    else
      for (const [i, period] of periods.entries())
        if (period > 0) nextMs[i] = Math.min(nextMs[i]!, nowMs - age + period)
  }
  await eachConcurrently(divided, OPEN_CONCURRENCY, async (meta) => {
    const last = await inspections.lastTimes(meta, rules)
    const due = rules.flatMap((rule, i) => {
      const { periodMs } = rule
      if (last[i] === -Infinity || periodMs === 0) return []
      const goesMs = msOf(meta.day, last[i]!) + periodMs
      if (nowMs > goesMs) return [rule]
      nextMs[i] = Math.min(nextMs[i]!, goesMs)
      return []
    })
    if (due.length === 0) return
    const concerned = last.filter((time) => time !== -Infinity).length
    if (due.length === concerned) whole.set(meta, due.at(-1)!.id)
    else
      orders.set(
        meta,
        due.map((rule) => orderOf(rule, meta, nowMs)),
      )
  })
  const left = blocks.filter((meta) => !whole.has(meta))
  for (const meta of beyondSize(left, limits.retention_bytes)) whole.set(meta, 'retention_bytes')
  return { rules, whole, orders, nextMs }
}

/** The oldest blocks, without which the others are small enough; 0: no limit. */
function beyondSize(blocks: readonly BlockMeta[], limitBytes: number): readonly BlockMeta[] {
  if (limitBytes === 0) return []
  let bytes = blocks.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  const oldest = oldestFirst(blocks)
  let count = 0
  for (; count < oldest.length && bytes > limitBytes; count++) bytes -= oldest[count]!.sizeBytes
  return oldest.slice(0, count)
}

export function oldestFirst(blocks: readonly BlockMeta[]): BlockMeta[] {
  return blocks.toSorted((a, b) => a.day - b.day || a.maxTime - b.maxTime || (a.key < b.key ? -1 : 1))
}

export function msOf(day: number, time: number): number {
  return day * MS_PER_DAY + Math.floor(time / 1e6)
}

/** Bounded by time: other blocks that are merged with this one may have younger rows. */
function orderOf({ id, selector, unless, periodMs }: RetentionRule, { day }: BlockMeta, nowMs: number): EraseOrder {
  return { id, query: selector ?? '', unless, from: 0, to: (nowMs - periodMs - day * MS_PER_DAY) * 1e6 }
}
