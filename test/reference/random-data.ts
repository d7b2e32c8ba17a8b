/** Random data sets: small, so that windows, ties, duplicates and errors all happen often, and full of what queries ask for. */
import type { Chance } from './chance.ts'
import type { Entry } from './sources.ts'

/** 2023-11-14 23:59:50 UTC: ten seconds before midnight, so that data lies on both sides of it. */
export const BASE_NS = 1_700_006_390n * 1_000_000_000n
export const SECOND = 1_000_000_000n
const DAY = 86_400n * SECOND

/** What one head (with its pages) or block holds, in order of arrival. */
export type Source = { readonly kind: 'head' | 'block'; readonly entries: readonly Entry[] }
/** Blocks come first; later sources repeat some entries of earlier ones. */
export type DataSet = {
  readonly sources: readonly Source[]
  readonly pageRows: number
  /** What blocks know of their lines: what is written with them, or which pages hold what for certain. */
  readonly filters: 'stored' | 'exact'
  /** Kinds of lines in it, keys of `lineShapes`. */
  readonly shapes: readonly string[]
  /** Whether blocks of a day have been merged. */
  readonly isMerged?: boolean
}

const streams = [
  '{app="api", env="dev"}',
  '{app="api", env="prod"}',
  '{app="web", env="prod"}',
  '{app="web", level="x"}',
  '{app="db", env="prod", level="y", zone="a \\"b\\""}',
  '{app="db", pod="p-1"}',
]
/** What queries look for in lines, and find. */
export const words = [
  'error',
  'ok',
  'GET',
  'timeout',
  'é',
  'id=7',
  'Ärger',
  'ERROR',
  'x',
  '日本',
  '"',
  '{',
  '\u001b[31m',
]
/** Values of keys in all formats of lines, so that a query finds them whatever it parses with. */
export const values: Readonly<Record<string, readonly string[]>> = {
  status: ['200', '404', '503', 'bad'],
  user: ['u1', 'u2', 'ann b', 'jör'],
  latency: ['250ms', '1.5s', '2m', '1h2m', 'slow'],
  size: ['10KB', '2MiB', '512', '1.5kB', 'big'],
  n: ['1', '2', '2.5', '-3', '10', '0', '1e2'],
  c: ['1', '5', '9', '14', '3'],
  app: ['api', 'z'],
  level: ['info', 'error', 'warn'],
  trace: ['t1', 't2', 't3'],
  ip: ['10.0.0.7', '192.168.1.9', '2001:db8::7', 'nowhere'],
  empty: [''],
}
/** In the place of numbers that lines have. */
const otherNumbers = ['0', '1', '7', '10', '007', '200', '404', '503', '1234', '999999999', '12345678901']
export const keys = Object.keys(values)
/** Names that more than one category may have, and names that only some formats give. */
export const labels = [
  ...keys,
  'env',
  'http_method',
  'http_status_code',
  'level_extracted',
  'trace_extracted',
  'app_extracted',
  'm',
  'copy',
]

export function randomDataSet(chance: Chance, kinds: readonly Source['kind'][]): DataSet {
  const shapes = chance.subset(Object.keys(lineShapes), 1, 3)
  const hasErrors = chance.is(0.04)
  const ownStreams = chance.subset(streams, 2, streams.length)
  const isSpread = chance.is(0.3)
  const makeLine = (): string => lineShapes[chance.pick(shapes)]!(chance)
  // programs write the same lines again and again, with other numbers in them
  const repeated = chance.is(0.3) ? chance.some(3, makeLine) : []
  const isRepeated = (): boolean => repeated.length > 0 && chance.is(0.9)
  const makeEntry = (): Entry => ({
    stream: chance.pick(ownStreams),
    timeNs: timeNs(chance, isSpread),
    line: isRepeated() ? withOtherNumbers(chance, chance.pick(repeated)) : makeLine(),
    metadata: metadata(chance, hasErrors),
  })
  const sources: Source[] = []
  for (const kind of chance.some(chance.int(1, kinds.length > 1 ? 4 : 3), () => chance.pick(kinds)).toSorted()) {
    const own = chance.some(sources.length === 0 ? chance.int(25, 40) : chance.pick([0, 5, 20, 30]), makeEntry)
    const before = sources.at(-1)?.entries ?? []
    sources.push({ kind, entries: [...own, ...before.slice(0, chance.int(0, 5)), ...again(chance, own)] })
  }
  return {
    sources,
    pageRows: repeated.length > 0 ? 100 : chance.pick([1, 3, 5, 12, 100]),
    filters: chance.pick(['stored', 'exact']),
    shapes,
  }
}

function withOtherNumbers(chance: Chance, line: string): string {
  return line.replaceAll(/\d+/g, (digits) => (chance.is(0.5) ? digits : chance.pick(otherNumbers)))
}

/** An entry repeated within its source is two entries. */
function again(chance: Chance, entries: readonly Entry[]): Entry[] {
  return entries.length > 0 && chance.is(0.2) ? [chance.pick(entries)] : []
}

/** Whole seconds most of the time, so that entries meet the borders of windows; single nanoseconds else. */
function timeNs(chance: Chance, isSpread: boolean): bigint {
  const offset = chance.weighted<bigint>([
    [8, () => BigInt(chance.int(0, 20)) * SECOND],
    [4, () => BigInt(chance.int(0, 20_000_000_000))],
    [1, () => 10n * SECOND + BigInt(chance.int(-1, 1))],
  ])
  return BASE_NS + offset + (isSpread && chance.is(0.2) ? BigInt(chance.int(-2, 2)) * DAY : 0n)
}

