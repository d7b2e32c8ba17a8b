/** Wraps a store and reports every operation: its name, duration, bytes and outcome. */
import type { Clock } from '#/kernel/world.ts'
import type { ListOptions, ObjectHead, ObjectStore, RangeRead } from './objstore.ts'

export type StoreOperation = 'put' | 'read' | 'get' | 'head' | 'list' | 'delete'

export type StoreObserver = {
  /** `bytes` are those of object contents that went over the wire; 0 when the operation failed. */
  readonly operation: (name: StoreOperation, seconds: number, bytes: number, error: unknown) => void
}

export class MeteredStore implements ObjectStore {
  readonly nearBytes: number
  readonly #store: ObjectStore
  readonly #observer: StoreObserver
  readonly #clock: Clock

  constructor(store: ObjectStore, observer: StoreObserver, clock: Clock) {
    this.#store = store
    this.nearBytes = store.nearBytes
    this.#observer = observer
    this.#clock = clock
  }

  put(key: string, data: readonly Uint8Array[], signal?: AbortSignal): Promise<void> {
    const sizeBytes = data.reduce((sum, part) => sum + part.byteLength, 0)
    return this.#measure('put', () => this.#store.put(key, data, signal), sizeBytes)
  }

  readInto(key: string, offset: number, target: Uint8Array, signal?: AbortSignal): Promise<void> {
    return this.#measure('read', () => this.#store.readInto(key, offset, target, signal), target.byteLength)
  }

  readRanges(key: string, ranges: readonly RangeRead[], signal?: AbortSignal): Promise<void> {
    const sizeBytes = ranges.reduce((sum, { target }) => sum + target.byteLength, 0)
    return this.#measure('read', () => this.#store.readRanges(key, ranges, signal), sizeBytes)
  }

  /** What threads read counts as read in no time. */
  fileOf(key: string, sizeBytes: number): string | undefined {
    const file = this.#store.fileOf?.(key, sizeBytes)
    if (file !== undefined) this.#observer.operation('read', 0, sizeBytes, undefined)
    return file
  }

  get(key: string, signal?: AbortSignal): Promise<Buffer> {
    return this.#measure(
      'get',
      () => this.#store.get(key, signal),
      (found) => found.length,
    )
  }

  head(key: string, signal?: AbortSignal): Promise<ObjectHead | undefined> {
    return this.#measure('head', () => this.#store.head(key, signal), 0)
  }

  async *list(options: ListOptions, signal?: AbortSignal): AsyncIterable<ObjectHead> {
    const startMs = this.#clock.monotonicMs()
    let failure: unknown
    try {
      yield* this.#store.list(options, signal)
    } catch (error) {
      failure = error
      throw error
    } finally {
      this.#report('list', startMs, 0, failure)
    }
  }

  listPrefixes(prefix: string, signal?: AbortSignal): Promise<readonly string[]> {
    return this.#measure('list', () => this.#store.listPrefixes(prefix, signal), 0)
  }

  delete(key: string, signal?: AbortSignal): Promise<void> {
    return this.#measure('delete', () => this.#store.delete(key, signal), 0)
  }

  async #measure<T>(name: StoreOperation, run: () => Promise<T>, bytes: number | ((result: T) => number)): Promise<T> {
    const startMs = this.#clock.monotonicMs()
    try {
      const result = await run()
      this.#report(name, startMs, typeof bytes === 'number' ? bytes : bytes(result), undefined)
      return result
    } catch (error) {
      this.#report(name, startMs, 0, error)
      throw error
    }
  }

  #report(name: StoreOperation, startMs: number, bytes: number, error: unknown): void {
    this.#observer.operation(name, (this.#clock.monotonicMs() - startMs) / 1000, bytes, error)
  }
}
