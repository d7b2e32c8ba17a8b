/**
 * Values of a few labels as bytes, for more series than objects can be made of. A key has for each of the names in turn, which are
 * sorted by their UTF-8 bytes: uvarint 0 when the series does not have the label, else 1 + the bytes of its value, and these.
 */
import { asBuffer } from '#/kernel/byte-reader.ts'
import { compareUtf8 } from '#/kernel/utf8.ts'
import type { SeriesLabel, SeriesLabels } from './labels.ts'

/** Labels by which series are told apart, in the order in which keys have them. */
export function keyNames(labels: readonly string[]): readonly string[] {
  return [...new Set(labels)].sort(compareUtf8)
}

export function labelsOfKey(names: readonly string[], key: Uint8Array): SeriesLabels {
  const cursor = new KeyCursor(key)
  const labels: SeriesLabel[] = []
  for (const name of names) if (cursor.next()) labels.push([name, cursor.text()])
  return labels
}

/** The position behind the key that begins at `start`. */
export function skipKey(bytes: Uint8Array, start: number, labels: number): number {
  let at = start
  for (let label = 0; label < labels; label++) {
    let head = bytes[at++]!
    if (head >= 128) {
      head -= 128
      for (let shift = 7; ; shift += 7) {
        const byte = bytes[at++]!
        head += (byte & 127) * 2 ** shift
        if (byte < 128) break
      }
    }
    if (head > 0) at += head - 1
  }
  return at
}

/** Orders keys of the same names as their labels are ordered, see `compareLabels`. What is behind them does not matter. */
export function compareKeys(names: readonly string[], keyA: Uint8Array, keyB: Uint8Array): number {
  const a = new KeyCursor(keyA)
  const b = new KeyCursor(keyB)
  for (let i = 0; i < names.length; i++) {
    const [hasA, hasB] = [a.next(), b.next()]
    if (hasA && hasB) {
      const order = Buffer.compare(a.value(), b.value())
      if (order !== 0) return order
    } else if (hasA !== hasB) {
      // whoever has it comes first, unless the other has ended: a prefix comes first
      const other = hasA ? b : a
      let isPrefix = true
      for (let left = i + 1; left < names.length; left++) if (other.next()) isPrefix = false
      return hasA === isPrefix ? 1 : -1
    }
  }
  return 0
}

class KeyCursor {
  readonly #bytes: Uint8Array
  #start = 0
  #end = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  /** Moves to the next label; false when the series does not have it. */
  next(): boolean {
    let head = 0
    let at = this.#end
    for (let factor = 1; ; factor *= 128) {
      const byte = this.#bytes[at++]!
      head += (byte & 127) * factor
      if (byte < 128) break
    }
    this.#start = at
    this.#end = head === 0 ? at : at + head - 1
    return head > 0
  }

  value(): Uint8Array {
    return this.#bytes.subarray(this.#start, this.#end)
  }

  text(): string {
    return asBuffer(this.value()).toString()
  }
}
