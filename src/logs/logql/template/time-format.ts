/** Writes times as Go's layouts say. */
import { dayNames, monthNames, readLayout } from './time-layout.ts'
import type { Time } from './values.ts'
import { zoneAbbreviation, zoneOffset } from './zones.ts'

const SECOND = 1_000_000_000n

/** A time taken apart, as the clocks of its zone show it. */
export type CivilTime = {
  /** With the zone's wall time where UTC would be. */
  readonly wall: Date
  readonly nanosecond: number
  readonly offsetSeconds: number
  readonly abbreviation: string
}

/** Whole seconds since the epoch, rounded down. */
export function secondsOf({ ns }: Time): number {
  return Number(ns >= 0n ? ns / SECOND : (ns - SECOND + 1n) / SECOND)
}

export function civilTime(time: Time): CivilTime {
  const seconds = secondsOf(time)
  const offsetSeconds = zoneOffset(time.zone, seconds)
  return {
    wall: new Date((seconds + offsetSeconds) * 1000),
    nanosecond: Number(time.ns - BigInt(seconds) * SECOND),
    offsetSeconds,
    abbreviation: zoneAbbreviation(time.zone, seconds),
  }
}

export function formatTime(time: Time, layout: string): string {
  const civil = civilTime(time)
  let text = ''
  for (const part of readLayout(layout)) text += part.kind === 'literal' ? part.text : formatField(civil, part.text)
  return text
}

/** Day of the year, from 1. */
export function yearDay({ wall }: CivilTime): number {
  const first = new Date(wall)
  first.setUTCMonth(0, 1)
  return Math.round((wall.getTime() - first.getTime()) / 86_400_000) + 1
}

const digits = (value: number, count: number, fill = '0'): string => String(value).padStart(count, fill)
const twelve = (hour: number): number => hour % 12 || 12

const fields: Readonly<Record<string, (civil: CivilTime) => string>> = {
  January: ({ wall }) => monthNames[wall.getUTCMonth()]!,
  Jan: ({ wall }) => monthNames[wall.getUTCMonth()]!.slice(0, 3),
  '1': ({ wall }) => String(wall.getUTCMonth() + 1),
  '01': ({ wall }) => digits(wall.getUTCMonth() + 1, 2),
  Monday: ({ wall }) => dayNames[wall.getUTCDay()]!,
  Mon: ({ wall }) => dayNames[wall.getUTCDay()]!.slice(0, 3),
  '2': ({ wall }) => String(wall.getUTCDate()),
  _2: ({ wall }) => digits(wall.getUTCDate(), 2, ' '),
  '02': ({ wall }) => digits(wall.getUTCDate(), 2),
  __2: (civil) => digits(yearDay(civil), 3, ' '),
  '002': (civil) => digits(yearDay(civil), 3),
  '15': ({ wall }) => digits(wall.getUTCHours(), 2),
  '3': ({ wall }) => String(twelve(wall.getUTCHours())),
  '03': ({ wall }) => digits(twelve(wall.getUTCHours()), 2),
  '4': ({ wall }) => String(wall.getUTCMinutes()),
  '04': ({ wall }) => digits(wall.getUTCMinutes(), 2),
  '5': ({ wall }) => String(wall.getUTCSeconds()),
  '05': ({ wall }) => digits(wall.getUTCSeconds(), 2),
  '2006': ({ wall }) => digits(wall.getUTCFullYear(), 4),
  '06': ({ wall }) => digits(((wall.getUTCFullYear() % 100) + 100) % 100, 2),
  PM: ({ wall }) => (wall.getUTCHours() >= 12 ? 'PM' : 'AM'),
  pm: ({ wall }) => (wall.getUTCHours() >= 12 ? 'pm' : 'am'),
  MST: ({ abbreviation }) => abbreviation,
}

function formatField(civil: CivilTime, field: string): string {
  const plain = fields[field]
  if (plain) return plain(civil)
  if (field.startsWith('Z') || field.startsWith('-')) return formatOffset(civil.offsetSeconds, field)
  const fraction = digits(civil.nanosecond, 9)
    .slice(0, field.length - 1)
    .padEnd(field.length - 1, '0')
  if (field[1] === '0') return field[0]! + fraction
  const kept = fraction.replace(/0+$/, '')
  return kept === '' ? '' : field[0]! + kept
}

function formatOffset(offsetSeconds: number, field: string): string {
  if (field.startsWith('Z') && offsetSeconds === 0) return 'Z'
  const size = Math.abs(offsetSeconds)
  const parts = [Math.floor(size / 3600), Math.floor(size / 60) % 60, size % 60].map((part) => digits(part, 2))
  const shape = field.slice(1)
  const count = shape === '07' ? 1 : shape === '0700' || shape === '07:00' ? 2 : 3
  return (offsetSeconds < 0 ? '-' : '+') + parts.slice(0, count).join(shape.includes(':') ? ':' : '')
}
