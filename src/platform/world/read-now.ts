/** Reads a file while the thread waits: for worker threads, which have nothing else to do. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'

export type RangeOfFile = { readonly offset: number; readonly target: Uint8Array }

/** Fills targets as far as the file goes; errors are Node's. */
export function readRangesNow(path: string, ranges: readonly RangeOfFile[]): { readonly sizeBytes: number } {
  const file = openSync(path, 'r')
  try {
    for (const { offset, target } of ranges) readRange(file, offset, target)
    return { sizeBytes: fstatSync(file).size }
  } finally {
    closeSync(file)
  }
}

function readRange(file: number, offset: number, target: Uint8Array): void {
  for (let done = 0; done < target.byteLength;) {
    const count = readSync(file, target, done, target.byteLength - done, offset + done)
    if (count === 0) return
    done += count
  }
}
