/**
 * Which reads fetch the wanted ranges of an object: near ones together, large ones in pieces. A request to an object store
 * costs as much as reading about a megabyte, so gaps up to that are read along.
 */

const MAX_GAP_BYTES = 1024 * 1024
/** More is read in several pieces at a time. */
const MAX_READ_BYTES = 8 * 1024 * 1024
/** Gaps may be this many times what is wanted: many small columns far apart are not worth the whole object. */
const MAX_WASTE = 4

/** `[start, end)` of the object. */
export type PageSpan = { readonly start: number; readonly end: number }

export type ReadPlan = {
  /** To be read, in any order: `target.length` bytes from `offset`. */
  readonly reads: readonly { readonly offset: number; readonly target: Uint8Array<SharedArrayBuffer> }[]
  /** The bytes of each span once everything has been read; spans that were read together share memory. */
  readonly bytesOf: readonly Uint8Array<SharedArrayBuffer>[]
}

/** Spans may come in any order, and overlap. `memoryFor` may give more than it is asked for. */
export function planReads(spans: readonly PageSpan[], memoryFor = ownMemory): ReadPlan {
  const order = spans.map((_, i) => i).sort((a, b) => spans[a]!.start - spans[b]!.start)
  const reads: { readonly offset: number; readonly target: Uint8Array<SharedArrayBuffer> }[] = []
  const bytesOf: Uint8Array<SharedArrayBuffer>[] = []
  for (let from = 0; from < order.length;) {
    const { to, end } = extend(spans, order, from)
    const { start } = spans[order[from]!]!
    const memory = memoryFor(end - start)
    for (let at = 0; at < end - start; at += MAX_READ_BYTES) {
      const size = Math.min(MAX_READ_BYTES, end - start - at)
      reads.push({ offset: start + at, target: new Uint8Array(memory, at, size) })
    }
    for (; from < to; from++) {
      const span = spans[order[from]!]!
      bytesOf[order[from]!] = new Uint8Array(memory, span.start - start, span.end - span.start)
    }
  }
  return { reads, bytesOf }
}

function ownMemory(sizeBytes: number): SharedArrayBuffer {
  return new SharedArrayBuffer(sizeBytes)
}

/** How many of the spans, from `from` in `order`, go into one range, and where it ends. */
function extend(
  spans: readonly PageSpan[],
  order: readonly number[],
  from: number,
): { readonly to: number; readonly end: number } {
  const { start, end: firstEnd } = spans[order[from]!]!
  let end = firstEnd
  let useful = end - start
  let to = from + 1
  for (; to < order.length; to++) {
    const next = spans[order[to]!]!
    const gap = Math.max(0, next.start - end)
    const nextEnd = Math.max(end, next.end)
    if (gap > MAX_GAP_BYTES || nextEnd - start > MAX_READ_BYTES) break
    useful += Math.max(0, next.end - Math.max(end, next.start))
    if (nextEnd - start > useful * (1 + MAX_WASTE)) break
    end = nextEnd
  }
  return { to, end }
}
