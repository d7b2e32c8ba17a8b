/** Case and blanks of text, rune by rune as Go maps them: one rune becomes one rune, whatever stands around it. */

const ascii = /^[\0-\x7f]*$/

export function lowerCase(text: string): string {
  return ascii.test(text) ? text.toLowerCase() : mapRunes(text, lowerRune)
}

export function upperCase(text: string): string {
  return ascii.test(text) ? text.toUpperCase() : mapRunes(text, upperRune)
}

/** The first letter of each word in upper case; in ASCII, all but letters, digits and `_` separates words. */
export function titleCase(text: string): string {
  return text.replaceAll(/(?<=^|[\0-/:-@[-^`{-\x7f]|[^\0-\x7f\P{White_Space}])[^\0-@[-`{-\x7f]/gu, upperRune)
}

export function trimSpace(text: string): string {
  let start = 0
  let end = text.length
  while (start < end && isSpace(text[start]!)) start++
  while (end > start && isSpace(text[end - 1]!)) end--
  return text.slice(start, end)
}

const isSpace = (char: string): boolean => /[\t-\r \u0085\p{Z}]/u.test(char)

function mapRunes(text: string, map: (rune: string) => string): string {
  let mapped = ''
  for (const rune of text) mapped += map(rune)
  return mapped
}

function upperRune(rune: string): string {
  return oneRune(rune, rune.toUpperCase())
}

function lowerRune(rune: string): string {
  return rune === '\u0130' ? 'i' : oneRune(rune, rune.toLowerCase())
}

function oneRune(rune: string, mapped: string): string {
  return mapped.length === ((mapped.codePointAt(0) ?? 0) > 0xffff ? 2 : 1) ? mapped : rune
}
