/** Stable sorting of numbered things by a numeric key, without objects. Linear when they are sorted already. */

/**
 * Sorts `order[from, to)` so that `keys[order[i]]` ascends; equal keys keep their order. `scratch` is at least as long as
 * `order`. A natural merge sort: ascending runs are found and merged pairwise.
 */
export function sortByKey(
  order: Uint32Array,
  keys: Float64Array,
  { from, to }: { readonly from: number; readonly to: number },
  scratch: Uint32Array,
): void {
  let bounds = ascendingRuns(order, keys, from, to)
  let source = order
  let target = scratch
  while (bounds.length > 2) {
    const merged = [from]
    for (let i = 0; i + 1 < bounds.length; i += 2) {
      const start = bounds[i]!
      const middle = bounds[i + 1]!
      const end = bounds[i + 2] ?? middle
      mergeRuns(source, keys, { start, middle, end }, target)
      merged.push(end)
    }
    bounds = merged
    const swap = source
    source = target
    target = swap
  }
  if (source !== order) order.set(source.subarray(from, to), from)
}

/** Starts of the ascending runs, then `to`. */
function ascendingRuns(order: Uint32Array, keys: Float64Array, from: number, to: number): number[] {
  const bounds = [from]
  for (let i = from + 1; i < to; i++) {
    if (keys[order[i]!]! < keys[order[i - 1]!]!) bounds.push(i)
  }
  if (to > from) bounds.push(to)
  return bounds
}

function mergeRuns(
  source: Uint32Array,
  keys: Float64Array,
  { start, middle, end }: { readonly start: number; readonly middle: number; readonly end: number },
  target: Uint32Array,
): void {
  let left = start
  let right = middle
  for (let at = start; at < end; at++) {
    const takesRight = left === middle || (right < end && keys[source[right]!]! < keys[source[left]!]!)
    target[at] = takesRight ? source[right++]! : source[left++]!
  }
}

/**
 * The numbers of `order[0, count)`, or 0 … count - 1 when undefined, by ascending `keys[number]`, each below `keyCount`. Stable,
 * and linear in both counts.
 */
export function countingSort(
  order: Uint32Array | undefined,
  keys: Uint32Array,
  { count, keyCount }: { readonly count: number; readonly keyCount: number },
): Uint32Array<ArrayBuffer> {
  const next = new Uint32Array(keyCount + 1)
  for (let i = 0; i < count; i++) next[keys[order === undefined ? i : order[i]!]! + 1]!++
  for (let key = 1; key <= keyCount; key++) next[key]! += next[key - 1]!
  const sorted = new Uint32Array(count)
  for (let i = 0; i < count; i++) {
    const item = order === undefined ? i : order[i]!
    sorted[next[keys[item]!]!++] = item
  }
  return sorted
}
