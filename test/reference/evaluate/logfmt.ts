/** `| logfmt [--strict] [--keep-empty] [a, b="key"]`. */
import type { LogfmtNode } from '#/logs/logql/ast/stage-nodes.ts'
import {
  cleaned,
  Extraction,
  extractedName,
  labelName,
  needs,
  sanitized,
  withError,
  withParsed,
  type EntryState,
  type Needed,
} from './entry-state.ts'

type Pair = { readonly key: string; readonly value: string }

export function runLogfmt(node: LogfmtNode, state: EntryState, needed: Needed): EntryState {
  if (node.extractions.length > 0) return runExtractions(node, state, needed)
  const extraction = new Extraction(state, needed)
  const { isGood } = eachPair(
    state.line,
    node,
    ({ key, value }) => {
      const name = labelName(sanitized(key))
      if (name !== '') extraction.add(name, cleaned(value))
      return !extraction.isDone
    },
    extraction.isDone,
  )
  return isGood ? extraction.state : withError(extraction.state, 'LogfmtParserErr')
}

/** Only these keys; every label is there, empty when its key is not. */
function runExtractions({ extractions, ...flags }: LogfmtNode, state: EntryState, needed: Needed): EntryState {
  const isRead = extractions.some(({ label }) => needs(needed, label) || needs(needed, `${label}_extracted`))
  if (!isRead && !needs(needed, '__error__')) return state
  let now = state
  for (const { label } of extractions) if (extractedName(now, label) === label) now = withParsed(now, label, '')
  const { isGood } = eachPair(
    state.line,
    flags,
    ({ key, value }) => {
      for (const { label, key: wanted } of extractions) {
        if (labelName(sanitized(wanted.replace(/^"(.*)"$/s, '$1'))) !== labelName(sanitized(key))) continue
        now = withParsed(now, extractedName(now, label), value.includes('\ufffd') ? '' : value)
      }
      return true
    },
    false,
  )
  return isGood ? now : withError(now, 'LogfmtParserErr')
}

/** Calls `visit` with every good pair until it says false. Strict reading ends at the first bad one. */
function eachPair(
  line: string,
  { strict, keepEmpty }: Pick<LogfmtNode, 'strict' | 'keepEmpty'>,
  visit: (pair: Pair) => boolean,
  isDone: boolean,
): { readonly isGood: boolean } {
  let rest = line
  for (let goesOn = !isDone; goesOn;) {
    rest = rest.replace(/^[\0- ]+/, '')
    if (rest === '') break
    const taken = takePair(rest)
    rest = taken.rest
    if (taken.pair === undefined) {
      if (strict) return { isGood: false }
      rest = rest.replace(/^[^\0- ]+/, '')
    } else if (taken.pair.value !== '' || keepEmpty) goesOn = visit(taken.pair)
  }
  return { isGood: true }
}

/** No pair when something is wrong; `rest` is then where the mistake stands. */
function takePair(text: string): { readonly pair?: Pair; readonly rest: string } {
  const key = /^[^\0- ="]*/.exec(text)![0]
  const behindKey = text.slice(key.length)
  if (behindKey.startsWith('"') || key === '') return { rest: behindKey }
  if (!behindKey.startsWith('=')) return { pair: { key, value: '' }, rest: behindKey }
  const valueText = behindKey.slice(1)
  if (valueText.startsWith('"')) {
    const quoted = /^"((?:[^"\\]|\\.)*)"/s.exec(valueText)
    if (!quoted) return { rest: '' }
    const value = unescape(quoted[1]!)
    const rest = valueText.slice(quoted[0].length)
    return value === undefined ? { rest } : { pair: { key, value }, rest }
  }
  const value = /^[^\0- ="]*/.exec(valueText)![0]
  const rest = valueText.slice(value.length)
  return /^["=]/.test(rest) ? { rest } : { pair: { key, value }, rest }
}

/** The escapes of JSON, and `\'`. */
function unescape(raw: string): string | undefined {
  const json = raw
    .replaceAll(/\\(.)/gs, (pair, letter: string) => (letter === "'" ? "'" : pair))
    .replaceAll(/\p{Cc}/gu, (control) => JSON.stringify(control).slice(1, -1))
  try {
    return (JSON.parse(`"${json}"`) as string).toWellFormed()
  } catch {
    return undefined
  }
}
