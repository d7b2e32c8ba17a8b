/** Times and durations as options of commands. */
import { parseDuration } from '#/kernel/duration.ts'
import { UsageError } from './io.ts'

/** Nanoseconds. */
export function durationOf(text: string, option: string): bigint {
  const ns = parseDuration(text)
  if (ns === undefined) throw new UsageError(`${option} is a duration such as 90m or 7d, not '${text}'`)
  return BigInt(Math.round(ns))
}

/** Nanoseconds since the epoch. */
export function timeOf(text: string, option: string): bigint {
  if (/^\d{16,19}$/.test(text)) return BigInt(text)
  try {
    return Temporal.Instant.from(text).epochNanoseconds
  } catch {
    throw new UsageError(`${option} is a time such as 2026-11-22T06:00:00Z, not '${text}'`)
  }
}
