/** The positions of the best few of many numbers. */
import type { Extremes } from '#/series/top-k.ts'

/**
 * At most k positions of `values[0, count)`, none of them NaN, in no particular order. Among equal values the position that
 * `compare` has first wins.
 */
export function bestOf(
  values: Float64Array,
  count: number,
  { op, k }: Extremes,
  compare: (a: number, b: number) => number,
): Uint32Array {
  const sign = op === 'topk' ? 1 : -1
  // a heap with the worst at the root
  const heap = new Uint32Array(Math.max(0, Math.min(Math.floor(k), count)))
  const isWorse = (a: number, b: number): boolean => {
    const difference = (values[a]! - values[b]!) * sign
    return difference < 0 || (difference === 0 && compare(a, b) > 0)
  }
  for (let position = 0; position < count; position++) {
    if (position < heap.length) siftUp(heap, position, isWorse)
    else if (heap.length > 0 && isWorse(heap[0]!, position)) siftDown(heap, position, isWorse)
  }
  return heap
}

type Order = (a: number, b: number) => boolean

/** Adds `position` to a heap that has `position` entries. */
function siftUp(heap: Uint32Array, position: number, isBefore: Order): void {
  let child = position
  while (child > 0) {
    const parent = (child - 1) >> 1
    if (!isBefore(position, heap[parent]!)) break
    heap[child] = heap[parent]!
    child = parent
  }
  heap[child] = position
}

/** Puts `position` in the place of the root. */
function siftDown(heap: Uint32Array, position: number, isBefore: Order): void {
  let parent = 0
  for (;;) {
    const left = 2 * parent + 1
    if (left >= heap.length) break
    const right = left + 1
    const child = right < heap.length && isBefore(heap[right]!, heap[left]!) ? right : left
    if (!isBefore(heap[child]!, position)) break
    heap[parent] = heap[child]!
    parent = child
  }
  heap[parent] = position
}
