/** Parameters of the reading endpoints: texts to typed values, with Loki's rules, defaults and error texts. */
import { parsePrometheusDuration } from '#/kernel/duration.ts'
import { BadRequest } from '#/kernel/errors.ts'
import type { Direction } from '#/logs/wire/query.ts'

const NS_PER_SECOND = 1_000_000_000n
/** Integers of at most this many characters are seconds, longer ones nanoseconds. */
const MAX_SECONDS_DIGITS = 10
const DEFAULT_LIMIT = 100
const DEFAULT_SINCE_NS = 3600e9
const MAX_POINTS = 11_000

/** Nanoseconds since the epoch of a `start`, `end` or `time` parameter. @throws BadRequest naming the parameter. */
export function parseTimestamp(name: string, text: string): bigint {
  if (text.includes('.') && /^[+-]?(\d+(?:\.\d*)?|\.\d+)(e[+-]?\d+)?$/i.test(text)) {
    const ms = Math.round(Number(text) * 1000)
    if (Number.isSafeInteger(ms)) return BigInt(ms) * 1_000_000n
  }
  if (/^[+-]?\d+$/.test(text) && text.length <= 20) {
    return text.length <= MAX_SECONDS_DIGITS ? BigInt(text) * NS_PER_SECOND : BigInt(text)
  }
  const ns = parseRfc3339(text)
  if (ns === undefined) {
    throw new BadRequest(
      `could not parse '${name}' parameter: "${text}" is neither Unix seconds or nanoseconds nor an RFC3339 time`,
    )
  }
  return ns
}

/** Nanoseconds of an RFC3339 text with up to nine decimals; undefined when it is none. */
export function parseRfc3339(text: string): bigint | undefined {
  const match = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)?(Z|[+-]\d\d:\d\d)$/.exec(text)
  if (!match) return undefined
  const ms = Date.parse(`${match[1]}T${match[2]}${match[4]}`)
  if (Number.isNaN(ms)) return undefined
  return BigInt(ms) * 1_000_000n + BigInt((match[3] ?? '').padEnd(9, '0'))
}

/** `start`, `end` and `since` with their defaults: the hour up to now. */
export function parseTimes(query: URLSearchParams, nowNs: bigint): { startNs: bigint; endNs: bigint } {
  const endText = query.get('end') ?? ''
  const startText = query.get('start') ?? ''
  const endNs = endText === '' ? nowNs : parseTimestamp('end', endText)
  if (startText !== '') return { startNs: parseTimestamp('start', startText), endNs }
  const sinceText = query.get('since') ?? ''
  const sinceNs = sinceText === '' ? DEFAULT_SINCE_NS : parsePrometheusDuration(sinceText)
  if (sinceNs === undefined)
    throw new BadRequest(`could not parse 'since' parameter: not a valid duration string: "${sinceText}"`)
  return { startNs: (endNs < nowNs ? endNs : nowNs) - BigInt(sinceNs), endNs }
}

/** Refuses ranges that run backwards; equality is allowed. */
export function checkRange(startNs: bigint, endNs: bigint): void {
  if (endNs < startNs) throw new BadRequest('end timestamp must not be before or equal to start time')
}

/** A `step` or `interval`: seconds as a float, or a Prometheus duration. Nanoseconds. */
function parseSeconds(text: string): bigint {
  if (/^[+-]?(\d+(?:\.\d*)?|\.\d+)(e[+-]?\d+)?$/i.test(text)) {
    const ns = Math.round(Number(text) * 1e9)
    if (Number.isFinite(ns) && Math.abs(ns) < 9.2e18) return BigInt(ns)
  }
  const ns = parsePrometheusDuration(text)
  if (ns === undefined) throw new BadRequest(`cannot parse ${JSON.stringify(text)} to a valid duration`)
  return BigInt(ns)
}

type Times = { readonly startNs: bigint; readonly endNs: bigint }

/** `step`, by default a 250th of the range and at least a second, checked against the most points that a series may have. */
export function parseStep(query: URLSearchParams, range: Times): bigint {
  const stepNs = parseStepLength(query, range)
  if ((range.endNs - range.startNs) / stepNs > BigInt(MAX_POINTS)) {
    throw new BadRequest(
      'exceeded maximum resolution of 11,000 points per time series. Try increasing the value of the step parameter',
    )
  }
  return stepNs
}

/** A `step` of which nothing is made, so that there may be any number of them. */
export function parseStepLength(query: URLSearchParams, range: Times): bigint {
  const text = query.get('step') ?? ''
  const lengthNs = range.endNs - range.startNs
  const automatic = lengthNs / NS_PER_SECOND / 250n
  const stepNs = text === '' ? (automatic > 1n ? automatic : 1n) * NS_PER_SECOND : parseSeconds(text)
  if (stepNs <= 0n) {
    throw new BadRequest('zero or negative query resolution step widths are not accepted. Try a positive integer')
  }
  return stepNs
}

export function parseInterval(query: URLSearchParams): bigint {
  const text = query.get('interval') ?? ''
  const intervalNs = text === '' ? 0n : parseSeconds(text)
  if (intervalNs < 0n) throw new BadRequest('interval must be >= 0')
  return intervalNs
}

export function parseLimit(query: URLSearchParams): number {
  const limit = wholeNumber(query, 'limit') ?? DEFAULT_LIMIT
  if (limit <= 0) throw new BadRequest('limit must be a positive value')
  return limit
}

/** A limit for which 0 means the default. */
export function parseCount(query: URLSearchParams, name: string, byDefault: number): number {
  const count = wholeNumber(query, name) ?? 0
  if (count < 0) throw new BadRequest(`${name} must be a positive value`)
  return count === 0 ? byDefault : count
}

function wholeNumber(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name) ?? ''
  if (text === '') return undefined
  if (!/^[+-]?\d{1,9}$/.test(text))
    throw new BadRequest(`could not parse '${name}' parameter: ${JSON.stringify(text)} is not a whole number`)
  return Number(text)
}

export function parseDirection(query: URLSearchParams): Direction {
  const text = (query.get('direction') ?? '').toLowerCase()
  if (text === '' || text === 'backward') return 'backward'
  if (text === 'forward') return 'forward'
  throw new BadRequest(`invalid direction '${query.get('direction') ?? ''}'`)
}

/** The flags of `X-Loki-Response-Encoding-Flags`, echoed as sent; only `categorize-labels` has a meaning. */
export function encodingFlags(header: string | readonly string[] | undefined): readonly string[] {
  const text = typeof header === 'string' ? header : (header ?? []).join(',')
  return text
    .split(',')
    .map((flag) => flag.trim())
    .filter((flag) => flag !== '')
}

/** Whether the client asks for lines of JSON, by its `Accept`. */
export function acceptsLines(accept: string | undefined): boolean {
  return (accept ?? '').split(',').some((type) => /^\s*application\/x-ndjson\s*(;|$)/i.test(type))
}

/** Whether the client wants an answer from the data itself, by its `Cache-Control`. */
export function refusesCaches(cacheControl: string | undefined): boolean {
  return /\bno-(cache|store)\b/i.test(cacheControl ?? '')
}
