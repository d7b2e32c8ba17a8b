/**
 * Sorts numbered texts by their bytes where they lie, without a string for any. Quicksort by one word of all texts at a time, most
 * significant first: what most texts begin with is looked at once per text, not once per comparison.
 */
import type { HashedTexts } from './text-table.ts'

const FEW = 12

type Sorting = {
  readonly view: DataView
  readonly ends: Uint32Array
  readonly numbers: Uint32Array
  /** A word of each text. */
  readonly keys: Float64Array
  /** From, to and depth of the ranges that are equal so far. */
  readonly todo: number[]
}

/**
 * Orders `numbers` in place so that their texts ascend; equal texts stand side by side in any order. Each loop has a function of its own:
 * code that V8 makes for the inner one of two loops while it runs is thrown away whenever that ends.
 */
export function sortTexts({ view, ends }: Pick<HashedTexts, 'view' | 'ends'>, numbers: Uint32Array): void {
  const todo = [0, numbers.length, 0]
  const sorting = { view, ends, numbers, keys: new Float64Array(numbers.length), todo }
  while (todo.length > 0) {
    const depth = todo.pop()!
    const to = todo.pop()!
    const from = todo.pop()!
    readWords(sorting, from, to, depth)
    sortByWord(sorting, from, to, depth)
  }
}

function readWords({ view, ends, numbers, keys }: Sorting, from: number, to: number, depth: number): void {
  for (let i = from; i < to; i++) keys[i] = wordAt(view, ends, numbers[i]!, depth)
}

/** What is equal in this word goes on with the next; what is less or greater keeps its keys. */
function sortByWord({ keys, numbers, todo }: Sorting, first: number, last: number, depth: number): void {
  const ranges: number[] = [first, last]
  while (ranges.length > 0) {
    const to = ranges.pop()!
    const from = ranges.pop()!
    if (to - from <= FEW) {
      insertionSort(keys, numbers, from, to)
      pushEqual(keys, from, to, depth, todo)
      continue
    }
    const pivot = medianOf(keys[from]!, keys[(from + to) >>> 1]!, keys[to - 1]!)
    const less = moveLess(keys, numbers, from, to, pivot)
    const greater = moveEqual(keys, numbers, less, to, pivot)
    if (greater - less > 1 && !isOver(pivot)) todo.push(less, greater, depth + 4)
    if (less - from > 1) ranges.push(from, less)
    if (to - greater > 1) ranges.push(greater, to)
  }
}

/** Brings the keys below the pivot to the front; returns where they end. */
function moveLess(keys: Float64Array, numbers: Uint32Array, from: number, to: number, pivot: number): number {
  let less = from
  for (let i = from; i < to; i++) if (keys[i]! < pivot) swap(keys, numbers, i, less++)
  return less
}

/** Brings the keys that equal the pivot to the front; returns where they end. */
function moveEqual(keys: Float64Array, numbers: Uint32Array, from: number, to: number, pivot: number): number {
  let equal = from
  for (let i = from; i < to; i++) if (keys[i] === pivot) swap(keys, numbers, i, equal++)
  return equal
}

/** Four bytes of a text, and how many of them there are: a text comes before those that it is the beginning of. */
function wordAt(view: DataView, ends: Uint32Array, number: number, depth: number): number {
  const at = (number === 0 ? 0 : ends[number - 1]!) + depth
  const left = ends[number]! - at
  if (left >= 4) return view.getUint32(at) * 8 + 4
  let word = 0
  for (let i = 0; i < 4; i++) word = word * 256 + (i < left ? view.getUint8(at + i) : 0)
  return word * 8 + left
}

/** Whether texts with this word end in it. */
const isOver = (key: number): boolean => key % 8 < 4

function pushEqual(keys: Float64Array, from: number, to: number, depth: number, todo: number[]): void {
  for (let start = from; start < to;) {
    let end = start + 1
    while (end < to && keys[end] === keys[start]) end++
    if (end - start > 1 && !isOver(keys[start]!)) todo.push(start, end, depth + 4)
    start = end
  }
}

function insertionSort(keys: Float64Array, numbers: Uint32Array, from: number, to: number): void {
  for (let i = from + 1; i < to; i++) {
    const key = keys[i]!
    const number = numbers[i]!
    let at = i
    for (; at > from && keys[at - 1]! > key; at--) {
      keys[at] = keys[at - 1]!
      numbers[at] = numbers[at - 1]!
    }
    keys[at] = key
    numbers[at] = number
  }
}

function medianOf(a: number, b: number, c: number): number {
  return Math.max(Math.min(a, b), Math.min(Math.max(a, b), c))
}

function swap(keys: Float64Array, numbers: Uint32Array, a: number, b: number): void {
  const key = keys[a]!
  const number = numbers[a]!
  keys[a] = keys[b]!
  numbers[a] = numbers[b]!
  keys[b] = key
  numbers[b] = number
}
