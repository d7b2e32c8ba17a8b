/** Template functions on times. `date`, `toDate` and `toDateInZone` (Go's layouts and zones) are not evaluated yet, nor is `now`. */
import { textOf, timeOf } from './arguments.ts'
import type { TemplateFunction } from './functions.ts'
import { TemplateFailure, type Value } from './values.ts'

export const timeFunctions: Readonly<Record<string, TemplateFunction>> = {
  unixEpoch: ([time]) => String(floorDivide(timeOf(time).ns, 1_000_000_000n)),
  unixEpochMillis: ([time]) => String(floorDivide(timeOf(time).ns, 1_000_000n)),
  unixEpochNanos: ([time]) => String(timeOf(time).ns),
  unixToTime: ([text]) => fromUnix(textOf(text)),
}

/** Nanoseconds in the unit that a number of so many digits is in: days, seconds, milli-, micro-, nanoseconds. */
const unitByLength: ReadonlyMap<number, bigint> = new Map([
  [5, 86_400_000_000_000n],
  [10, 1_000_000_000n],
  [13, 1_000_000n],
  [16, 1000n],
  [19, 1n],
])

function fromUnix(text: string): Value {
  const unit = unitByLength.get(text.length)
  if (unit === undefined || !/^-?\d+$/.test(text)) throw new TemplateFailure(`unable to parse time '${text}'`)
  return { kind: 'time', ns: BigInt(text) * unit }
}

function floorDivide(value: bigint, by: bigint): bigint {
  return value >= 0n ? value / by : (value - by + 1n) / by
}
