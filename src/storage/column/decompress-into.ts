/**
 * Decompresses a zstd frame into memory of the caller. The public calls of `node:zlib` allocate their output, which for pages of
 * megabytes costs more than a tenth of the time and leaves the memory to the collector. The class behind them can write where it is
 * told (`_handle.writeSync`, as packages like minizlib use it); where a Node does not have that, the public call and a copy do the same.
 */
import { constants, createZstdDecompress, zstdDecompressSync } from 'node:zlib'

/** What is used of Node's stream: `state` becomes [room left in the output, bytes left of the input] with each write. */
type Inflater = {
  readonly handle: { reset(): void; writeSync(...write: readonly (number | Uint8Array)[]): void }
  readonly state: Uint32Array
  readonly failed: () => boolean
}

let inflater: Inflater | undefined

/**
 * Fills the front of `target` and returns how many bytes that were. `target` must have at least one byte more than is expected, so that
 * a frame with more is told from one that fits. @throws Error when `frame` is not one whole frame, or has no room.
 */
export function decompressInto(frame: Uint8Array, target: Uint8Array): number {
  inflater ??= makeInflater()
  return inflater === undefined ? decompressAndCopy(frame, target) : writeInto(inflater, frame, target)
}

function writeInto({ handle, state, failed }: Inflater, frame: Uint8Array, target: Uint8Array): number {
  handle.reset()
  handle.writeSync(constants.ZSTD_e_end, frame, 0, frame.length, target, 0, target.length)
  const [room = 0, left = 0] = state
  if (!failed() && left === 0 && room > 0) return target.length - room
  // a stream that has seen an error is of no more use
  inflater = undefined
  throw new Error('the bytes are not one zstd frame that fits')
}

/** For a Node without the inner call. */
export function decompressAndCopy(frame: Uint8Array, target: Uint8Array): number {
  const bytes = zstdDecompressSync(frame, { maxOutputLength: target.length - 1 })
  target.set(bytes)
  return bytes.length
}

function makeInflater(): Inflater | undefined {
  const stream = createZstdDecompress() as unknown as {
    readonly _handle?: Inflater['handle']
    readonly _writeState?: Uint32Array
    readonly destroyed: boolean
    on(event: 'error', listener: () => void): void
  }
  const { _handle: handle, _writeState: state } = stream
  if (typeof handle?.writeSync !== 'function' || typeof handle.reset !== 'function') return undefined
  if (!(state instanceof Uint32Array)) return undefined
  // errors are told by `destroyed`, at once
  stream.on('error', () => undefined)
  return { handle, state, failed: () => stream.destroyed }
}
