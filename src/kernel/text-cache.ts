/**
 * Short texts out of byte ranges, without making the same string again and again: log lines repeat their values (`200`,
 * `GET`, `info`), and creating a string costs more than comparing its bytes. Equal texts come out as the same string, so maps
 * keyed by them hash once.
 *
 * Direct-mapped: a text whose slot is taken by another replaces it. Memory is fixed by the two constants.
 */
import { utf8Text } from './buffer-text.ts'
const SLOTS = 4096
const MAX_LENGTH = 24

export class TextCache {
  readonly #texts: string[] = new Array<string>(SLOTS).fill('')
  readonly #lengths = new Uint8Array(SLOTS)
  readonly #bytes = new Uint8Array(SLOTS * MAX_LENGTH)

  /** The text of `bytes[start, end)` as UTF-8; invalid bytes become U+FFFD. */
  get(bytes: Buffer, start: number, end: number): string {
    const length = end - start
    if (length > MAX_LENGTH) return utf8Text(bytes, start, end)
    let hash = length
    for (let i = start; i < end; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193)
    const slot = (hash ^ (hash >>> 15)) & (SLOTS - 1)
    const base = slot * MAX_LENGTH
    if (this.#lengths[slot] === length && this.#isSame(base, bytes, start, length)) return this.#texts[slot]!
    const text = utf8Text(bytes, start, end)
    for (let i = 0; i < length; i++) this.#bytes[base + i] = bytes[start + i]!
    this.#lengths[slot] = length
    this.#texts[slot] = text
    return text
  }

  #isSame(base: number, bytes: Buffer, start: number, length: number): boolean {
    const kept = this.#bytes
    for (let i = 0; i < length; i++) if (kept[base + i] !== bytes[start + i]) return false
    return true
  }
}
