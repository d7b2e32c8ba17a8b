/** What formats of log lines share: their contract, and how programs write times, addresses and levels. */
import type { Chance } from './chance.ts'

export type Level = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal'

export type FormattedLine = {
  readonly text: string
  readonly level: Level
  /** HTTP status, where the format has one. */
  readonly status?: number
  /** The number that the format calls `latency_ms`. */
  readonly latencyMs?: number
  readonly traceId?: string
  readonly user?: string
}

export type Format = (chance: Chance, timeMs: number) => FormattedLine

/** Users of the shop; a few are there often, most seldom. */
export const users = 1_000_000

export const iso = (ms: number): string => new Date(ms).toISOString()
export const pad = (value: number, size = 2): string => String(value).padStart(size, '0')
export const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

export function clockOf(ms: number): {
  readonly day: number
  readonly month: number
  readonly year: number
  readonly hms: string
} {
  const date = new Date(ms)
  const hms = `${pad(date.getUTCHours())}:${pad(date.getUTCMinutes())}:${pad(date.getUTCSeconds())}`
  return { day: date.getUTCDate(), month: date.getUTCMonth(), year: date.getUTCFullYear(), hms }
}

export function ip(chance: Chance): string {
  return `10.${chance.below(4)}.${chance.below(256)}.${1 + chance.below(254)}`
}

export function levelOf(chance: Chance): Level {
  const dice = chance.next()
  return dice < 0.12 ? 'debug' : dice < 0.88 ? 'info' : dice < 0.96 ? 'warn' : 'error'
}
