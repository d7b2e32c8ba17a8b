/** The texts of a label index in shared memory, to be handed to worker threads by reference. */
import type { LabelIndex } from './label-index.ts'
import { asBuffer } from '#/kernel/byte-reader.ts'

/** Canonical texts back to back as UTF-8; the text of stream i ends at `ends[i]` and begins where the one before ends. */
export type SharedLabels = {
  readonly text: Uint8Array<SharedArrayBuffer>
  readonly ends: Uint32Array<SharedArrayBuffer>
}

/** One per index; made anew when the index has grown since. */
const cache = new WeakMap<LabelIndex, SharedLabels>()

/** The texts of all streams that `index` has now. A call without growth in between returns the same object. */
export function shareLabels(index: LabelIndex): SharedLabels {
  const cached = cache.get(index)
  if (cached !== undefined && cached.ends.length === index.count) return cached
  const made = extend(cached, index)
  cache.set(index, made)
  return made
}

/** Text of stream `ordinal`. */
export function sharedText(shared: SharedLabels, ordinal: number): string {
  const start = ordinal === 0 ? 0 : shared.ends[ordinal - 1]!
  return asBuffer(shared.text).toString('utf8', start, shared.ends[ordinal]!)
}

/** Encodes only the texts that `before` does not have. */
function extend(before: SharedLabels | undefined, index: LabelIndex): SharedLabels {
  const known = before?.ends.length ?? 0
  const knownBytes = before?.text.length ?? 0
  const ends = new Uint32Array(new SharedArrayBuffer(index.count * 4))
  if (before !== undefined) ends.set(before.ends)
  let size = knownBytes
  for (let ordinal = known; ordinal < index.count; ordinal++) {
    size += Buffer.byteLength(index.text(ordinal))
    ends[ordinal] = size
  }
  const text = new Uint8Array(new SharedArrayBuffer(size))
  if (before !== undefined) text.set(before.text)
  const target = asBuffer(text)
  for (let ordinal = known; ordinal < index.count; ordinal++) {
    target.write(index.text(ordinal), ordinal === 0 ? 0 : ends[ordinal - 1]!)
  }
  return { text, ends }
}
