/** What can be asked of a time behind a dot: `(__timestamp__).Format "15:04"`. */
import type { ParameterType } from './signatures.ts'
import { civilTime, formatTime, secondsOf, yearDay } from './time-format.ts'
import { dayNames, monthNames } from './time-layout.ts'
import { zeroTime } from './time-parse.ts'
import { showValue, type Time, type Value } from './values.ts'

export type TimeMethod = {
  readonly parameters: readonly ParameterType[]
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly run: (time: Time, args: readonly any[]) => Value
}

const plain = (run: (time: Time) => Value): TimeMethod => ({ parameters: [], run })
const withTime = (run: (time: Time, other: Time) => boolean): TimeMethod => ({
  parameters: ['time.Time'],
  run: (time, [other]) => run(time, other),
})
const divided = (time: Time, by: bigint): bigint => (time.ns - (((time.ns % by) + by) % by)) / by

export const timeMethods: Readonly<Record<string, TimeMethod>> = {
  Format: { parameters: ['string'], run: (time, [layout]) => formatTime(time, layout) },
  String: plain(showValue),
  Unix: plain((time) => BigInt(secondsOf(time))),
  UnixMilli: plain((time) => divided(time, 1_000_000n)),
  UnixMicro: plain((time) => divided(time, 1000n)),
  UnixNano: plain((time) => BigInt.asIntN(64, time.ns)),
  Year: plain((time) => BigInt(civilTime(time).wall.getUTCFullYear())),
  Month: plain((time) => monthNames[civilTime(time).wall.getUTCMonth()]),
  Day: plain((time) => BigInt(civilTime(time).wall.getUTCDate())),
  YearDay: plain((time) => BigInt(yearDay(civilTime(time)))),
  Weekday: plain((time) => dayNames[civilTime(time).wall.getUTCDay()]),
  Hour: plain((time) => BigInt(civilTime(time).wall.getUTCHours())),
  Minute: plain((time) => BigInt(civilTime(time).wall.getUTCMinutes())),
  Second: plain((time) => BigInt(civilTime(time).wall.getUTCSeconds())),
  Nanosecond: plain((time) => BigInt(civilTime(time).nanosecond)),
  UTC: plain((time) => ({ ...time, zone: 'UTC' })),
  IsZero: plain((time) => time.ns === zeroTime.ns),
  Equal: withTime((time, other) => time.ns === other.ns),
  Before: withTime((time, other) => time.ns < other.ns),
  After: withTime((time, other) => time.ns > other.ns),
}
