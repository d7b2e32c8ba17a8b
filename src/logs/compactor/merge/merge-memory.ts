/** What a merge takes of the memory budget, and how it waits for it: behind everybody else. */
import type { OpenInput } from './open-input.ts'
import type { PlannedOutput, PlanLimits } from './plan-outputs.ts'
import { LimitExceeded, Unavailable } from '#/kernel/errors.ts'
import type { Clock } from '#/kernel/world.ts'
import type { MemoryBudget, Reservation } from '#/platform/memory/memory-budget.ts'

export type MergeLimits = PlanLimits & {
  /** The part of the memory budget that one merge may take. */
  readonly memoryPart: number
}

/** Decoded columns of a row, about, besides lines and metadata: in a page, and in a slice while it is sorted and encoded. */
const PAGE_BYTES_PER_ROW = 24
const SLICE_BYTES_PER_ROW = 80
/** Tables of the encoders, filters and patterns. */
const FIXED_BYTES = 4 * 1024 * 1024
const RETRY_MS = 5000
const MAX_ATTEMPTS = 24

/**
 * Bytes that building an output takes at most, estimated: the compressed pages of all inputs, the output as large once more, one open
 * page of each input, and a slice.
 */
export function outputMemory(
  opened: readonly OpenInput[],
  positions: readonly (readonly number[])[],
  planned: PlannedOutput,
): number {
  let stored = 0
  let open = 0
  for (const [i, { pages }] of opened.entries()) {
    let largest = 0
    for (const position of positions[i]!) {
      const { sizeBytes, rowCount, lineBytes, metaBytes } = pages[position]!
      const meta = metaBytes.reduce((sum, bytes) => sum + bytes, 0)
      stored += sizeBytes
      largest = Math.max(largest, lineBytes + meta + rowCount * PAGE_BYTES_PER_ROW)
    }
    open += largest
  }
  return FIXED_BYTES + 2 * stored + open + 2 * planned.sliceLineBytes + planned.sliceRows * SLICE_BYTES_PER_ROW
}

type Waiter = {
  readonly needs: {
    readonly budget: MemoryBudget
    readonly limits: MergeLimits
    readonly world: { readonly clock: Clock }
  }
  readonly signal: AbortSignal | undefined
}

/** @throws LimitExceeded when it is more than a merge may take, Unavailable when there is no room for too long. */
export async function takeMemory(
  memory: Reservation,
  bytes: number,
  { needs: { budget, limits, world }, signal }: Waiter,
): Promise<void> {
  const most = Math.floor(budget.limitBytes * limits.memoryPart)
  if (bytes > most) throw new LimitExceeded(`a merge would take ${bytes} bytes of memory, the limit is ${most}`)
  for (let attempt = 0; !memory.grow(bytes); attempt++) {
    if (attempt === MAX_ATTEMPTS) throw new Unavailable(`there is no room for the ${bytes} bytes of a merge`)
    await world.clock.sleep(RETRY_MS, signal)
  }
}
