/** Template functions on times, and the entry's own. */
import { fail } from './arguments.ts'
import type { TemplateFunction } from './functions.ts'
import { formatTime, secondsOf } from './time-format.ts'
import { parseTime, zeroTime } from './time-parse.ts'
import { isTime, type Time, type Value } from './values.ts'
import { findZone, type Zone } from './zones.ts'

const MAX_INT = 2n ** 63n
/** Seconds from year 1 to year 9999: what a calendar shows. */
const CALENDAR_SECONDS: readonly [bigint, bigint] = [-62_135_596_800n, 253_402_300_799n]

export const timeFunctions: Readonly<Record<string, TemplateFunction>> = {
  __line__: (_, { data }) => data.line(),
  __timestamp__: (_, { data }) => ({ kind: 'time', ns: data.timestampNs(), zone: data.zone() }),
  now: (_, { data }) => ({ kind: 'time', ns: data.nowNs(), zone: data.zone() }),
  date: ([layout, value], { data }) => formatTime({ ...instantFrom(value, data.nowNs()), zone: data.zone() }, layout),
  toDate: ([layout, text], { data }) => parseTime(layout, text, data.zone()) ?? zeroTime,
  toDateInZone: ([layout, zone, text], { data }) => parseTime(layout, text, zoneNamed(zone, data.zone())) ?? zeroTime,
  unixEpoch: ([time]) => String(secondsOf(time)),
  unixEpochMillis: ([time]) => String(floorDivide(time.ns, 1_000_000n)),
  unixEpochNanos: ([time]) => String(BigInt.asIntN(64, time.ns)),
  unixToTime: ([text], { data }) => fromUnix(text, data.zone()),
}

/** A time, or a whole number of seconds since the epoch; anything else is now. */
function instantFrom(value: Value, nowNs: bigint): Time {
  if (value !== undefined && isTime(value)) return value
  if (typeof value !== 'bigint') return { kind: 'time', ns: nowNs, zone: 'UTC' }
  return { kind: 'time', ns: shown(value) * 1_000_000_000n, zone: 'UTC' }
}

/** Years beyond the calendar are shown as its ends. */
function shown(seconds: bigint): bigint {
  const [least, most] = CALENDAR_SECONDS
  return seconds < least ? least : seconds > most ? most : seconds
}

function zoneNamed(name: string, local: Zone): Zone {
  return name === 'Local' ? local : (findZone(name) ?? 'UTC')
}

/** Nanoseconds in the unit that a number of so many digits is in: days, seconds, milli-, micro-, nanoseconds. */
const unitByLength: ReadonlyMap<number, bigint> = new Map([
  [5, 86_400_000_000_000n],
  [10, 1_000_000_000n],
  [13, 1_000_000n],
  [16, 1000n],
  [19, 1n],
])

function fromUnix(text: string, zone: Zone): Value {
  const isNumber = /^[+-]?\d+$/.test(text)
  const isTooLarge = isNumber && (BigInt(text) >= MAX_INT || BigInt(text) < -MAX_INT)
  if (!isNumber || isTooLarge) {
    const why = isTooLarge ? 'value out of range' : 'invalid syntax'
    return fail(`unable to parse time '${text}': strconv.ParseInt: parsing ${JSON.stringify(text)}: ${why}`)
  }
  const unit = unitByLength.get(text.length)
  if (unit === undefined) return fail(`unable to parse time '${text}'`)
  return { kind: 'time', ns: BigInt(text) * unit, zone }
}

function floorDivide(value: bigint, by: bigint): bigint {
  return value >= 0n ? value / by : (value - by + 1n) / by
}
