/**
 * The names of structured metadata that the heads of one tenant share, and the translation of a batch's positions into theirs.
 */
import type { EntryBatch } from '#/logs/wire/entry-batch.ts'
import { uvarintSize, writeUvarint } from '#/kernel/varint.ts'

export class MetaNames {
  readonly #positions = new Map<string, number>()
  #texts: readonly string[] = []
  #snapshot: readonly string[] | undefined

  get count(): number {
    return this.#positions.size
  }

  /** All names by position. The array never changes; more names make another one. */
  get texts(): readonly string[] {
    if (this.#snapshot === undefined) this.#snapshot = this.#texts = [...this.#positions.keys()]
    return this.#texts
  }

  positionOf(name: string): number {
    const known = this.#positions.get(name)
    if (known !== undefined) return known
    const position = this.#positions.size
    this.#positions.set(name, position)
    this.#snapshot = undefined
    return position
  }
}

/** The metadata of a batch's rows, back to back in the order of rows. */
export type RowMeta = { readonly meta: Uint8Array; readonly metaStart: Uint32Array; readonly metaLength: Uint32Array }

/** The metadata of a compact batch with positions in `names`. The batch's own when they agree. */
export function translateMeta(batch: EntryBatch, names: MetaNames): RowMeta {
  const positions = batch.metaNames.map((name) => names.positionOf(name))
  if (batch.meta.length === 0 || positions.every((position, index) => position === index)) return batch
  const widest = Math.max(...positions.map(uvarintSize))
  // a position that takes as many bytes as before can be patched where it stands
  if (widest === 1 && positions.length <= 128) return patchMeta(batch, positions)
  return rewriteMeta(batch, positions, widest)
}

function patchMeta(batch: EntryBatch, positions: readonly number[]): RowMeta {
  const { metaStart, metaLength } = batch
  const meta = Buffer.from(batch.meta)
  for (let at = 0; at < meta.length;) {
    meta[at] = positions[meta[at]!]!
    at++
    let length = 0
    let byte: number
    let factor = 1
    do {
      byte = meta[at++]!
      length += (byte & 127) * factor
      factor *= 128
    } while (byte >= 128)
    at += length
  }
  return { meta, metaStart, metaLength }
}

function rewriteMeta(batch: EntryBatch, positions: readonly number[], widest: number): RowMeta {
  const { meta: source, rowCount } = batch
  // a pair takes at least two bytes and its name grows by less than the widest position
  const target = Buffer.allocUnsafeSlow(source.length + Math.ceil(source.length / 2) * (widest - 1))
  const metaStart = new Uint32Array(rowCount)
  const metaLength = new Uint32Array(rowCount)
  const cursor = { at: 0 }
  let end = 0
  for (let row = 0; row < rowCount; row++) {
    metaStart[row] = end
    const rowEnd = batch.metaStart[row]! + batch.metaLength[row]!
    cursor.at = batch.metaStart[row]!
    while (cursor.at < rowEnd) {
      end = writeUvarint(target, end, positions[readUvarint(source, cursor)]!)
      const length = readUvarint(source, cursor)
      end = writeUvarint(target, end, length)
      source.copy(target, end, cursor.at, cursor.at + length)
      cursor.at += length
      end += length
    }
    metaLength[row] = end - metaStart[row]!
  }
  return { meta: target.subarray(0, end), metaStart, metaLength }
}

function readUvarint(bytes: Uint8Array, cursor: { at: number }): number {
  let value = 0
  let factor = 1
  let byte: number
  do {
    byte = bytes[cursor.at++]!
    value += (byte & 127) * factor
    factor *= 128
  } while (byte >= 128)
  return value
}
