/** Time zones: the named ones of the runtime's database, and fixed offsets. */

/** An IANA name that the runtime knows, or an offset from UTC with the name that was written, maybe none. */
export type Zone = string | { readonly name: string; readonly offsetSeconds: number }

/** Named zones kept ready, bad names included. */
const MAX_ZONES = 64
/** Offsets change at such moments only. */
const QUARTER_SECONDS = 900

/** Abbreviations that the English locales do not know; the second one is for summer. */
const abbreviations: Readonly<Record<string, readonly [string, string?]>> = {
  'Africa/Johannesburg': ['SAST'],
  'Africa/Lagos': ['WAT'],
  'Africa/Nairobi': ['EAT'],
  'Asia/Hong_Kong': ['HKT'],
  'Asia/Jakarta': ['WIB'],
  'Asia/Jerusalem': ['IST', 'IDT'],
  'Asia/Karachi': ['PKT'],
  'Asia/Manila': ['PST'],
  'Asia/Seoul': ['KST'],
  'Asia/Shanghai': ['CST'],
  'Asia/Taipei': ['CST'],
  'Asia/Tokyo': ['JST'],
  'Europe/Moscow': ['MSK'],
  'Pacific/Auckland': ['NZST', 'NZDT'],
}
const abbreviatingLocales = ['en-US', 'en-GB', 'en-AU', 'en-IN']

type NamedZone = {
  readonly offsets: Intl.DateTimeFormat
  quarter: number
  offsetSeconds: number
  abbreviation: string | undefined
}

const zones = new Map<string, NamedZone | undefined>()

/** The zone of this process. */
export function localZone(): Zone {
  const { timeZone } = new Intl.DateTimeFormat().resolvedOptions()
  return findZone(timeZone) ?? 'UTC'
}

/** The zone of that name; undefined when there is none. The empty name is UTC. */
export function findZone(name: string): Zone | undefined {
  if (name === '' || name === 'UTC' || name === 'Etc/UTC') return 'UTC'
  return namedZone(name) && name
}

function namedZone(name: string): NamedZone | undefined {
  if (zones.has(name)) return zones.get(name)
  if (zones.size >= MAX_ZONES) zones.clear()
  const made = /^[A-Za-z]/.test(name) ? makeZone(name) : undefined
  if (name.length < 100) zones.set(name, made)
  return made
}

function makeZone(timeZone: string): NamedZone | undefined {
  try {
    const offsets = new Intl.DateTimeFormat('en-US', { timeZone, timeZoneName: 'longOffset' })
    return { offsets, quarter: Number.NaN, offsetSeconds: 0, abbreviation: undefined }
  } catch {
    return undefined
  }
}

/** Seconds east of UTC at a second since the epoch. */
export function zoneOffset(zone: Zone, atSeconds: number): number {
  if (typeof zone !== 'string') return zone.offsetSeconds
  return zone === 'UTC' ? 0 : zoneAt(zone, atSeconds).offsetSeconds
}

/** The zone, with its offset at that second. */
function zoneAt(name: string, atSeconds: number): NamedZone {
  const zone = namedZone(name)!
  const quarter = Math.floor(atSeconds / QUARTER_SECONDS)
  if (zone.quarter === quarter) return zone
  const text = partOf(zone.offsets, atSeconds)
  const [, sign, hours, minutes, seconds] = /^GMT(?:([+-])(\d\d):(\d\d)(?::(\d\d))?)?$/.exec(text) ?? []
  const size = Number(hours ?? 0) * 3600 + Number(minutes ?? 0) * 60 + Number(seconds ?? 0)
  zone.quarter = quarter
  zone.offsetSeconds = sign === '-' ? -size : size
  zone.abbreviation = undefined
  return zone
}

function partOf(format: Intl.DateTimeFormat, atSeconds: number): string {
  const date = new Date(atSeconds * 1000)
  if (Number.isNaN(date.getTime())) return 'GMT'
  return format.formatToParts(date).find(({ type }) => type === 'timeZoneName')?.value ?? 'GMT'
}

/** The short name of the zone at that second: `CET`, or the offset where there is no name. */
export function zoneAbbreviation(zone: Zone, atSeconds: number): string {
  if (zone === 'UTC') return 'UTC'
  if (typeof zone !== 'string') return zone.name === '' ? offsetName(zone.offsetSeconds) : zone.name
  const named = zoneAt(zone, atSeconds)
  return (named.abbreviation ??= findAbbreviation(zone, named.offsetSeconds, atSeconds))
}

function findAbbreviation(timeZone: string, offsetSeconds: number, atSeconds: number): string {
  const [standard, summer] = abbreviations[timeZone] ?? []
  if (standard !== undefined) {
    const january = Date.UTC(new Date(atSeconds * 1000).getUTCFullYear(), 0, 1) / 1000
    const july = january + 181 * 86_400
    const least = Math.min(...[january, july].map((at) => offsetAlone(timeZone, at)))
    return offsetSeconds > least ? (summer ?? standard) : standard
  }
  for (const locale of abbreviatingLocales) {
    const text = partOf(new Intl.DateTimeFormat(locale, { timeZone, timeZoneName: 'short' }), atSeconds)
    if (!/^(?:GMT|UTC)[+-]/.test(text)) return text
  }
  return offsetName(offsetSeconds)
}

/** Without touching what is remembered. */
function offsetAlone(name: string, atSeconds: number): number {
  const zone = namedZone(name)!
  const { quarter, offsetSeconds } = zone
  const result = zoneAt(name, atSeconds).offsetSeconds
  Object.assign(zone, { quarter, offsetSeconds })
  return result
}

/** `+02`, `-0330` */
function offsetName(offsetSeconds: number): string {
  const size = Math.abs(offsetSeconds)
  const hours = String(Math.floor(size / 3600)).padStart(2, '0')
  const minutes = Math.floor(size / 60) % 60
  return `${offsetSeconds < 0 ? '-' : '+'}${hours}${minutes > 0 ? String(minutes).padStart(2, '0') : ''}`
}

/** The second since the epoch at which the clocks of the zone show this wall time (counted as if it were UTC). */
export function instantOf(wallSeconds: number, zone: Zone): number {
  const offset = zoneOffset(zone, wallSeconds)
  const instant = wallSeconds - offset
  const there = zoneOffset(zone, instant)
  return there === offset ? instant : wallSeconds - there
}
