/**
 * Variables in the text of a configuration file, before it is read as YAML:
 *
 *     ${VAR}            its value, or nothing
 *     ${VAR:-default}   the default when it is unset or empty (`${VAR-default}`: when it is unset)
 *     ${VAR:=default}   the same, and later uses see the default too
 *     ${VAR:?message}   an error when it is unset or empty
 *     ${VAR:2:3}        three characters from the third
 *     ${VAR/from/to}    with the first `from` replaced; `${VAR//from/to}` with all
 *     $${               a literal `${`
 *
 * `$VAR`, `$1` and `${1}` stay as they are: they occur in regular expressions and replacement texts.
 */
export type Variables = Readonly<Record<string, string | undefined>>

/** A default may itself hold variables, this many levels deep. */
const depthMax = 8

type Expansion = { readonly env: Map<string, string>; readonly onProblem: (message: string, offset: number) => void }

/** `onProblem` gets what is wrong and where it is in `text`. */
export function expandVariables(
  text: string,
  variables: Variables,
  onProblem: (message: string, offset: number) => void,
): string {
  const env = new Map(Object.entries(variables).filter((one): one is [string, string] => one[1] !== undefined))
  return expand(text, { env, onProblem }, 0, 0)
}

function expand(text: string, expansion: Expansion, base: number, depth: number): string {
  let result = ''
  let position = 0
  for (;;) {
    const start = text.indexOf('${', position)
    if (start < 0) return result + text.slice(position)
    const isEscaped = text[start - 1] === '$' && start > position
    const name = /^[A-Za-z_][A-Za-z0-9_]*/.exec(text.slice(start + 2, start + 258))?.[0]
    if (isEscaped || name === undefined) {
      result += text.slice(position, isEscaped ? start - 1 : start) + '${'
      position = start + 2
      continue
    }
    const end = closingBrace(text, start + 2)
    result += text.slice(position, start)
    if (end < 0 || depth >= depthMax) {
      expansion.onProblem(end < 0 ? `\${${name} has no closing brace` : `\${${name} is nested too deeply`, base + start)
      return result
    }
    const operation = text.slice(start + 2 + name.length, end)
    result += evaluate(name, operation, expansion, { base: base + start, depth })
    position = end + 1
  }
}

/** Offset of the brace that closes the one before `from`, or -1. */
function closingBrace(text: string, from: number): number {
  let open = 1
  for (let index = from; index < text.length; index++) {
    if (text.startsWith('${', index)) open++
    else if (text[index] === '}' && --open === 0) return index
  }
  return -1
}

function evaluate(
  name: string,
  operation: string,
  expansion: Expansion,
  { base, depth }: { readonly base: number; readonly depth: number },
): string {
  const { env, onProblem } = expansion
  const value = env.get(name)
  if (operation === '') return value ?? ''
  const fallback = /^(:?)([-=?])(.*)$/s.exec(operation)
  if (fallback) {
    const [, colon, operator, word = ''] = fallback
    if (value !== undefined && (colon === '' || value !== '')) return value
    const text = expand(word, expansion, base, depth + 1)
    if (operator === '?') onProblem(`variable ${name}: ${text === '' ? 'it must be set' : text}`, base)
    if (operator === '=') env.set(name, text)
    return operator === '?' ? '' : text
  }
  const part = /^:(\d+)(?::(\d+))?$/.exec(operation)
  if (part) {
    const from = Number(part[1])
    return (value ?? '').slice(from, part[2] === undefined ? undefined : from + Number(part[2]))
  }
  const replace = /^(\/\/?)([^/]+)\/?(.*)$/s.exec(operation)
  if (replace) {
    const [, kind, from = '', to = ''] = replace
    return kind === '//' ? (value ?? '').replaceAll(from, () => to) : (value ?? '').replace(from, () => to)
  }
  onProblem(`\${${name}${operation}} is not understood`, base)
  return ''
}
