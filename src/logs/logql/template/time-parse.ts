/** Reads times as Go's layouts say. */
import { monthNames, dayNames, readLayout } from './time-layout.ts'
import type { Time } from './values.ts'
import { instantOf, zoneAbbreviation, zoneOffset, type Zone } from './zones.ts'

/** What Go's zero time is: the first of January of the year 1, UTC. */
export const zeroTime: Time = { kind: 'time', ns: -62_135_596_800_000_000_000n, zone: 'UTC' }

/** The time that `text` states, in `zone` unless it says another; undefined when it does not fit the layout. */
export function parseTime(layout: string, text: string, zone: Zone): Time | undefined {
  return new TimeReader(layout, text).read(zone)
}

type Take = (reader: TimeReader) => boolean

class TimeReader {
  readonly #layout: string
  #rest: string
  year = 0
  month = -1
  day = -1
  yearDay = -1
  hour = 0
  minute = 0
  second = 0
  nanosecond = 0
  half: 'am' | 'pm' | undefined
  /** NaN: none was stated. */
  offsetSeconds = Number.NaN
  isUtc = false
  abbreviation = ''

  constructor(layout: string, text: string) {
    this.#layout = layout
    this.#rest = text
  }

  read(zone: Zone): Time | undefined {
    const parts = readLayout(this.#layout)
    for (const [index, { kind, text }] of parts.entries()) {
      if (kind === 'literal' ? !this.#literal(text) : !this.#field(text)) return undefined
      const next = parts[index + 1]
      // a fraction may follow the seconds even when the layout has none
      if ((text === '5' || text === '05') && kind === 'field' && !(next && /^[.,]\d/.test(next.text))) {
        const [fraction] = /^[.,]\d+/.exec(this.#rest) ?? []
        if (fraction !== undefined) this.fraction(fraction.length)
      }
    }
    return this.#rest === '' ? this.#time(zone) : undefined
  }

  /** A blank in the layout stands for any number of them. */
  #literal(text: string): boolean {
    for (let at = 0; at < text.length; at++) {
      if (text[at] === ' ') {
        if (this.#rest !== '' && this.#rest[0] !== ' ') return false
        while (text[at + 1] === ' ') at++
        this.#rest = this.#rest.replace(/^ +/, '')
      } else {
        if (this.#rest[0] !== text[at]) return false
        this.#rest = this.#rest.slice(1)
      }
    }
    return true
  }

  #field(field: string): boolean {
    const take = takes[field]
    if (take) return take(this)
    if (field.startsWith('Z') || field.startsWith('-')) return this.#offset(field)
    if (field[1] === '0') {
      const [exact] = /^[.,]\d+/.exec(this.#rest.slice(0, field.length)) ?? []
      return exact?.length === field.length && this.fraction(field.length)
    }
    const [fraction] = /^[.,]\d{1,9}/.exec(this.#rest) ?? []
    return fraction === undefined || this.fraction(fraction.length)
  }

  /** Digits of a second behind a point. */
  fraction(length: number): boolean {
    this.nanosecond = Number(this.#rest.slice(1, Math.min(length, 10)).padEnd(9, '0'))
    this.#rest = this.#rest.slice(length)
    return true
  }

  /** A number of `least` to `most` digits; undefined when it is not there. */
  number(least: number, most: number): number | undefined {
    let length = 0
    while (length < most && /\d/.test(this.#rest[length] ?? '')) length++
    if (length < least) return undefined
    const value = Number(this.#rest.slice(0, length))
    this.#rest = this.#rest.slice(length)
    return value
  }

  skipBlank(): void {
    if (this.#rest.startsWith(' ')) this.#rest = this.#rest.slice(1)
  }

  /** Position in `names` of the one that stands here in any case; `length` is that of abbreviations. */
  name(names: readonly string[], length?: number): number {
    const rest = this.#rest.toLowerCase()
    const found = names.findIndex((name) => rest.startsWith(name.slice(0, length).toLowerCase()))
    if (found >= 0) this.#rest = this.#rest.slice(length ?? names[found]!.length)
    return found
  }

  word(words: readonly string[]): string | undefined {
    const found = words.find((each) => this.#rest.startsWith(each))
    if (found !== undefined) this.#rest = this.#rest.slice(found.length)
    return found
  }

  /** `UTC`, `GMT+3`, or three to five capitals. */
  zoneName(): boolean {
    const [name] =
      /^(?:UTC|ChST|MeST|GMT(?:[+-]\d{1,2})?|[+-]\d\d(?:\d\d)?|[A-Z]{3,4}T|[A-Z]{3})/.exec(this.#rest) ?? []
    if (name === undefined) return false
    this.#rest = this.#rest.slice(name.length)
    if (name === 'UTC') this.isUtc = true
    else this.abbreviation = name
    return true
  }

  #offset(field: string): boolean {
    if (field.startsWith('Z') && this.#rest.startsWith('Z')) {
      this.#rest = this.#rest.slice(1)
      this.isUtc = true
      return true
    }
    const shape = field.slice(1).replaceAll(/\d\d/g, String.raw`(\d\d)`)
    const match = new RegExp(`^([+-])${shape}`).exec(this.#rest)
    if (!match) return false
    const [hours, minutes, seconds] = [2, 3, 4].map((group) => Number(match[group] ?? 0)) as [number, number, number]
    if (hours > 24 || minutes > 60 || seconds > 60) return false
    this.#rest = this.#rest.slice(match[0].length)
    this.offsetSeconds = (match[1] === '-' ? -1 : 1) * (hours * 3600 + minutes * 60 + seconds)
    return true
  }

  #time(zone: Zone): Time | undefined {
    if (!this.#hasDate()) return undefined
    const hour =
      this.half === 'pm' && this.hour < 12 ? this.hour + 12 : this.half === 'am' && this.hour === 12 ? 0 : this.hour
    const date = new Date(0)
    date.setUTCFullYear(this.year, this.month - 1, this.day)
    const wall = date.getTime() / 1000 + hour * 3600 + this.minute * 60 + this.second
    const [seconds, where] = this.#place(wall, zone)
    return { kind: 'time', ns: BigInt(seconds) * 1_000_000_000n + BigInt(this.nanosecond), zone: where }
  }

  /** The second since the epoch, and the zone that the text or the caller says. */
  #place(wall: number, zone: Zone): [seconds: number, zone: Zone] {
    if (this.isUtc) return [wall, 'UTC']
    if (!Number.isNaN(this.offsetSeconds)) {
      const seconds = wall - this.offsetSeconds
      const isHere =
        zoneOffset(zone, seconds) === this.offsetSeconds &&
        (this.abbreviation === '' || zoneAbbreviation(zone, seconds) === this.abbreviation)
      return [seconds, isHere ? zone : { name: this.abbreviation, offsetSeconds: this.offsetSeconds }]
    }
    if (this.abbreviation === '') return [instantOf(wall, zone), zone]
    const seconds = instantOf(wall, zone)
    if (zoneAbbreviation(zone, seconds) === this.abbreviation) return [seconds, zone]
    // a name that the zone does not use tells no offset, but for GMT+n
    const offsetSeconds = Number(/^GMT([+-]\d+)$/.exec(this.abbreviation)?.[1] ?? 0) * 3600
    return [wall - offsetSeconds, { name: this.abbreviation, offsetSeconds }]
  }

  /** Fills in the first of January, resolves a day of the year; false when there is no such day. */
  #hasDate(): boolean {
    const isLeap = this.year % 4 === 0 && (this.year % 100 !== 0 || this.year % 400 === 0)
    if (this.yearDay >= 0) {
      if (this.yearDay < 1 || this.yearDay > (isLeap ? 366 : 365)) return false
      const date = new Date(Date.UTC(2000 + (isLeap ? 0 : 1), 0, this.yearDay))
      const [month, day] = [date.getUTCMonth() + 1, date.getUTCDate()]
      if ((this.month >= 0 && this.month !== month) || (this.day >= 0 && this.day !== day)) return false
      this.month = month
      this.day = day
    }
    if (this.month < 0) this.month = 1
    if (this.day < 0) this.day = 1
    const last = new Date(Date.UTC(isLeap ? 2000 : 2001, this.month, 0)).getUTCDate()
    return this.day >= 1 && this.day <= last
  }
}

type NumberField = 'year' | 'month' | 'day' | 'yearDay' | 'hour' | 'minute' | 'second'

/** A number of so many digits, in a range that does not depend on anything else. */
function takeNumber(
  field: NumberField,
  size: readonly [least: number, most: number],
  range: readonly [number, number],
): Take {
  return (reader) => {
    const value = reader.number(size[0], size[1])
    if (value === undefined || value < range[0] || value > range[1]) return false
    reader[field] = value
    return true
  }
}

function takeMonth(length: number | undefined): Take {
  return (reader) => (reader.month = reader.name(monthNames, length) + 1) > 0
}

const takes: Readonly<Record<string, Take>> = {
  January: takeMonth(undefined),
  Jan: takeMonth(3),
  '1': takeNumber('month', [1, 2], [1, 12]),
  '01': takeNumber('month', [2, 2], [1, 12]),
  Monday: (reader) => reader.name(dayNames) >= 0,
  Mon: (reader) => reader.name(dayNames, 3) >= 0,
  '2': takeNumber('day', [1, 2], [0, 31]),
  _2: (reader) => {
    reader.skipBlank()
    return takeNumber('day', [1, 2], [0, 31])(reader)
  },
  '02': takeNumber('day', [2, 2], [0, 31]),
  __2: (reader) => {
    reader.skipBlank()
    reader.skipBlank()
    return takeNumber('yearDay', [1, 3], [0, 999])(reader)
  },
  '002': takeNumber('yearDay', [3, 3], [0, 999]),
  '15': takeNumber('hour', [1, 2], [0, 23]),
  '3': takeNumber('hour', [1, 2], [0, 12]),
  '03': takeNumber('hour', [2, 2], [0, 12]),
  '4': takeNumber('minute', [1, 2], [0, 59]),
  '04': takeNumber('minute', [2, 2], [0, 59]),
  '5': takeNumber('second', [1, 2], [0, 59]),
  '05': takeNumber('second', [2, 2], [0, 59]),
  '2006': takeNumber('year', [4, 4], [0, 9999]),
  '06': (reader) => {
    const value = reader.number(2, 2)
    if (value === undefined) return false
    reader.year = value + (value >= 69 ? 1900 : 2000)
    return true
  },
  PM: (reader) => {
    const word = reader.word(['AM', 'PM'])
    reader.half = word?.toLowerCase() as 'am' | 'pm' | undefined
    return word !== undefined
  },
  pm: (reader) => {
    reader.half = reader.word(['am', 'pm']) as 'am' | 'pm' | undefined
    return reader.half !== undefined
  },
  MST: (reader) => reader.zoneName(),
}
