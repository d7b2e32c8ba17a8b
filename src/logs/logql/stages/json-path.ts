/**
 * The expressions of `json label="expression"`: `field`, `a.b`, `a[0]`, `["key with . or space"]`, `a["b"][1].c`. A field is a run of
 * characters other than `.`, `[`, `]`, quotes and blanks that does not begin with a digit.
 */
export class JsonPathError extends Error {
  override readonly name = 'JsonPathError'
}

const field = /[^\s.[\]"`\d][^\s.[\]"`]*/y
const bracket = /\[\s*(?:(\d+)|("(?:[^"\\]|\\.)*"))\s*\]/y

/** Member names as strings, array indexes as numbers; never empty. @throws {@link JsonPathError} */
export function parseJsonPath(text: string): (string | number)[] {
  const path: (string | number)[] = []
  let at = 0
  while (at < text.length) {
    const character = text[at]
    if (character === '[') {
      bracket.lastIndex = at
      const match = bracket.exec(text)
      if (!match) throw unexpected(text, at)
      path.push(match[1] === undefined ? unquoteMember(match[2] ?? '', at) : indexOf(match[1]))
      at = bracket.lastIndex
      continue
    }
    if (path.length > 0) {
      if (character !== '.') throw unexpected(text, at)
      at++
    }
    field.lastIndex = at
    const match = field.exec(text)
    if (!match) throw unexpected(text, at)
    path.push(match[0])
    at = field.lastIndex
  }
  if (path.length === 0) throw new JsonPathError('syntax error: unexpected $end')
  return path
}

function indexOf(digits: string): number {
  const index = Number(digits)
  if (!Number.isSafeInteger(index)) throw new JsonPathError(`array index ${digits} is out of range`)
  return index
}

function unquoteMember(quoted: string, at: number): string {
  try {
    return JSON.parse(quoted) as string
  } catch (cause) {
    throw new JsonPathError(`invalid member name at character ${at + 1}`, { cause })
  }
}

function unexpected(text: string, at: number): JsonPathError {
  const what = at < text.length ? `'${String.fromCodePoint(text.codePointAt(at)!)}'` : '$end'
  return new JsonPathError(`syntax error: unexpected ${what} at character ${at + 1}`)
}
