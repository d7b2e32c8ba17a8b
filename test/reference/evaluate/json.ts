/** `| json`, `| json a="b.c"` and `| unpack`, over JSON that may be broken. */
import type { JsonExtraction, JsonNode } from '#/logs/logql/ast/stage-nodes.ts'
import {
  cleaned,
  Extraction,
  extractedName,
  labelName,
  labelOf,
  needs,
  sanitized,
  withError,
  withParsed,
  type EntryState,
  type Needed,
} from './entry-state.ts'

const JSON_ERROR = 'JSONParserErr'

export function runJson(node: JsonNode, state: EntryState, needed: Needed): EntryState {
  if (node.extractions.length > 0) return runExpressions(node.extractions, state, needed)
  const extraction = new Extraction(state, needed)
  if (extraction.isDone) return state
  const isGood = walkObject(state.line.trimStart(), [], {
    // an object that nobody needs anything of is not looked into
    enter: (path) => needed === 'all' || [...needed].some((name) => name.startsWith(`${labelName(path.join('_'))}_`)),
    visit(path, { kind, text }) {
      const name = labelName(path.join('_'))
      if (kind !== 'null' && name !== '') extraction.add(name, cleaned(text))
      return !extraction.isDone
    },
  })
  return isGood ? extraction.state : withError(extraction.state, JSON_ERROR)
}

type Value = { readonly kind: 'string' | 'scalar' | 'null' | 'array' | 'object'; readonly text: string }
type Walk = {
  /** Whether to look into the object at `path`. */
  readonly enter: (path: readonly string[]) => boolean
  /** A member that is text, number or word. False ends the walk. */
  readonly visit: (path: readonly string[], value: Value) => boolean
}
type Outcome = boolean

/** Member by member, so that what stands before a mistake is found. False when there is one. */
function walkObject(text: string, path: readonly string[], walk: Walk): Outcome {
  if (!text.startsWith('{')) return false
  let rest = text.slice(1).trimStart()
  if (rest === '') return false
  while (!rest.startsWith('}')) {
    const key = takeString(rest)
    if (key === undefined) return false
    const behindKey = key.rest.trimStart()
    if (!behindKey.startsWith(':')) return false
    const value = takeValue(behindKey.slice(1).trimStart())
    if (value === undefined) return false
    const part = sanitized(unescape(key.text))
    const own = part === '' ? path : [...path, part]
    if (value.kind === 'object') {
      if (walk.enter(own)) {
        const inner = walkInner(value.text, own, walk)
        if (inner !== 'good') return inner === 'done'
      }
    } else if (value.kind !== 'array' && part !== '' && !walk.visit(own, value)) return true
    rest = value.rest.trimStart()
    if (rest.startsWith('}')) return true
    if (!rest.startsWith(',')) return false
    rest = rest.slice(1).trimStart()
    if (rest === '') return false
  }
  return true
}

function walkInner(text: string, path: readonly string[], walk: Walk): 'good' | 'bad' | 'done' {
  let isDone = false
  const isGood = walkObject(text, path, {
    enter: walk.enter,
    visit(at, value) {
      isDone = !walk.visit(at, value)
      return !isDone
    },
  })
  return isDone ? 'done' : isGood ? 'good' : 'bad'
}

type Taken = Value & { readonly rest: string }

function takeString(text: string): Taken | undefined {
  const match = /^"((?:[^"\\]|\\.)*)"/s.exec(text)
  return match ? { kind: 'string', text: match[1]!, rest: text.slice(match[0].length) } : undefined
}

/** A value and what stands behind it. The text of a string has its escapes undone. `isLoose`: any word is a value. */
function takeValue(text: string, isLoose = false): Taken | undefined {
  if (text.startsWith('"')) {
    const taken = takeString(text)
    return taken && { ...taken, text: unescape(taken.text) }
  }
  if (text.startsWith('{') || text.startsWith('[')) return takeBlock(text)
  const word = (isLoose ? /^[^,:}\] \n\r\t]*/ : /^[^,}\] \n\r\t]*/).exec(text)![0]
  const kind =
    word === 'null' ? 'null' : (isLoose ? word !== '' : /^([-\d].*|true|false)$/.test(word)) ? 'scalar' : undefined
  return kind && { kind, text: word, rest: text.slice(word.length) }
}

