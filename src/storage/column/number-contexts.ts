/** The numbers part of cut lines (docs/formats/block-v1.md, line-templates): which contexts it has, and how many numbers of each. */
import { CONTEXTS, MAX_SLOT_NUMBERS } from './line-slots-memory.ts'
import { decodePackedU32 } from './packed-u32.ts'
import type { ByteReader } from '#/kernel/byte-reader.ts'

/** Numbers of a context: `count` of them, behind `before` of other contexts. */
export type ContextNumbers = { readonly before: number; readonly count: number }

/** Calls `read` where the packed numbers of each context begin; it must pass over them. */
export function eachContext(reader: ByteReader, read: (context: number, numbers: ContextNumbers) => void): void {
  const contexts = reader.count(CONTEXTS, 'contexts')
  const steps = decodePackedU32(reader, contexts)
  const counts = decodePackedU32(reader, contexts)
  let context = 0
  let before = 0
  for (let i = 0; i < contexts; i++) {
    context += steps[i]!
    const count = counts[i]!
    if (context >= CONTEXTS) throw reader.corruption(`context ${context} of ${CONTEXTS}`)
    if (before + count > MAX_SLOT_NUMBERS) {
      throw reader.corruption(`${before + count} numbers exceed ${MAX_SLOT_NUMBERS}`)
    }
    read(context, { before, count })
    before += count
  }
  reader.end()
}
