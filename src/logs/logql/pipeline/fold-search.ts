/**
 * Searches ASCII texts in any case, straight in the bytes of a page: many bytes with ./fold-kernel.ts, single lines in Horspool's way: the byte below the end of the needle says how
 * far it may be moved, so that a needle of five letters reads every fifth byte.
 */
import { FoldedHits, MAX_KERNEL_NEEDLE } from './fold-kernel.ts'
import { isSparse, type LineRows, type Marks } from './line-rows.ts'

export type FoldedNeedle = {
  /** In lower case. */
  readonly bytes: Uint8Array
  /** By byte: how far the needle moves when this byte stands below its end; 0 for that letter itself. */
  readonly moves: Uint8Array
  /** How far it moves when the end fits but the rest does not. */
  readonly moveBehindEnd: number
}

const MAX_MOVE = 255
/** Fewer are searched sooner than they are copied to the kernel. */
const MIN_KERNEL_BYTES = 1024
/** Bytes in lower case. */
const lower = Uint8Array.from({ length: 256 }, (_, byte) => (byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte))

/** `text` is ASCII in lower case, not empty. */
export function foldedNeedle(text: string): FoldedNeedle {
  const bytes = Uint8Array.from(Buffer.from(text, 'latin1'))
  const last = bytes.length - 1
  const moves = new Uint8Array(256).fill(Math.min(MAX_MOVE, bytes.length))
  let moveBehindEnd = Math.min(MAX_MOVE, bytes.length)
  for (let i = 0; i < last; i++) {
    const move = Math.min(MAX_MOVE, last - i)
    for (let byte = 0; byte < 256; byte++) if (lower[byte] === bytes[i]) moves[byte] = move
    if (bytes[i] === bytes[last]) moveBehindEnd = move
  }
  for (let byte = 0; byte < 256; byte++) if (lower[byte] === bytes[last]) moves[byte] = 0
  return { bytes, moves, moveBehindEnd }
}

/** Whether the needle stands anywhere in `bytes`. */
export function hasFolded(bytes: Uint8Array, needle: FoldedNeedle): boolean {
  return hitsOf(bytes, needle, 0, bytes.length)(0) >= 0
}

/** Gives the first place at or behind a place that never goes back, or -1. */
function hitsOf(bytes: Uint8Array, needle: FoldedNeedle, from: number, end: number): (from: number) => number {
  if (end - from < MIN_KERNEL_BYTES || needle.bytes.length > MAX_KERNEL_NEEDLE) {
    return (start) => findFolded(bytes, needle, start, end)
  }
  const hits = new FoldedHits(bytes, needle.bytes, from, end)
  return (start) => hits.next(start)
}

/** The first place of the needle in `bytes[from, end)`, or -1. */
export function findFolded(bytes: Uint8Array, needle: FoldedNeedle, from: number, end: number): number {
  const { bytes: wanted, moves, moveBehindEnd } = needle
  const last = wanted.length - 1
  let at = from + last
  while (at < end) {
    const move = moves[bytes[at]!]!
    if (move !== 0) {
      at += move
      continue
    }
    let i = 1
    while (i <= last && lower[bytes[at - i]!] === wanted[last - i]) i++
    if (i > last) return at - last
    at += moveBehindEnd
  }
  return -1
}

/** Sets the mark of each row whose line contains the needle in any case. */
export function markFolded(page: LineRows, needle: FoldedNeedle, marks: Marks): void {
  const { lines, base, lineStart, rows, count } = page
  if (count === 0) return
  if (isSparse(page)) return markOneByOne(page, needle, marks)
  const { length } = needle.bytes
  const find = hitsOf(lines, needle, lineStart[rows[0]!]! - base, lineStart[rows[count - 1]! + 1]! - base)
  let i = 0
  while (i < count) {
    const hit = find(lineStart[rows[i]!]! - base) + base
    if (hit < base) return
    while (i < count && lineStart[rows[i]! + 1]! <= hit) i++
    if (i === count) return
    if (hit < lineStart[rows[i]!]!) continue
    // a hit over the end of a line is none, but the next may begin before that end
    if (hit + length <= lineStart[rows[i]! + 1]!) marks[i] = 1
    i++
  }
}

function markOneByOne({ lines, base, lineStart, rows, count }: LineRows, needle: FoldedNeedle, marks: Marks): void {
  for (let i = 0; i < count; i++) {
    const start = lineStart[rows[i]!]! - base
    if (findFolded(lines, needle, start, lineStart[rows[i]! + 1]! - base) >= 0) marks[i] = 1
  }
}
