/** `topk` and `bottomk`: the k greatest or least samples of each step, under their own labels. */
import { compareLabels } from './labels.ts'
import { newSeries, type Series } from './series-set.ts'

export type Extremes = { readonly op: 'topk' | 'bottomk'; readonly k: number }

/**
 * Keeps at each step the k best samples of `members`. NaN loses against every number; among equals the smaller label set
 * wins, so that answers do not depend on the order in which series were found.
 */
export function keepExtremes(members: readonly Series[], stepCount: number, { op, k }: Extremes): Series[] {
  const sorted = members.toSorted((a, b) => compareLabels(a.labels, b.labels))
  const kept = new Map<Series, Series>()
  const isBetter = op === 'topk' ? isGreater : isLess
  for (let step = 0; step < stepCount; step++) {
    for (const member of bestAt(sorted, step, k, isBetter)) {
      let target = kept.get(member)
      if (target === undefined) {
        target = newSeries(member.labels, stepCount)
        kept.set(member, target)
      }
      target.values[step] = member.values[step]!
      target.present[step] = 1
    }
  }
  return [...kept.values()]
}

type Better = (value: number, than: number) => boolean
const isGreater: Better = (value, than) => value > than || (Number.isNaN(than) && !Number.isNaN(value))
const isLess: Better = (value, than) => value < than || (Number.isNaN(than) && !Number.isNaN(value))

/** A heap of the best k so far, worst at the root; O(members · log k). */
function bestAt(members: readonly Series[], step: number, k: number, isBetter: Better): readonly Series[] {
  const heap: number[] = []
  const valueAt = (member: number): number => members[member]!.values[step]!
  // Among equals the later member is the worse one.
  const isWorse = (a: number, b: number): boolean =>
    isBetter(valueAt(b), valueAt(a)) || (!isBetter(valueAt(a), valueAt(b)) && a > b)
  for (let member = 0; member < members.length; member++) {
    if (members[member]!.present[step] === 0) continue
    if (heap.length < k) {
      heap.push(member)
      siftUp(heap, isWorse)
    } else if (k > 0 && isWorse(heap[0]!, member)) {
      heap[0] = member
      siftDown(heap, isWorse)
    }
  }
  return heap.map((member) => members[member]!)
}

function siftUp(heap: number[], isBefore: (a: number, b: number) => boolean): void {
  let child = heap.length - 1
  while (child > 0) {
    const parent = (child - 1) >> 1
    if (!isBefore(heap[child]!, heap[parent]!)) return
    swap(heap, child, parent)
    child = parent
  }
}

function siftDown(heap: number[], isBefore: (a: number, b: number) => boolean): void {
  let parent = 0
  for (;;) {
    const left = 2 * parent + 1
    if (left >= heap.length) return
    const right = left + 1
    const child = right < heap.length && isBefore(heap[right]!, heap[left]!) ? right : left
    if (!isBefore(heap[child]!, heap[parent]!)) return
    swap(heap, child, parent)
    parent = child
  }
}

function swap(heap: number[], a: number, b: number): void {
  const value = heap[a]!
  heap[a] = heap[b]!
  heap[b] = value
}
