/** The texts of a label index in shared memory, to be handed to worker threads by reference. */
import type { LabelIndex } from './label-index.ts'
import { asBuffer } from '#/kernel/byte-reader.ts'

/** Canonical texts back to back as UTF-8; the text of stream i ends at `ends[i]` and begins where the one before ends. */
export type SharedTexts = {
  readonly text: Uint8Array<SharedArrayBuffer>
  readonly ends: Uint32Array<SharedArrayBuffer>
}

/** The texts of all streams that `index` has now. */
export function shareTexts(index: LabelIndex): SharedTexts {
  if (index.sharedTexts !== undefined) return index.sharedTexts()
  const ends = new Uint32Array(new SharedArrayBuffer(index.count * 4))
  let size = 0
  for (let ordinal = 0; ordinal < index.count; ordinal++) {
    size += Buffer.byteLength(index.text(ordinal))
    ends[ordinal] = size
  }
  const text = new Uint8Array(new SharedArrayBuffer(size))
  const target = asBuffer(text)
  for (let ordinal = 0; ordinal < index.count; ordinal++) {
    target.write(index.text(ordinal), ordinal === 0 ? 0 : ends[ordinal - 1]!)
  }
  return { text, ends }
}

/** Text of stream `ordinal`. */
export function sharedText(shared: SharedTexts, ordinal: number): string {
  const start = ordinal === 0 ? 0 : shared.ends[ordinal - 1]!
  return asBuffer(shared.text).toString('utf8', start, shared.ends[ordinal]!)
}
