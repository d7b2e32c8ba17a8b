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
  for (const byte of needle) if (byte < LOWEST || byte > 0x7f || (byte >= ZERO && byte <= NINE)) return false
  if (needle.length === 1 && clockMarks.includes(needle[0]!)) return false
  return !mayEndPiece(needle, 0, 1) && !mayEndPiece(needle, needle.length - 1, -1)
}

/** Whether the letters a to f from `from` on could be the end of a piece: nothing of a word follows them. */
function mayEndPiece(needle: Uint8Array, from: number, step: 1 | -1): boolean {
  let i = from
  while (i >= 0 && i < needle.length && needle[i]! >= LETTER_A && needle[i]! <= LETTER_F) i += step
  if (i === from) return false
  return i < 0 || i >= needle.length || !isWordByte(needle[i]!)
}

function isWordByte(byte: number): boolean {
  return /[A-Za-z_]/.test(String.fromCharCode(byte))
}
