/**
 * Columns of pages that queries read again and again, as they are stored: times, levels, labels of the metadata, never lines. A store
 * that is far away is spared a request, a file that is near is spared the reading.
 */
import type { PageSpan } from './plan-reads.ts'
import type { CachePart } from '#/platform/memory/caches.ts'
import { PartCache } from '#/platform/memory/kept-parts.ts'

/** Larger spans are of scans, which come by once. */
const MAX_SPAN_BYTES = 64 * 1024

export type SharedBytes = Uint8Array<SharedArrayBuffer>

/** A scan of more than fits must not copy much, nor drop shared memory by the megabyte, which forces collections. */
const ADMITTED = 64

export class ColumnCache {
  readonly #spans: PartCache

  constructor(cache: CachePart<object>) {
    this.#spans = new PartCache(cache, ADMITTED)
  }

  /** The bytes of a span of an object, which are nobody's to change; undefined when they must be read. */
  get(key: string, span: PageSpan): SharedBytes | undefined {
    return span.end - span.start > MAX_SPAN_BYTES ? undefined : (this.#spans.get(idOf(key, span)) as SharedBytes)
  }

  /** Takes a copy of what was read, if there is room or it is its turn. */
  offer(key: string, span: PageSpan, bytes: SharedBytes): void {
    if (bytes.length > MAX_SPAN_BYTES) return
    this.#spans.offer(idOf(key, span), bytes.length, () => copyOf(bytes))
  }
}

function idOf(key: string, { start, end }: PageSpan): string {
  return `${key} ${start} ${end}`
}

function copyOf(bytes: SharedBytes): SharedBytes {
  const copy = new Uint8Array(new SharedArrayBuffer(bytes.length))
  copy.set(bytes)
  return copy
}
