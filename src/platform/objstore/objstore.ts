/**
 * The contract of an object store. Keys are `/`-separated names without `.`, `..` or empty parts. A `put` is atomic: a reader
 * sees the whole object or none, and after it resolves the object survives power loss. Every implementation passes
 * `conformance.ts`.
 */
export interface ObjectStore {
  /** A request costs about as much as reading so many bytes more: ranges that are nearer are better read as one. */
  readonly nearBytes: number
  /** Writes an object, over an old one if there is one. @throws Unavailable when the store cannot take it (`cause` tells). */
  put(key: string, data: readonly Uint8Array[], signal?: AbortSignal): Promise<void>
  /**
   * Reads `[offset, offset + length)` into `target` from its start. @throws NotFound; BadRequest when the range does not lie in
   * the object.
   */
  readInto(key: string, offset: number, target: Uint8Array, signal?: AbortSignal): Promise<void>
  /** As {@link readInto}, several ranges of one object. */
  readRanges(key: string, ranges: readonly RangeRead[], signal?: AbortSignal): Promise<void>
  /**
   * The file that has the object, for a thread that reads `sizeBytes` of it by itself (./read-file.ts); undefined where there are no
   * such files.
   */
  fileOf?(key: string, sizeBytes: number): string | undefined
  /** The whole object. @throws NotFound. */
  get(key: string, signal?: AbortSignal): Promise<Buffer>
  /** Undefined when there is no such object. */
  head(key: string, signal?: AbortSignal): Promise<ObjectHead | undefined>
  /**
   * Keys that begin with `prefix`, in ascending byte order, behind `startAfter`.
   */
  list(options: ListOptions, signal?: AbortSignal): AsyncIterable<ObjectHead>
  /** Common prefixes one level below `prefix` (which ends with `/` or is empty), each with its `/`, ascending. */
  listPrefixes(prefix: string, signal?: AbortSignal): Promise<readonly string[]>
  /** No error when there is no such object. */
  delete(key: string, signal?: AbortSignal): Promise<void>
}

/** Bytes from `offset` on, as many as `target` has room for. */
export type RangeRead = { readonly offset: number; readonly target: Uint8Array }
export type ObjectHead = { readonly key: string; readonly sizeBytes: number; readonly modifiedMs: number }
export type ListOptions = { readonly prefix: string; readonly startAfter?: string }
