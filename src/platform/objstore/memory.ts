/** Objects in memory: for tests and for trying things out. */
import { BadRequest, NotFound, throwIfAborted } from '#/kernel/errors.ts'
import type { Clock } from '#/kernel/world.ts'
import { checkKey, compareKeys, splitPrefix } from './key.ts'
import type { ListOptions, ObjectHead, ObjectStore, RangeRead } from './objstore.ts'

type Stored = { readonly data: Buffer; readonly modifiedMs: number }

export class MemoryStore implements ObjectStore {
  readonly nearBytes = 16 * 1024
  readonly #clock: Clock
  readonly #objects = new Map<string, Stored>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  async put(key: string, data: readonly Uint8Array[], signal?: AbortSignal): Promise<void> {
    checkKey(key)
    throwIfAborted(signal)
    this.#objects.set(key, { data: Buffer.concat(data), modifiedMs: this.#clock.nowMs() })
  }

  async readInto(key: string, offset: number, target: Uint8Array, signal?: AbortSignal): Promise<void> {
    const { data } = this.#find(key, signal)
    checkRange(key, data.length, offset, target.byteLength)
    target.set(data.subarray(offset, offset + target.byteLength))
  }

  async readRanges(key: string, ranges: readonly RangeRead[], signal?: AbortSignal): Promise<void> {
    for (const { offset, target } of ranges) await this.readInto(key, offset, target, signal)
  }

  async get(key: string, signal?: AbortSignal): Promise<Buffer> {
    return Buffer.from(this.#find(key, signal).data)
  }

  async head(key: string, signal?: AbortSignal): Promise<ObjectHead | undefined> {
    checkKey(key)
    throwIfAborted(signal)
    const found = this.#objects.get(key)
    return found && headOf(key, found)
  }

  async *list({ prefix, startAfter = '' }: ListOptions, signal?: AbortSignal): AsyncIterable<ObjectHead> {
    splitPrefix(prefix)
    const keys = [...this.#objects.keys()].filter((key) => key.startsWith(prefix) && compareKeys(key, startAfter) > 0)
    for (const key of keys.toSorted(compareKeys)) {
      throwIfAborted(signal)
      const found = this.#objects.get(key)
      if (found !== undefined) yield headOf(key, found)
    }
  }

  async listPrefixes(prefix: string, signal?: AbortSignal): Promise<readonly string[]> {
    checkPrefixLevel(prefix)
    throwIfAborted(signal)
    const found = new Set<string>()
    for (const key of this.#objects.keys()) {
      const end = key.startsWith(prefix) ? key.indexOf('/', prefix.length) : -1
      if (end >= 0) found.add(key.slice(0, end + 1))
    }
    return [...found].toSorted(compareKeys)
  }

  async delete(key: string, signal?: AbortSignal): Promise<void> {
    checkKey(key)
    throwIfAborted(signal)
    this.#objects.delete(key)
  }

  #find(key: string, signal: AbortSignal | undefined): Stored {
    checkKey(key)
    throwIfAborted(signal)
    const found = this.#objects.get(key)
    if (found === undefined) throw new NotFound(`object ${key} does not exist`)
    return found
  }
}

function headOf(key: string, { data, modifiedMs }: Stored): ObjectHead {
  return { key, sizeBytes: data.length, modifiedMs }
}

/** @throws BadRequest when the range does not lie in an object of `sizeBytes`. */
export function checkRange(key: string, sizeBytes: number, offset: number, length: number): void {
  if (Number.isSafeInteger(offset) && offset >= 0 && offset + length <= sizeBytes) return
  throw new BadRequest(`range of ${length} bytes at ${offset} is not inside object ${key} of ${sizeBytes} bytes`)
}

/** @throws BadRequest when `prefix` is neither empty nor a whole level. */
export function checkPrefixLevel(prefix: string): void {
  if (splitPrefix(prefix).start !== '') throw new BadRequest(`prefix '${prefix}' does not end with '/'`)
}
