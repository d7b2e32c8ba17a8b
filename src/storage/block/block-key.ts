/**
 * Names of blocks: `<tenant>/logs/<yyyy-mm-dd>/<minTime>-<maxTime>-L<level>-<ulid>.edda`. Times are nanoseconds since
 * midnight in 14 digits, so the name alone prunes by day, time and level, and names of a day sort by time.
 */
import { assert } from '#/kernel/assert.ts'
import { isUlid } from '#/kernel/ulid.ts'

const TIME_DIGITS = 14
const MS_PER_DAY = 86_400_000
const DAY_PATTERN = /^(?:\d{4}|[+-]\d{6})-\d\d-\d\d$/
const NAME_PATTERN = /^(\d{14})-(\d{14})-L(0|[1-9]\d?)-([0-9A-Z]{26})\.edda$/

export type BlockName = {
  readonly tenant: string
  readonly signal: string
  /** Days since the epoch. */
  readonly day: number
  readonly minTime: number
  readonly maxTime: number
  readonly level: number
  readonly ulid: string
}

/** `<tenant>/<signal>/<yyyy-mm-dd>/`, what all objects of a day begin with. */
export function dayPrefix(tenant: string, signal: string, day: number): string {
  return `${tenant}/${signal}/${formatKeyDay(day)}/`
}

export function formatBlockKey(name: BlockName): string {
  const { tenant, signal, day, minTime, maxTime, level, ulid } = name
  assert(isUlid(ulid), `'${ulid}' is a ULID`)
  assert(tenant !== '' && !tenant.includes('/'), `tenant '${tenant}' is one part of a key`)
  assert(minTime >= 0 && minTime <= maxTime && maxTime < 86_400e9, `times ${minTime} to ${maxTime} lie in a day`)
  assert(level >= 0 && level < 100, `level ${level} has two digits at most`)
  return `${dayPrefix(tenant, signal, day)}${formatTime(minTime)}-${formatTime(maxTime)}-L${level}-${ulid}.edda`
}

/** Undefined when `key` is not the name of a block. */
export function parseBlockKey(key: string): BlockName | undefined {
  const [tenant = '', signal = '', dayText = '', file = '', ...rest] = key.split('/')
  const day = parseKeyDay(dayText)
  const match = NAME_PATTERN.exec(file)
  if (match === null || day === undefined || rest.length > 0 || tenant === '' || signal === '') return undefined
  const [, min = '', max = '', level = '', ulid = ''] = match
  if (!isUlid(ulid)) return undefined
  return { tenant, signal, day, minTime: Number(min), maxTime: Number(max), level: Number(level), ulid }
}

/** `yyyy-mm-dd`; years beyond 9999 or before 0 have six digits and a sign, as ISO 8601 writes them. */
export function formatKeyDay(day: number): string {
  const text = new Date(day * MS_PER_DAY).toISOString()
  return text.slice(0, text.indexOf('T'))
}

export function parseKeyDay(text: string): number | undefined {
  if (!DAY_PATTERN.test(text)) return undefined
  const day = Date.parse(`${text}T00:00:00Z`) / MS_PER_DAY
  return Number.isNaN(day) || formatKeyDay(day) !== text ? undefined : day
}

function formatTime(time: number): string {
  return String(time).padStart(TIME_DIGITS, '0')
}
