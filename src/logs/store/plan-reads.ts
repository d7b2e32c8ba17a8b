/** Which reads fetch the wanted ranges of an object: near ones together, as the store has it, large ones in pieces. */

/** More is read in several pieces at a time. */
const MAX_READ_BYTES = 8 * 1024 * 1024
/**
 * Ranges that are read into the same memory have at most so many bytes together, unless a single span has more: memory comes in few
 * sizes then, and is used again.
 */
const MAX_GROUP_BYTES = 1024 * 1024
/** Gaps may be this many times what is wanted: many small columns far apart are not worth the whole object. */
const MAX_WASTE = 4

/** `[start, end)` of the object. */
export type PageSpan = { readonly start: number; readonly end: number }

export type ReadPlan = {
  /** To be read, in any order: `target.length` bytes from `offset`. */
  readonly reads: readonly { readonly offset: number; readonly target: Uint8Array<SharedArrayBuffer> }[]
  /** The bytes of each span once everything has been read; spans may share memory. */
  readonly bytesOf: readonly Uint8Array<SharedArrayBuffer>[]
}

export type ReadOptions = {
  /** Gaps up to this are read along. */
  readonly nearBytes: number
  /** Where what is read goes; may be more than it is asked for. */
  readonly memoryFor?: ((sizeBytes: number) => SharedArrayBuffer) | undefined
}

/** Spans may come in any order, and overlap. */
export function planReads(spans: readonly PageSpan[], { nearBytes, memoryFor = ownMemory }: ReadOptions): ReadPlan {
  const order = spans.map((_, i) => i).sort((a, b) => spans[a]!.start - spans[b]!.start)
  const reads: { readonly offset: number; readonly target: Uint8Array<SharedArrayBuffer> }[] = []
  const bytesOf: Uint8Array<SharedArrayBuffer>[] = []
  for (const group of inGroups(findRanges(spans, order, nearBytes))) {
    const memory = memoryFor(group.reduce((sum, { start, end }) => sum + end - start, 0))
    let base = 0
    for (const { from, to, start, end } of group) {
      for (let at = 0; at < end - start; at += MAX_READ_BYTES) {
        const size = Math.min(MAX_READ_BYTES, end - start - at)
        reads.push({ offset: start + at, target: new Uint8Array(memory, base + at, size) })
      }
      for (let i = from; i < to; i++) {
        const span = spans[order[i]!]!
        bytesOf[order[i]!] = new Uint8Array(memory, base + span.start - start, span.end - span.start)
      }
      base += end - start
    }
  }
  return { reads, bytesOf }
}

/** `[start, end)` of the object, for the spans `[from, to)` in their order. */
type Range = PageSpan & { readonly from: number; readonly to: number }

function findRanges(spans: readonly PageSpan[], order: readonly number[], nearBytes: number): Range[] {
  const ranges: Range[] = []
  for (let from = 0; from < order.length;) {
    const { to, end } = extend(spans, order, { from, nearBytes })
    ranges.push({ from, to, start: spans[order[from]!]!.start, end })
    from = to
  }
  return ranges
}

/** Small ranges share memory. */
function* inGroups(ranges: readonly Range[]): Generator<Range[]> {
  let group: Range[] = []
  let sizeBytes = 0
  for (const range of ranges) {
    const size = range.end - range.start
    if (group.length > 0 && sizeBytes + size > MAX_GROUP_BYTES) {
      yield group
      group = []
      sizeBytes = 0
    }
    group.push(range)
    sizeBytes += size
  }
  if (group.length > 0) yield group
}

function ownMemory(sizeBytes: number): SharedArrayBuffer {
  return new SharedArrayBuffer(sizeBytes)
}

/** How many of the spans, from `from` in `order`, go into one range, and where it ends. */
function extend(
  spans: readonly PageSpan[],
  order: readonly number[],
  { from, nearBytes }: { readonly from: number; readonly nearBytes: number },
): { readonly to: number; readonly end: number } {
  const { start, end: firstEnd } = spans[order[from]!]!
  let end = firstEnd
  let useful = end - start
  let to = from + 1
  for (; to < order.length; to++) {
    const next = spans[order[to]!]!
    const gap = Math.max(0, next.start - end)
    const nextEnd = Math.max(end, next.end)
    if (gap > nearBytes || nextEnd - start > MAX_GROUP_BYTES) break
    useful += Math.max(0, next.end - Math.max(end, next.start))
    if (nextEnd - start > useful * (1 + MAX_WASTE)) break
    end = nextEnd
  }
  return { to, end }
}
