/**
 * Searching lines without putting them together. Where ./line-slots.ts has cut something out, every piece has a digit or a byte below
 * 9, begins and ends with a digit or a letter a to f, and when it begins or ends with such a letter no letter, digit or `_` stands
 * there beside it. So a text without digits lies in a line just where it lies in the line's cut text, unless it may begin or end
 * inside a piece.
 */
const ZERO = 0x30
const NINE = 0x39
const LOWEST = 9
const LETTER_A = 0x61
const LETTER_F = 0x66
const clockMarks = Buffer.from(':.,')

/** Whether the lines that contain `needle` are those whose cut text contains it. */
export function isFoundInCutText(needle: Uint8Array): boolean {
  if (needle.length === 0) return false
  if (!needle.every(isPlain)) return false
  if (needle.length === 1 && clockMarks.includes(needle[0]!)) return false
  return !mayEndPiece(needle, 0, 1) && !mayEndPiece(needle, needle.length - 1, -1)
}

/**
 * The longest part of `needle` that {@link isFoundInCutText}: lines that contain the needle have it in their cut text. Undefined
 * when no part is as long as `least`.
 */
export function partInCutText(needle: Uint8Array, least: number): Uint8Array | undefined {
  let best: Uint8Array | undefined
  for (let from = 0; from < needle.length; from++) {
    if (!isPlain(needle[from]!)) continue
    let to = from
    while (to < needle.length && isPlain(needle[to]!)) to++
    const part = withoutPieceEnds(needle.subarray(from, to))
    if (part.length >= least && part.length > (best?.length ?? 0) && isFoundInCutText(part)) best = part
    from = to
  }
  return best
}

/** Without letters a to f at either end that may be those of a piece. */
function withoutPieceEnds(part: Uint8Array): Uint8Array {
  let [from, to] = [0, part.length]
  if (mayEndPiece(part, 0, 1)) while (from < to && isPieceLetter(part[from]!)) from++
  const rest = part.subarray(from)
  if (rest.length > 0 && mayEndPiece(rest, rest.length - 1, -1)) while (to > from && isPieceLetter(part[to - 1]!)) to--
  return part.subarray(from, to)
}

/** Neither a digit nor an operation or its operand. */
function isPlain(byte: number): boolean {
  return byte >= LOWEST && byte <= 0x7f && (byte < ZERO || byte > NINE)
}

function isPieceLetter(byte: number): boolean {
  return byte >= LETTER_A && byte <= LETTER_F
}

/** Whether the letters a to f from `from` on could be the end of a piece: nothing of a word follows them. */
function mayEndPiece(needle: Uint8Array, from: number, step: 1 | -1): boolean {
  let i = from
  while (i >= 0 && i < needle.length && isPieceLetter(needle[i]!)) i += step
  if (i === from) return false
  return i < 0 || i >= needle.length || !isWordByte(needle[i]!)
}

function isWordByte(byte: number): boolean {
  return /[A-Za-z_]/.test(String.fromCharCode(byte))
}
