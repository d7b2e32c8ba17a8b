/**
 * Finds names and values in a canonical label text in its usual form, `{name="value", name="value"}`: identifiers that ascend,
 * values without escapes. Every other text, canonical or not, is for the parser of label sets.
 */

const OPEN = 0x7b
const CLOSE = 0x7d
const COMMA = 0x2c
const SPACE = 0x20
const EQUALS = 0x3d
const QUOTE = 0x22
const BACKSLASH = 0x5c

/** What of the last text was found: four positions for each label, the range of its name and that of its value. */
let ranges = new Uint32Array(64)

/** Positions found by the last {@link scanLabels}. */
export function labelRanges(): Uint32Array {
  return ranges
}

/** Count of the labels of `bytes[from, to)`; -1 when it is not in the usual form. */
export function scanLabels(bytes: Uint8Array, from: number, to: number): number {
  if (to - from < 2 || bytes[from] !== OPEN || bytes[to - 1] !== CLOSE) return -1
  let count = 0
  for (let at = from + 1; ; at += 2) {
    const nameEnd = endOfName(bytes, at)
    if (nameEnd < 0 || bytes[nameEnd] !== EQUALS || bytes[nameEnd + 1] !== QUOTE) return -1
    const valueEnd = endOfValue(bytes, nameEnd + 2, to)
    if (valueEnd <= nameEnd + 2) return -1
    if (count > 0 && !isAfter(bytes, at, nameEnd, ranges[count * 4 - 4]!, ranges[count * 4 - 3]!)) return -1
    if (count * 4 === ranges.length) ranges = grown(ranges)
    ranges[count * 4] = at
    ranges[count * 4 + 1] = nameEnd
    ranges[count * 4 + 2] = nameEnd + 2
    ranges[count * 4 + 3] = valueEnd
    count++
    at = valueEnd + 1
    if (at === to - 1) return count
    if (bytes[at] !== COMMA || bytes[at + 1] !== SPACE) return -1
  }
}

function endOfName(bytes: Uint8Array, from: number): number {
  for (let at = from; ; at++) {
    const code = bytes[at]!
    const isLetter = (code >= 0x61 && code <= 0x7a) || (code >= 0x41 && code <= 0x5a) || code === 0x5f
    if (isLetter || (at > from && code >= 0x30 && code <= 0x39)) continue
    return at > from ? at : -1
  }
}

/** -1 when there are escapes, control characters or no end. */
function endOfValue(bytes: Uint8Array, from: number, to: number): number {
  for (let at = from; at < to; at++) {
    const code = bytes[at]!
    if (code === QUOTE) return at
    if (code === BACKSLASH || code < 0x20) return -1
  }
  return -1
}

/** Whether the name [from, to) comes behind the one at [beforeFrom, beforeTo) by its bytes. */
function isAfter(bytes: Uint8Array, from: number, to: number, beforeFrom: number, beforeTo: number): boolean {
  for (; from < to && beforeFrom < beforeTo; from++, beforeFrom++) {
    if (bytes[from] !== bytes[beforeFrom]) return bytes[from]! > bytes[beforeFrom]!
  }
  return from < to
}

function grown(array: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(array.length * 2)
  larger.set(array)
  return larger
}
