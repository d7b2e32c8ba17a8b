/** Structured values in `limits_config`, read from YAML data. Parsers throw an Error with the reason, without the key. */
import { parseDuration } from '#/kernel/duration.ts'

type YamlRecord = Readonly<Record<string, unknown>>

/** A retention of its own for the streams that `selector` matches; the highest priority decides. */
export type RetentionRule = { readonly selector: string; readonly priority: number; readonly periodMs: number }

/** Streams that `selector` matches belong to a policy; the highest priority decides. */
export type PolicySelector = { readonly selector: string; readonly priority: number }

export type BlockedQuery = {
  /** The query's exact text or, with `isRegex`, a pattern for it; '' matches every query. */
  readonly pattern: string
  readonly regex: boolean
  /** FNV-1 hash (32 bit) of the query; 0 = not set. */
  readonly hash: number
  /** `metric`, `filter`, `limited`; empty means all. */
  readonly types: readonly string[]
  readonly queryTags: Readonly<Record<string, string>>
}

const dayMs = 86_400_000

export function parseRetentionRules(value: unknown): readonly RetentionRule[] {
  return list(value).map((one) => {
    const { selector, priority, period } = record(one)
    const periodNs = typeof period === 'string' ? parseDuration(period) : undefined
    if (periodNs === undefined) throw new Error(`expected a duration as period, found ${JSON.stringify(period)}`)
    if (periodNs / 1e6 < dayMs) throw new Error(`retention period must be >= 24h was ${String(period)}`)
    return { selector: selectorText(selector), priority: whole(priority), periodMs: periodNs / 1e6 }
  })
}

/** Selectors by policy. */
export function parsePolicies(value: unknown): Readonly<Record<string, readonly PolicySelector[]>> {
  return mapRecord(value, (rules) =>
    list(rules).map((one) => {
      const { selector, priority } = record(one)
      return { selector: selectorText(selector), priority: whole(priority) }
    }),
  )
}

/** A point in time as milliseconds since the epoch; 0 = none. */
export function parseTime(value: unknown): number {
  if (value === 0 || value === '0' || value === '' || value === null || value === undefined) return 0
  const ms = value instanceof Date ? value.getTime() : typeof value === 'string' ? Date.parse(value) : Number.NaN
  if (Number.isNaN(ms)) throw new Error(`expected a time such as 2026-01-31T12:00:00Z, found ${JSON.stringify(value)}`)
  return ms
}

export function parseTimes(value: unknown): Readonly<Record<string, number>> {
  return mapRecord(value, parseTime)
}

/** Lists of texts by name. */
export function parseTextLists(value: unknown): Readonly<Record<string, readonly string[]>> {
  return mapRecord(value, (texts) => list(texts).map(String))
}

export function parseBlockedQueries(value: unknown): readonly BlockedQuery[] {
  return list(value).map((one) => {
    const { pattern, regex, hash, types, query_tags: tags } = record(one)
    return {
      pattern: typeof pattern === 'string' ? pattern : '',
      regex: regex === true,
      hash: whole(hash),
      types: typeof types === 'string' ? types.split(',').map((type) => type.trim()) : list(types).map(String),
      queryTags: mapRecord(tags, String),
    }
  })
}

/** A mapping that is handed on as it is. */
export function parseMap(value: unknown): YamlRecord {
  return value === null || value === undefined ? {} : record(value)
}

function mapRecord<T>(value: unknown, read: (value: unknown) => T): Readonly<Record<string, T>> {
  return Object.fromEntries(Object.entries(parseMap(value)).map(([key, one]) => [key, read(one)]))
}

function list(value: unknown): readonly unknown[] {
  if (value === null || value === undefined) return []
  if (!Array.isArray(value)) throw new Error(`expected a list, found ${JSON.stringify(value)}`)
  return value
}

function record(value: unknown): YamlRecord {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Error(`expected a mapping, found ${JSON.stringify(value)}`)
  }
  return value as YamlRecord
}

function selectorText(value: unknown): string {
  if (typeof value !== 'string' || !value.trim().startsWith('{')) {
    throw new Error(`expected a selector such as {app="x"}, found ${JSON.stringify(value)}`)
  }
  return value
}

function whole(value: unknown): number {
  if (value === undefined || value === null) return 0
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) {
    throw new Error(`expected a whole number, found ${JSON.stringify(value)}`)
  }
  return value
}