/** An object or array up to the bracket that closes it; brackets in strings do not count. */
function takeBlock(text: string): Taken | undefined {
  const [open, close] = text.startsWith('{') ? '{}' : '[]'
  let level = 0
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '"') {
      const inner = takeString(text.slice(at))
      if (inner === undefined) return undefined
      at = text.length - inner.rest.length - 1
    } else if (text[at] === open) level++
    else if (text[at] === close && --level === 0) {
      return { kind: open === '{' ? 'object' : 'array', text: text.slice(0, at + 1), rest: text.slice(at + 1) }
    }
  }
  return undefined
}

function unescape(raw: string): string {
  try {
    return (
      JSON.parse(`"${raw.replaceAll(/\p{Cc}/gu, (control) => JSON.stringify(control).slice(1, -1))}"`) as string
    ).toWellFormed()
  } catch {
    return ''
  }
}

/** Only the values at these paths; a path that leads nowhere gives an empty label when there is none of its name. */
function runExpressions(extractions: readonly JsonExtraction[], state: EntryState, needed: Needed): EntryState {
  const wanted = extractions.filter(({ label }) => needs(needed, label) || needs(needed, `${label}_extracted`))
  if (wanted.length === 0 && !needs(needed, '__error__')) return state
  if (state.line === '') return state
  if (!/^["{[]/.test(state.line)) return withError(state, JSON_ERROR)
  return wanted.reduce((now, { label, path }) => {
    const value = valueAt(state.line, path)
    if (value === undefined) return labelOf(now, label) === undefined ? withParsed(now, label, '') : now
    return withParsed(now, extractedName(now, label), value.kind === 'null' ? '' : cleaned(value.text))
  }, state)
}

function valueAt(text: string, path: readonly (string | number)[]): Value | undefined {
  const [step, ...more] = path
  const trimmed = text.trimStart()
  if (step === undefined) return takeValue(trimmed, true)
  const inner = typeof step === 'number' ? element(trimmed, step) : member(trimmed, step)
  return inner === undefined ? undefined : valueAt(inner, more)
}

/** The text from the value of the first member of this name on. */
function member(text: string, name: string): string | undefined {
  if (!text.startsWith('{')) return undefined
  let rest = text.slice(1).trimStart()
  for (;;) {
    const key = takeString(rest)
    const behindKey = key?.rest.trimStart()
    if (key === undefined || behindKey === undefined || !behindKey.startsWith(':')) return undefined
    if (unescape(key.text) === name) return behindKey.slice(1)
    const value = takeValue(behindKey.slice(1).trimStart(), true)
    const behind = value?.rest.trimStart()
    if (behind === undefined || !behind.startsWith(',')) return undefined
    rest = behind.slice(1).trimStart()
  }
}

function element(text: string, index: number): string | undefined {
  if (!text.startsWith('[')) return undefined
  let rest = text.slice(1).trimStart()
  for (let at = 0; !rest.startsWith(']') && rest !== ''; at++) {
    if (at === index) return rest
    const behind = takeValue(rest, true)?.rest.trimStart()
    if (behind === undefined || !behind.startsWith(',')) return undefined
    rest = behind.slice(1).trimStart()
  }
  return undefined
}

/** Undoes packing: text members become labels and `_entry` the line, if there is one. */
export function runUnpack(state: EntryState, needed: Needed): EntryState {
  if (!state.line.startsWith('{')) return withError(state, JSON_ERROR)
  const members: [string, string][] = []
  const isGood = walkObject(state.line, [], {
    enter: () => false,
    visit(path, { kind, text }) {
      if (kind === 'string') members.push([labelName(path.join('_')), text])
      return true
    },
  })
  if (!isGood) return withError(state, JSON_ERROR)
  const entry = members.findLast(([name]) => name === '_entry')
  if (entry === undefined) return state
  const extraction = new Extraction(state, needed)
  for (const [name, value] of members) if (name !== '_entry') extraction.add(name, value)
  return { ...extraction.state, line: entry[1] }
}
