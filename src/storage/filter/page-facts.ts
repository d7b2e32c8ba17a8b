/** What the filter knows of a page besides its keys; stored, docs/formats/block-v1.md. */

/** The page has more keys than the filter takes, or none of them is known: it may hold anything. */
export const FLAG_UNFILTERED = 1
/** Some words of the page are keys: the table was full, or they are too long. */
export const FLAG_WORDS_AS_KEYS = 2
/** The grams of the page are not among the keys. */
export const FLAG_NO_GRAMS = 4
/** The page has runes that fold to letters of ASCII. */
export const FLAG_FOLDING = 8

/** Longer tokens count as this long. */
export const MAX_TOKEN_LENGTH = 63

export type PageFacts = {
  readonly flags: number
  /** Bit n: there is a token of n bytes that is no word of the table; bits 0 to 31 and 32 to 63. */
  readonly lowLengths: number
  readonly highLengths: number
}
