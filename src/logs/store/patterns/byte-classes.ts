/**
 * What each byte means to the tokens of a line. Bits, so that the classes of a token's bytes can be gathered with `|`; a byte
 * without any divides tokens.
 */
export const LETTER = 1
/** `_`, `-` and `.`, which names of fields have as well. */
export const JOINER = 2
export const DIGIT = 4
/** Other signs inside words, as in paths and addresses. */
export const SIGN = 8
/** What a pattern cannot have as text: `<` begins a hole, the rest is lost or misread between quotes of LogQL. */
export const UNFIT = 16
/** Part of a character beyond ASCII. */
export const HIGH = 32

const DIVIDERS = ' \t\n"\'()[]{}|;='
const UNFIT_SIGNS = '<`'

export const classOfByte: Uint8Array = Uint8Array.from({ length: 256 }, (_, byte) => {
  const sign = String.fromCharCode(byte)
  if (byte >= 0x80) return HIGH
  if (DIVIDERS.includes(sign)) return 0
  if (byte < 0x20 || byte === 0x7f || UNFIT_SIGNS.includes(sign)) return UNFIT
  if (/[a-zA-Z]/.test(sign)) return LETTER
  if (/\d/.test(sign)) return DIGIT
  return '_-.'.includes(sign) ? JOINER : SIGN
})