function metadata(chance: Chance, hasErrors: boolean): Record<string, string> {
  const fields: Record<string, string> = {}
  if (chance.is(0.4)) fields['level'] = chance.pick(['info', 'error'])
  if (chance.is(0.4)) fields['trace'] = chance.pick(['t1', 't2', 't3'])
  if (chance.is(0.1)) fields['user'] = chance.pick(['u1', 'meta user'])
  if (hasErrors && chance.is(0.2)) fields['__error__'] = 'OwnErr'
  return fields
}

const lineShapes: Readonly<Record<string, (chance: Chance) => string>> = {
  plain: (chance) => chance.some(chance.int(0, 4), () => chance.pick(words)).join(' '),
  json,
  logfmt,
  access(chance) {
    const { ip, user, status, latency, size } = record(chance, ['ip', 'user', 'status', 'latency', 'size'])
    return `${ip} - ${user} "GET /a/${chance.int(1, 3)}" ${status} ${latency} ${size}`
  },
  packed(chance) {
    const fields = chance.subset(keys, 0, 3).map((key) => [key, chance.pick(values[key]!)])
    const entry = chance.is(0.8) ? { _entry: chance.is(0.5) ? logfmt(chance) : chance.pick(words) } : {}
    return JSON.stringify({ ...Object.fromEntries(fields), ...entry, count: chance.int(1, 3) })
  },
  openJson: (chance) =>
    `${firstKeys(chance, json).replace(/\}$/, '')}${chance.pick(['', ',', '"', ',"a', ':1}', ' x'])}`,
  openLogfmt: (chance) => firstKeys(chance, logfmt) + chance.pick([' "', ' =', ' a="', ' a=b=c', '']),
  garbage: (chance) => damaged(chance, chance.is(0.5) ? json(chance) : logfmt(chance)),
  addresses: (chance) =>
    chance
      .some(chance.int(1, 3), () =>
        chance.pick([
          '10.0.0.7',
          '10.0.0.300',
          '192.168.1.9:80',
          '[2001:db8::7]',
          '1.2.3',
          'fe80::1',
          '::1',
          'x10.1.2.3y',
          '10.0.0.08',
          '1210.0.0.7',
          '10.0.0.7.1',
          'beef::1x',
        ]),
      )
      .join(chance.pick([' ', ',', ' - '])),
  colors: (chance) =>
    chance
      .some(
        chance.int(1, 3),
        () =>
          chance.pick(['\u001b[31m', '\u001b[0m', '\u001b[1;32m', '\u001b]0;title\u0007', '\u009b4m']) +
          chance.pick(words),
      )
      .join(' '),
}

function record(chance: Chance, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, chance.pick(values[name]!)]))
}

/** The same keys in front of others, so that who needs only these never sees what is wrong behind them. */
function firstKeys(chance: Chance, write: typeof json | typeof logfmt): string {
  const { status, user, n } = record(chance, ['status', 'user', 'n'])
  if (write === json) return `{"status":"${status}","user":"${user}","n":${n},${json(chance).slice(1)}`
  return `status=${status} user="${user}" n=${n} ${logfmt(chance)}`
}

function json(chance: Chance): string {
  const fields: [string, unknown][] = chance.subset(keys, 2, 9).map((key) => {
    const value = chance.pick(values[key]!)
    return [key, Number.isFinite(Number(value)) && value !== '' && chance.is(0.7) ? Number(value) : value]
  })
  const more: [string, unknown][] = [
    [
      'http',
      { method: chance.pick(['GET', 'PUT']), 'status code': chance.pick([200, 500]), deep: { n: chance.int(1, 9) } },
    ],
    ['list', [1, 'two', { n: 3 }]],
    ['none', null],
    ['good', chance.is(0.5)],
    ['2nd', 'digit'],
    ['a.b-c', 'dots'],
    ['text', 'q"uote \\ \u00e9 \n\t'],
    ['level_extracted', 'odd'],
    [' ', 'blank'],
  ]
  const text = JSON.stringify(Object.fromEntries([...fields, ...more.filter(() => chance.is(0.25))]))
  const spaced = chance.is(0.2) ? text.replaceAll(',"', ' , "').replaceAll('":', '" : ') : text
  const twice = chance.is(0.1) ? `{"n":7,${spaced.slice(1)}` : spaced
  return chance.is(0.1) ? twice.replaceAll('é', String.raw`\u00e9`) : twice
}

function logfmt(chance: Chance): string {
  const pairs = chance.subset(keys, 2, 9).map((key) => {
    const value = chance.pick(values[key]!)
    return value.includes(' ') || chance.is(0.2) ? `${key}=${JSON.stringify(value)}` : `${key}=${value}`
  })
  const more = ['bare', 'msg="a \\"b\\" c"', 'x.y=1', '9z=2', 'n=8', 'u=日本', 'tab="a\\tb"', "apo='s"]
  return [...pairs, ...more.filter(() => chance.is(0.15))].join(chance.is(0.1) ? '  ' : ' ')
}

/** A line cut short, or with a character too much or too few. */
function damaged(chance: Chance, line: string): string {
  const at = chance.int(0, line.length)
  const result = chance.weighted([
    [2, () => line.slice(0, at)],
    [2, () => line.slice(0, at) + chance.pick(['"', '=', '{', '}', ',', ' ', 'x', ']']) + line.slice(at)],
    [1, () => line.slice(0, at) + line.slice(at + 1)],
    [1, () => `${line} and more`],
    [1, () => `[${line}]`],
  ])
  // where a number with a quote or bracket in it ends is nobody's concern
  return /:\s*-?\d[^,}\]\s]*["{[]/.test(result) ? line.slice(0, at) : result
}
