/**
 * Refuses queries whose regular expressions would take long to read: a class of Unicode costs milliseconds when it is named for the
 * first time, and a character class without regard to case a few microseconds. Looks at the text of the query alone, so
 * that the answer comes before the work; what merely looks like a class counts, too.
 */
import { ParseError } from './parse-error.ts'

/** Different `\p{…}` in one query. */
export const maxUnicodeClasses = 12
/** Bracket and named classes, and ranges inside of brackets, in a query with `(?i)`. */
export const maxCaselessRanges = 3000

/** @throws ParseError */
export function checkRegexCost(query: string): void {
  const at = { start: 0, end: query.length }
  if (/\\p/i.test(query)) {
    const names = new Set(query.matchAll(/\\[pP](?:\{\^?([^}]*)\}|(\w))/g).map(([, long, short]) => long ?? short))
    if (names.size > maxUnicodeClasses) {
      const message = `the query names ${names.size} different Unicode classes, the limit is ${maxUnicodeClasses}`
      throw new ParseError(message, at)
    }
  }
  if (!/\(\?[msU]*i/.test(query)) return
  const ranges = countRanges(query)
  if (ranges <= maxCaselessRanges) return
  const message = `the query has ${ranges} character classes and ranges without regard to case, the limit is ${maxCaselessRanges}`
  throw new ParseError(message, at)
}

/** Openings of bracket classes, and dashes and named classes between `[` and `]`. */
function countRanges(query: string): number {
  let count = 0
  for (const [piece] of query.matchAll(/\[[^\]]*|\\p/gi)) {
    count++
    if (piece[0] !== '[') continue
    for (let at = piece.indexOf('-'); at >= 0; at = piece.indexOf('-', at + 1)) count++
    for (let at = piece.indexOf('\\p'); at >= 0; at = piece.indexOf('\\p', at + 1)) count++
  }
  return count
}
