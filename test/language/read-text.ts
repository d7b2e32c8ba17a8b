/** The small parts of a script: label sets, lines, offsets, values, entries and the heads of evals. */
import { parseDuration } from '#/kernel/duration.ts'
import { unquoteGo } from '#/kernel/go-quote.ts'
import { sortLabels } from '#/logs/model/labels.ts'
import type { Label, Labels } from '#/storage/index/label-index.ts'
import type { FailMatch, Mode, ScriptEntry } from './script.ts'

const fail = (problem: string): never => {
  throw new Error(problem)
}

const literal = /"(?:[^"\\]|\\.)*"|`[^`]*`/y
const name = /[A-Za-z_][A-Za-z0-9_]*/y

/** The labels of `{a="b", c="d"}`, sorted. Unlike in a push, a label with an empty value stays. */
export function readLabels(text: string): Labels {
  if (!text.startsWith('{')) throw new Error(`expected labels in braces, not ${text}`)
  const { labels, rest } = readPairs(text, ', ', '}')
  if (rest !== '') throw new Error(`unexpected ${JSON.stringify(rest)} behind labels`)
  return labels
}

/** Structured metadata in front of a line, `[a="b" c="d"] the line`; undefined when `text` does not begin like one. */
export function readMetadata(text: string): { readonly labels: Labels; readonly rest: string } | undefined {
  if (!/^\[[A-Za-z_"]+[A-Za-z0-9_.\-/ "]*=["`]/.test(text)) return undefined
  const { labels, rest } = readPairs(text, ' ', ']')
  return { labels, rest: rest.startsWith(' ') ? rest.slice(1) : rest }
}

/** Reads `name="value"` pairs from the second character on, up to `close`. */
function readPairs(text: string, separator: string, close: string): { labels: Labels; rest: string } {
  const labels: Label[] = []
  let at = 1
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at
    const found = pattern.exec(text)?.[0]
    at += found?.length ?? 0
    return found
  }
  while (text[at] !== close) {
    if (labels.length > 0) {
      if (!text.startsWith(separator, at)) unexpected(text, at)
      at += separator.length
    }
    const key = take(name) ?? unquoteGo(take(literal) ?? unexpected(text, at))
    if (text[at++] !== '=') unexpected(text, at - 1)
    labels.push([key, unquoteGo(take(literal) ?? unexpected(text, at))])
  }
  if (new Set(labels.map(([key]) => key)).size < labels.length) throw new Error(`a label name twice in ${text}`)
  return { labels: sortLabels(labels), rest: text.slice(at + 1) }
}

function unexpected(text: string, at: number): never {
  throw new Error(`unexpected ${JSON.stringify(text.slice(at, at + 10))} at column ${at + 1} of ${text}`)
}

/** A line of text, plain or as a Go literal in double quotes. */
export function readLine(text: string): string {
  if (!text.startsWith('"')) {
    if (text === '' || text !== text.trim())
      throw new Error('an empty line or one with outer blanks is written in quotes')
    return text
  }
  try {
    return unquoteGo(text)
  } catch {
    throw new Error(`a line that begins with a quote is a Go literal as a whole: ${text}`)
  }
}

/** The first word, and what follows the blanks behind it. */
export function splitWord(text: string): readonly [string, string] {
  const [, word = '', rest = ''] = /^(\S*) *(.*)$/s.exec(text) ?? []
  return [word, rest]
}

/** Nanoseconds of `10s`, `1m30s`, `90s5ns`, `-10s`, `0`. */
export function readOffset(text: string): bigint {
  const [, sign, body = ''] = /^(-?)(.*)$/.exec(text) ?? []
  const ns = parseDuration(body) ?? fail(`expected an offset such as 1m30s, not ${JSON.stringify(text)}`)
  return BigInt(ns) * (sign === '-' ? -1n : 1n)
}

export function readValue(text: string): number {
  if (text === 'NaN') return Number.NaN
  if (text === '+Inf' || text === '-Inf') return text === '+Inf' ? Infinity : -Infinity
  if (!/^-?\d+(\.\d+)?(e[+-]?\d+)?$/.test(text)) fail(`expected a value, not ${JSON.stringify(text)}`)
  return Number(text)
}

/** `[@<offset>] [<metadata>] <line>`, the first two in any order. */
export function readEntry(text: string, defaultNs: bigint): Pick<ScriptEntry, 'offsetNs' | 'metadata' | 'line'> {
  const metadata = readMetadata(text)
  if (metadata !== undefined) {
    const { offsetNs, line } = readTimedLine(metadata.rest, defaultNs)
    return { offsetNs, metadata: Object.fromEntries(metadata.labels), line }
  }
  if (!text.startsWith('@')) return { offsetNs: defaultNs, metadata: {}, line: readLine(text) }
  const [offset, rest] = splitWord(text.slice(1))
  const behind = readMetadata(rest)
  const line = readLine(behind?.rest ?? rest)
  return { offsetNs: readOffset(offset), metadata: Object.fromEntries(behind?.labels ?? []), line }
}

function readTimedLine(text: string, defaultNs: bigint): Pick<ScriptEntry, 'offsetNs' | 'line'> {
  if (!text.startsWith('@')) return { offsetNs: defaultNs, line: readLine(text) }
  const [offset, rest] = splitWord(text.slice(1))
  return { offsetNs: readOffset(offset), line: readLine(rest) }
}

export function readFail(text: string): FailMatch {
  const [, kind, rest = ''] = /^(?:(msg|regex): )?(.*)$/s.exec(text) ?? []
  if (rest === '') fail('expect fail without a message')
  return { how: kind === 'msg' ? 'contains' : kind === 'regex' ? 'matches' : 'equals', text: readLine(rest) }
}

export function readMode(text: string): { readonly mode: Mode; readonly query: string } {
  const [kind, rest] = splitWord(text)
  if (kind === 'log') return readLogMode(rest)
  if (kind === 'instant') {
    const [, at, query] = /^at (\S+) (.*)$/s.exec(rest) ?? fail('expected eval instant at <offset> <query>')
    return { mode: { kind, atNs: readOffset(at!) }, query: query! }
  }
  if (kind !== 'range') return fail(`unknown kind of eval: ${kind}, expected log, instant or range`)
  const [, from, to, step, query] =
    /^from (\S+) to (\S+) step (\S+) (.*)$/s.exec(rest) ?? fail('expected eval range from <o> to <o> step <d> <query>')
  const stepNs = readOffset(step!)
  if (stepNs <= 0n) fail('a step is positive')
  return { mode: { kind, fromNs: readOffset(from!), toNs: readOffset(to!), stepNs }, query: query! }
}

function readLogMode(text: string): { readonly mode: Mode; readonly query: string } {
  let rest = text
  const found = new Map<string, string>()
  for (;;) {
    const option = /^(forward|backward|(limit|from|to|interval)=(\S+)) /.exec(rest)
    if (option === null) break
    found.set(option[2] ?? 'direction', option[3] ?? option[1]!)
    rest = rest.slice(option[0].length)
  }
  const offset = (name: string): bigint | undefined => {
    const value = found.get(name)
    return value === undefined ? undefined : readOffset(value)
  }
  const limit = Number(found.get('limit') ?? 1000)
  if (!Number.isSafeInteger(limit)) fail(`limit is not an integer: ${found.get('limit')}`)
  return {
    mode: {
      kind: 'log',
      limit,
      direction: found.get('direction') === 'backward' ? 'backward' : 'forward',
      fromNs: offset('from'),
      toNs: offset('to'),
      intervalNs: offset('interval') ?? 0n,
    },
    query: rest,
  }
}
