/**
 * Reads ranges of objects in the thread that needs them: from the page cache that takes a tenth of what it costs the main thread to
 * have it done and to hear of it.
 */
import { NotFound, Unavailable } from '#/kernel/errors.ts'
import { readRangesNow } from '#/platform/world/read-now.ts'
import { checkRange } from './memory.ts'

/** Ranges of an object that is a file (`ObjectStore.fileOf`), to be posted to a thread. */
export type FileReads = {
  readonly key: string
  readonly file: string
  readonly ranges: readonly { readonly offset: number; readonly target: Uint8Array<SharedArrayBuffer> }[]
}

/** @throws as `ObjectStore.readRanges`. */
export function readFileRanges({ key, file, ranges }: FileReads): void {
  let found: { readonly sizeBytes: number }
  try {
    found = readRangesNow(file, ranges)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw new NotFound(`object ${key} does not exist`)
    throw new Unavailable(`cannot read object ${key}: ${(error as Error).message}`, { cause: error })
  }
  for (const { offset, target } of ranges) checkRange(key, found.sizeBytes, offset, target.byteLength)
}
