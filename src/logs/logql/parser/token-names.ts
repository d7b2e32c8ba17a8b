/** Which words are keywords when, and what messages call a token. */
import { rangeFunctions, vectorFunctions } from '#/logs/logql/functions/index.ts'
import type { TokenKind } from '#/logs/logql/stages/stage.ts'

/** Keywords wherever they stand: none of them can be a label name. */
const reserved: ReadonlySet<string> = new Set(
  (
    'by without bool offset on ignoring group_left group_right or and unless json regexp logfmt unpack pattern ' +
    'label_format line_format decolorize drop keep unwrap'
  ).split(' '),
)

const namedInUpperCase: ReadonlySet<string> = new Set([
  ...rangeFunctions.keys(),
  ...vectorFunctions.keys(),
  'vector',
  'label_replace',
])

/** Keywords only in front of `(`, `by (` or `without (`; elsewhere they are ordinary names. */
const functionWords: ReadonlySet<string> = new Set([...namedInUpperCase, 'bytes', 'duration', 'duration_seconds', 'ip'])

const longestWord = Math.max(...[...reserved, ...functionWords].map((word) => word.length))
const callAhead = /[ \t\r\n]*(?:\(|(?:by|without)[ \t\r\n]*\()/iy

/** A character that begins no token; messages call it an identifier. */
export const strayKind = 'STRAY'

/** Kind of the word `word` that ends at `end` of `text`: a keyword in lower case, or IDENTIFIER. */
export function wordKind(word: string, text: string, end: number): TokenKind {
  if (word.length > longestWord) return 'IDENTIFIER'
  const lower = word.toLowerCase()
  if (reserved.has(lower)) return lower
  if (!functionWords.has(lower)) return 'IDENTIFIER'
  callAhead.lastIndex = end
  return callAhead.test(text) ? lower : 'IDENTIFIER'
}

/** Functions are named in upper case, all other tokens by their text or kind. */
export function tokenName(kind: TokenKind): string {
  if (kind === strayKind) return 'IDENTIFIER'
  return namedInUpperCase.has(kind) ? kind.toUpperCase() : kind
}

/** More alternatives than this are not listed. */
const maxListed = 4

export function unexpectedText(kind: TokenKind, expected: readonly TokenKind[]): string {
  const list =
    expected.length > 0 && expected.length <= maxListed ? `, expecting ${expected.map(tokenName).join(' or ')}` : ''
  return `syntax error: unexpected ${tokenName(kind)}${list}`
}
