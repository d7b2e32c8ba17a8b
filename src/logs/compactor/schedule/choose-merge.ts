/**
 * Which blocks of a day are merged next. The policy:
 *
 *     hour    Blocks as flushed (L0) wait until their hour is over and `settleMs` have passed; then those of one hour, two at least,
 *             become L1, up to `maxInputs` at a time, whatever their size: their rows are parted by stream, and duplicates go.
 *     day     When the day is over and has settled, all blocks that are not *full* become L2.
 *     late    What comes for an hour or day that was merged already is merged as above among itself, and with what is not full when it
 *             is a quarter of what would be written.
 *     many    When there are `maxInputs` blocks that are not full, the smallest of them become one: half as many at least, and further
 *             ones as long as each is no larger than those before together.
 *     full    A block of half the target size or more, raw or stored, is not merged again once it is L1.
 *
 * So a byte is written once by the flush, once for its hour, and once for its day unless the hour filled a block. A byte that comes late
 * and alone is written again a few times more: what it is in grows to twice the size, or so, each time. A day has (its size / half the
 * target) + `maxInputs` blocks at most, and as many L0 as its last hours have.
 */
import type { BlockMeta } from '#/storage/block/meta.ts'

export type MergePolicy = {
  /** Raw bytes of an output at which it ends. */
  readonly targetBytes: number
  /** Stored bytes of an output at which it ends, if it compresses badly. */
  readonly targetStoredBytes: number
  /** Most blocks of one merge. */
  readonly maxInputs: number
  /** How long after the end of an hour or day its blocks are left alone, for what comes a little late. */
  readonly settleMs: number
}

export type MergeChoice = {
  readonly inputs: readonly BlockMeta[]
  /** Of the outputs. */
  readonly level: number
  readonly reason: 'hour' | 'day' | 'many' | 'erase'
}

const MS_PER_HOUR = 3_600_000
const MS_PER_DAY = 24 * MS_PER_HOUR
const NS_PER_HOUR = 3_600e9
/** New bytes are at least one of so many that are written. */
const MAX_REWRITTEN = 4
const DAY_LEVEL = 2

/** Undefined when there is nothing to do now. `mustErase`: the block has rows that may have to go. */
export function chooseMerge(
  blocks: readonly BlockMeta[],
  policy: MergePolicy,
  nowMs: number,
  mustErase: (block: BlockMeta) => boolean = () => false,
): MergeChoice | undefined {
  if (blocks.length === 0) return undefined
  return chooseHour(blocks, policy, nowMs) ?? chooseDay(blocks, policy, nowMs) ?? chooseErase(blocks, mustErase)
}

function chooseHour(
  blocks: readonly BlockMeta[],
  { maxInputs, settleMs }: MergePolicy,
  nowMs: number,
): MergeChoice | undefined {
  const fresh = blocks.filter((block) => block.level === 0 && endOfHourMs(block) + settleMs <= nowMs)
  const byHour = [...Map.groupBy(fresh, hourOf)].sort(([a], [b]) => a - b)
  for (const [, ofHour] of byHour) {
    if (ofHour.length < 2) continue
    const oldest = ofHour.toSorted((a, b) => (idOf(a) < idOf(b) ? -1 : 1)).slice(0, maxInputs)
    return { inputs: oldest, level: 1, reason: 'hour' }
  }
  return undefined
}

function chooseDay(blocks: readonly BlockMeta[], policy: MergePolicy, nowMs: number): MergeChoice | undefined {
  const { maxInputs, settleMs } = policy
  const isOver = blocks[0] !== undefined && (blocks[0].day + 1) * MS_PER_DAY + settleMs <= nowMs
  const small = blocks.filter((block) => isSmall(block, policy) && (isOver || block.level > 0))
  if (small.length < 2) return undefined
  const level = isOver ? DAY_LEVEL : 1
  // the new ones first, then those that are least work
  const inputs = small.toSorted((a, b) => settled(a) - settled(b) || bySize(a, b)).slice(0, maxInputs)
  const added = sumOf(inputs.filter((block) => settled(block) === 0))
  if (isOver && added * MAX_REWRITTEN >= sumOf(inputs)) return { inputs, level, reason: 'day' }
  return small.length < maxInputs ? undefined : { inputs: smallest(small, maxInputs), level, reason: 'many' }
}

function smallest(blocks: readonly BlockMeta[], maxInputs: number): readonly BlockMeta[] {
  const ascending = blocks.toSorted(bySize).slice(0, maxInputs)
  let count = Math.max(2, maxInputs >> 1)
  let bytes = sumOf(ascending.slice(0, count))
  for (; count < ascending.length && ascending[count]!.rawBytes <= bytes; count++) bytes += ascending[count]!.rawBytes
  return ascending.slice(0, count)
}

function bySize(a: BlockMeta, b: BlockMeta): number {
  return a.rawBytes - b.rawBytes || (a.key < b.key ? -1 : 1)
}

/** A block of its own, when nothing else takes it. */
export function chooseErase(
  blocks: readonly BlockMeta[],
  mustErase: (block: BlockMeta) => boolean,
): MergeChoice | undefined {
  const block = blocks.find(mustErase)
  return block && { inputs: [block], level: Math.max(1, block.level), reason: 'erase' }
}

function isSmall({ level, rawBytes, sizeBytes }: BlockMeta, { targetBytes, targetStoredBytes }: MergePolicy): boolean {
  return level === 0 || (rawBytes < targetBytes / 2 && sizeBytes < targetStoredBytes / 2)
}

/** 1 for blocks of the day's level. */
function settled({ level }: BlockMeta): number {
  return level >= DAY_LEVEL ? 1 : 0
}

function sumOf(blocks: readonly BlockMeta[]): number {
  return blocks.reduce((sum, { rawBytes }) => sum + rawBytes, 0)
}

function hourOf({ maxTime }: BlockMeta): number {
  return Math.floor(maxTime / NS_PER_HOUR)
}

function endOfHourMs(block: BlockMeta): number {
  return block.day * MS_PER_DAY + (hourOf(block) + 1) * MS_PER_HOUR
}

/** The end of a key, which grows with time. */
function idOf({ key }: BlockMeta): string {
  return key.slice(key.lastIndexOf('-'))
}
