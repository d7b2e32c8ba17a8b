/**
 * What is kept in memory of the filters of blocks: open filters, and chunks of what was read for them. Questions repeat, and so do
 * the rows of a filter that they look at.
 */
import type { CachePart } from '#/platform/memory/caches.ts'
import type { ObjectStore } from '#/platform/objstore/objstore.ts'
import type { BlockFilter, ReadSection } from '#/storage/filter/filter.ts'

/** What is read and kept at least. */
const CHUNK_BYTES = 16 * 1024
/** Larger reads, as of what an open filter holds anyway, pass the chunks by. */
const MAX_CHUNKED_BYTES = 256 * 1024

/** A block in its store. */
export type StoredBlock = { readonly store: ObjectStore; readonly key: string; readonly sizeBytes: number }

type OpenFilter = (read: ReadSection) => Promise<BlockFilter | undefined>
type Chunk = Uint8Array | Promise<Uint8Array>

/** Reads what is asked for, each time. */
export function plainReader({ store, key }: StoredBlock): ReadSection {
  return async (offset, sizeBytes) => {
    const bytes = new Uint8Array(sizeBytes)
    await store.readInto(key, offset, bytes)
    return bytes
  }
}

export class FilterCache {
  readonly #kept: CachePart<BlockFilter | Uint8Array>
  /** What is on its way: callers at the same time share one reading. */
  readonly #reading = new Map<string, Promise<Uint8Array>>()
  readonly #opening = new Map<string, Promise<BlockFilter | undefined>>()

  constructor(kept: CachePart<BlockFilter | Uint8Array>) {
    this.#kept = kept
  }

  /** The filter of a block, opened by `open` if need be; that reads positions in the object. */
  async filterOf(block: StoredBlock, open: OpenFilter): Promise<BlockFilter | undefined> {
    const { key } = block
    const known = this.#kept.get(key)
    if (known !== undefined && !(known instanceof Uint8Array)) return known
    let opening = this.#opening.get(key)
    if (opening === undefined) {
      opening = this.#open(block, open).finally(() => this.#opening.delete(key))
      this.#opening.set(key, opening)
    }
    return opening
  }

  async #open(block: StoredBlock, open: OpenFilter): Promise<BlockFilter | undefined> {
    const filter = await open((offset, sizeBytes) => this.#read(block, offset, sizeBytes))
    if (filter !== undefined) this.#kept.set(block.key, filter, filter.memoryBytes)
    return filter
  }

  async #read(block: StoredBlock, offset: number, sizeBytes: number): Promise<Uint8Array> {
    if (sizeBytes > MAX_CHUNKED_BYTES || sizeBytes === 0) return plainReader(block)(offset, sizeBytes)
    const first = Math.floor(offset / CHUNK_BYTES)
    const last = Math.floor((offset + sizeBytes - 1) / CHUNK_BYTES)
    const start = offset - first * CHUNK_BYTES
    const chunks = this.#chunks(block, first, last)
    const bytes = first === last ? await chunks[0]! : await joined(chunks)
    return bytes.subarray(start, start + sizeBytes)
  }

  /** Chunks `first` to `last`; those that are missing and stand side by side are read at once. */
  #chunks(block: StoredBlock, first: number, last: number): readonly Chunk[] {
    const chunks: (Chunk | undefined)[] = []
    for (let number = first; number <= last; number++) {
      const id = chunkId(block.key, number)
      chunks.push((this.#kept.get(id) as Uint8Array | undefined) ?? this.#reading.get(id))
    }
    for (let at = 0; at < chunks.length; at++) {
      if (chunks[at] !== undefined) continue
      let end = at + 1
      while (end < chunks.length && chunks[end] === undefined) end++
      const read = this.#load(block, first + at, first + end)
      for (const chunk of read) chunks[at++] = chunk
    }
    return chunks as Chunk[]
  }

  /** Reads chunks `[from, to)` at once. Not ended by the signal of one query, as others may wait for the same. */
  #load({ store, key, sizeBytes }: StoredBlock, from: number, to: number): readonly Promise<Uint8Array>[] {
    const start = from * CHUNK_BYTES
    const bytes = new Uint8Array(Math.min(to * CHUNK_BYTES, sizeBytes) - start)
    const reading = store.readInto(key, start, bytes)
    return Array.from({ length: to - from }, (_, i) => {
      const id = chunkId(key, from + i)
      const chunk = reading
        .then(() => {
          // a copy, so that one chunk does not keep its neighbours
          const own = to - from === 1 ? bytes : bytes.slice(i * CHUNK_BYTES, (i + 1) * CHUNK_BYTES)
          this.#kept.set(id, own, own.length)
          return own
        })
        .finally(() => this.#reading.delete(id))
      this.#reading.set(id, chunk)
      return chunk
    })
  }
}

async function joined(chunks: readonly Chunk[]): Promise<Uint8Array> {
  return Buffer.concat(await Promise.all(chunks.map(async (chunk) => chunk)))
}

function chunkId(key: string, number: number): string {
  return `${key} ${number}`
}
