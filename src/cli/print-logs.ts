/** Log lines for people and programs: logcli's forms `default`, `raw` and `jsonl`. */
import { formatLabels } from '#/logs/model/labels.ts'
import type { CliIo } from './io.ts'

export type LabelMap = Readonly<Record<string, string>>
export type LogStream = { readonly stream: LabelMap; readonly values: readonly (readonly [string, string])[] }
export type PrintOptions = {
  readonly output: 'default' | 'raw' | 'jsonl'
  readonly labels: boolean
  readonly timezone: string
  readonly quiet: boolean
  /** Set for lines that come one by one: each has all its labels. */
  readonly isTail?: true
}

type Entry = { readonly labels: LabelMap; readonly timeNs: bigint; readonly line: string }

const blue = (text: string): string => `\u001b[34m${text}\u001b[0m`
const red = (text: string): string => `\u001b[31m${text}\u001b[0m`

/** Prints entries in their order; labels that all have in common go to standard error, once. */
export async function printEntries(entries: readonly Entry[], options: PrintOptions, io: CliIo): Promise<void> {
  if (entries.length === 0) return
  const zone = options.timezone === 'Local' ? Temporal.Now.timeZoneId() : options.timezone
  if (options.output === 'jsonl') {
    const rows = entries.map(({ labels, line, timeNs }) => ({
      labels,
      line,
      timestamp: timestamp(timeNs, zone, 'nano'),
    }))
    return io.out(rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
  }
  if (options.output === 'raw') return io.out(entries.map(({ line }) => `${safe(line, io)}\n`).join(''))
  const common = options.isTail ? {} : commonLabels(entries)
  if (!options.quiet && Object.keys(common).length > 0) io.err(`Common labels: ${labelText(common)}\n`)
  const own = entries.map(({ labels }) => labelText(withoutCommon(labels, common)))
  const width = own.reduce((most, text) => Math.max(most, text.length), 0)
  const color = io.isTerminal && io.env['NO_COLOR'] === undefined
  const rows = entries.map(({ timeNs, line }, index) => {
    const time = timestamp(timeNs, zone, 'second')
    const labels = options.labels ? ` ${(own[index] ?? '').padEnd(width)}` : ''
    return `${color ? blue(time) : time}${color ? red(labels) : labels} ${safe(line.trim(), io)}\n`
  })
  await io.out(rows.join(''))
}

export function labelText(labels: LabelMap): string {
  return formatLabels(Object.entries(labels))
}

function commonLabels(entries: readonly Entry[]): LabelMap {
  const [first, ...rest] = entries
  return Object.fromEntries(
    Object.entries(first?.labels ?? {}).filter(([name, value]) => rest.every(({ labels }) => labels[name] === value)),
  )
}

function withoutCommon(labels: LabelMap, common: LabelMap): LabelMap {
  return Object.fromEntries(Object.entries(labels).filter(([name]) => !(name in common)))
}

/** RFC 3339 in a zone, `Z` for UTC. */
export function timestamp(ns: bigint, zone: string, precision: 'second' | 'nano'): string {
  const zoned = new Temporal.Instant(ns).toZonedDateTimeISO(zone)
  const fraction = String(((ns % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n)
    .padStart(9, '0')
    .replace(/0+$/, '')
  const time = zoned.toPlainDateTime().toString({ smallestUnit: 'second' })
  const offset = zoned.offset === '+00:00' ? 'Z' : zoned.offset
  return `${time}${precision === 'nano' && fraction !== '' ? `.${fraction}` : ''}${offset}`
}

/** A terminal must not obey the lines that it shows: control codes go, colours may stay. */
function safe(line: string, { isTerminal }: CliIo): string {
  if (!isTerminal) return line
  // oxlint-disable-next-line no-control-regex
  return line.replaceAll(/\u001b(?!\[[\d;]*m)|[\u0000-\u0008\u000b-\u001a\u001c-\u001f\u007f-\u009f]/g, '')
}
