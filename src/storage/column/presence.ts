/** Which rows have a value: u8 0 for all, else u8 1 and a bitmap, low bits first. */
import type { TextRanges } from './text-values.ts'
import type { ByteReader } from '#/kernel/byte-reader.ts'
import type { ByteWriter } from '#/kernel/byte-writer.ts'

export function encodePresence({ rowCount, count, rows }: TextRanges, out: ByteWriter): void {
  if (count === rowCount) {
    out.u8(0)
    return
  }
  out.u8(1)
  const bitmap = out.reserve((rowCount + 7) >>> 3).fill(0)
  for (let i = 0; i < count; i++) bitmap[rows[i]! >>> 3]! |= 1 << (rows[i]! & 7)
}

/** The bitmap; undefined when every row has a value. */
export function decodePresence(reader: ByteReader, rowCount: number): Uint8Array | undefined {
  const kind = reader.u8()
  if (kind > 1) throw reader.corruption(`presence kind ${kind} is neither 0 nor 1`)
  return kind === 0 ? undefined : reader.bytes((rowCount + 7) >>> 3)
}

export function isPresent(presence: Uint8Array | undefined, row: number): boolean {
  return presence === undefined || ((presence[row >>> 3]! >>> (row & 7)) & 1) === 1
}

/** Rows between two places whose ranks are kept; a multiple of eight. */
const RANK_STEP = 512
const bitsOf = Uint8Array.from({ length: 256 }, (_, byte) => {
  let bits = 0
  for (let rest = byte; rest > 0; rest >>>= 1) bits += rest & 1
  return bits
})

/** Counts the rows that have a value, and says how many of them stand before a row. */
export class PresenceRanks {
  readonly #presence: Uint8Array
  /** Of rows 0, RANK_STEP, 2 · RANK_STEP … */
  readonly #ranks: Uint32Array
  readonly count: number

  constructor(presence: Uint8Array, rowCount: number) {
    this.#presence = presence
    this.#ranks = new Uint32Array(Math.ceil(rowCount / RANK_STEP))
    let count = 0
    for (let i = 0; i < this.#ranks.length; i++) {
      this.#ranks[i] = count
      count += this.#countBits(i * RANK_STEP, Math.min(rowCount, (i + 1) * RANK_STEP))
    }
    this.count = count
  }

  rankOf(row: number): number {
    const step = Math.floor(row / RANK_STEP)
    return this.#ranks[step]! + this.#countBits(step * RANK_STEP, row)
  }

  /** `from` is a multiple of eight. */
  #countBits(from: number, to: number): number {
    const presence = this.#presence
    const lastByte = to >>> 3
    let bits = 0
    for (let byte = from >>> 3; byte < lastByte; byte++) bits += bitsOf[presence[byte]!]!
    const rest = to & 7
    return rest === 0 ? bits : bits + bitsOf[presence[lastByte]! & ((1 << rest) - 1)]!
  }
}
