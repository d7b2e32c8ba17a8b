/**
 * Compares every byte of a block with its checksums, in one pass from front to end with a window of memory, and says what can
 * still be read.
 */
import { crc32 } from '#/kernel/crc32.ts'
import { Corruption } from '#/kernel/errors.ts'
import type { ObjectStore } from '#/platform/objstore/objstore.ts'
import type { BlockMeta } from '#/storage/block/meta.ts'
import { hex } from '#/storage/block/v1/footer.ts'
import { BLOCK_MAGIC, sectionName } from '#/storage/block/v1/format.ts'
import { readTail } from '#/storage/block/v1/reader.ts'
import { openBlock } from '#/storage/block/versions.ts'
import type { OpenedBlock } from '#/storage/block/v1/reader.ts'
import { metaNameOf } from './columns.ts'

const windowBytes = 4 * 1024 * 1024

export type BlockCheck = {
  /** Undefined when not even the footer can be read. */
  readonly meta: BlockMeta | undefined
  /** Undefined when the block cannot be opened: none of its rows can be read. */
  readonly block: OpenedBlock | undefined
  readonly problems: readonly Corruption[]
  /** Positions of the pages that hold a damaged column. */
  readonly badPages: ReadonlySet<number>
}

export type BlockToCheck = { readonly key: string; readonly sizeBytes: number }

/** @throws NotFound when it is gone, Unavailable when the store does not answer. */
export async function checkBlock(store: ObjectStore, ref: BlockToCheck, signal?: AbortSignal): Promise<BlockCheck> {
  const problems: Corruption[] = []
  const attempt = async <T>(read: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await read()
    } catch (error) {
      problems.push(asDamage(error, ref.key))
      return undefined
    }
  }
  const tail = await attempt(() => readTail({ store, ...ref }, signal))
  if (tail === undefined) return { meta: undefined, block: undefined, problems, badPages: new Set() }
  const block = await attempt(async () => {
    const opened = await openBlock(store, ref, { signal })
    // columns are decoded when they are asked for: here is where they must prove good
    return { ...opened, runs: { ...opened.runs } }
  })
  const badPages = new Set<number>()
  if (block !== undefined) {
    const bytes = new Window(store, ref, signal)
    const start = await bytes.at(0, BLOCK_MAGIC.length)
    if (!BLOCK_MAGIC.equals(start)) {
      problems.push(new Corruption({ file: ref.key, offset: 0 }, 'it does not begin as a block does'))
    }
    for (const span of spansOf(block)) {
      const found = await bytes.crc32(span.offset, span.sizeBytes)
      if (found === span.crc32) continue
      if (span.page !== undefined) badPages.add(span.page)
      const what = `checksum of ${span.what} is ${hex(found)}, expected ${hex(span.crc32)}`
      problems.push(new Corruption({ file: ref.key, offset: span.offset }, what))
    }
  }
  return { meta: tail.meta, block, problems, badPages }
}

/** What a decoder says of bytes that are not what was written may be any error; of the store it is a code of its own. */
function asDamage(error: unknown, file: string): Corruption {
  if (error instanceof Corruption) return error
  const { code, message } = error as { readonly code?: string; readonly message: string }
  if (code === 'not_found' || code === 'unavailable' || code === 'cancelled') throw error
  return new Corruption({ file, offset: 0 }, `it cannot be read: ${message}`, { cause: error })
}

type Span = {
  readonly offset: number
  readonly sizeBytes: number
  readonly crc32: number
  readonly what: string
  readonly page?: number
}

/** Ascending by offset. */
function spansOf({ pages, sections }: OpenedBlock): Span[] {
  const columns = pages.flatMap((page, position) =>
    page.columns.map(({ name, offset, sizeBytes, crc32: sum }): Span => {
      const shown = metaNameOf(name) === undefined ? name : `metadata ${metaNameOf(name)!}`
      return { offset, sizeBytes, crc32: sum, what: `column ${shown} of page ${position}`, page: position }
    }),
  )
  const others = sections.map(({ type, offset, sizeBytes, crc32: sum }): Span => ({
    offset,
    sizeBytes,
    crc32: sum,
    what: `section ${sectionName(type)}`,
  }))
  return [...columns, ...others].sort((a, b) => a.offset - b.offset)
}

/** Parts of an object through a buffer that moves forward. */
class Window {
  readonly #store: ObjectStore
  readonly #ref: BlockToCheck
  readonly #signal: AbortSignal | undefined
  #bytes = Buffer.alloc(0)
  #offset = 0

  constructor(store: ObjectStore, ref: BlockToCheck, signal: AbortSignal | undefined) {
    this.#store = store
    this.#ref = ref
    this.#signal = signal
  }

  /** Bytes from `offset`: at least one, and fewer than `length` only where the window ends. */
  async at(offset: number, length: number): Promise<Buffer> {
    if (offset < this.#offset || offset >= this.#offset + this.#bytes.length) {
      const size = Math.min(windowBytes, this.#ref.sizeBytes - offset)
      const bytes = this.#bytes.length === size ? this.#bytes : Buffer.allocUnsafeSlow(size)
      await this.#store.readInto(this.#ref.key, offset, bytes, this.#signal)
      this.#bytes = bytes
      this.#offset = offset
    }
    const start = offset - this.#offset
    return this.#bytes.subarray(start, start + length)
  }

  async crc32(offset: number, sizeBytes: number): Promise<number> {
    let sum = 0
    for (let done = 0; done < sizeBytes;) {
      const part = await this.at(offset + done, sizeBytes - done)
      sum = crc32(part, sum)
      done += part.length
    }
    return sum
  }
}
