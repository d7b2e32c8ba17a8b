/**
 * Realistic log data from a seed, with the truth about it: how many lines there are, of which level, with which words. The
 * benchmark pushes it and checks answers against the truth; tests ship it through the agent.
 *
 *     node tools/gen-data.ts --mb 20 --seed 7 --out /tmp/logs     writes one file per application and truth.json
 */
import { createWriteStream, mkdirSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'

import { Chance, formats, type FormattedLine } from './log-formats.ts'

export type GeneratorOptions = {
  readonly seed: number
  readonly streams: number
  /** Time of the first line, nanoseconds since the epoch. */
  readonly startNs: bigint
  readonly spanNs: bigint
  /** Lines over which the span is spread. */
  readonly lines: number
}

export type GeneratedStream = {
  readonly app: string
  readonly format: string
  readonly labels: readonly (readonly [string, string])[]
  /** Canonical text of the labels. */
  readonly text: string
}

export type GeneratedLine = FormattedLine & {
  readonly stream: GeneratedStream
  readonly timeNs: bigint
  readonly metadata: readonly (readonly [string, string])[]
}

/** What is in the lines that were made so far. */
export type Truth = {
  lines: number
  /** Bytes of lines, without metadata. */
  bytes: number
  readonly linesByApp: Record<string, number>
  readonly linesByLevel: Record<string, number>
  /** How many lines contain a word as a substring. */
  readonly linesWith: Record<string, number>
  /** Lines of the JSON service by HTTP status. */
  readonly paymentsByStatus: Record<string, number>
  /** Newest line of each application. */
  readonly newestNs: Record<string, bigint>
  /** A trace id that occurs in structured metadata, and how often. */
  traceId: string
  traceIdLines: number
}

/** Application, its format, its namespace, its share of the lines. */
const apps: readonly (readonly [app: string, format: string, namespace: string, share: number])[] = [
  ['edge', 'nginx', 'ingress', 22],
  ['checkout', 'logfmt', 'shop', 16],
  ['payments', 'json', 'shop', 14],
  ['catalog', 'json', 'shop', 8],
  ['hosts', 'syslog', 'system', 6],
  ['orders', 'java', 'shop', 10],
  ['database', 'postgres', 'data', 6],
  ['kubelet', 'klog', 'system', 6],
  ['gateway', 'rust', 'ingress', 7],
  ['reports', 'plain', 'data', 5],
]
/** A word in one line of ten thousand. */
export const rareWord = 'quasar'
/** Words whose lines are counted. */
export const countedWords = [rareWord, 'timeout', 'deadline', 'ord', 'Failed password'] as const
const rareShare = 1 / 10_000
const watchedTraceShare = 1 / 20_000
/** A little less than the average, so that the last line is not in the future. */
export const bytesPerLine = 140

export class LogGenerator {
  readonly streams: readonly GeneratedStream[]
  readonly truth: Truth
  readonly #chance: Chance
  readonly #options: GeneratorOptions
  readonly #streamsByApp: ReadonlyMap<string, readonly GeneratedStream[]>
  readonly #wheel: readonly string[]
  #made = 0

  constructor(options: GeneratorOptions) {
    this.#options = options
    this.#chance = new Chance(options.seed)
    this.streams = makeStreams(options.streams, this.#chance)
    this.#streamsByApp = Map.groupBy(this.streams, ({ app }) => app)
    this.#wheel = apps
      .filter(([app]) => this.#streamsByApp.has(app))
      .flatMap(([app, , , share]) => Array(share).fill(app))
    const traceId = this.#chance.hex(32)
    this.truth = {
      lines: 0,
      bytes: 0,
      linesByApp: {},
      linesByLevel: {},
      linesWith: Object.fromEntries(countedWords.map((word) => [word, 0])),
      paymentsByStatus: {},
      newestNs: {},
      traceId,
      traceIdLines: 0,
    }
  }

  /** The next line; times rise, with a little disorder between streams. */
  next(): GeneratedLine {
    const chance = this.#chance
    const app = chance.pick(this.#wheel)
    const streams = this.#streamsByApp.get(app) ?? []
    // some pods talk more than others
    const stream = streams[Math.floor(chance.next() ** 2 * streams.length)] as GeneratedStream
    const { startNs, spanNs, lines } = this.#options
    const evenNs = startNs + (spanNs * BigInt(this.#made++)) / BigInt(lines)
    const timeNs = evenNs + BigInt(chance.below(1_000_000))
    let line = formats[stream.format]?.(chance, Number(timeNs / 1_000_000n)) as FormattedLine
    if (chance.next() < rareShare) line = { ...line, text: `${line.text} ${rareWord}=${chance.hex(8)}` }
    const made = { ...line, stream, timeNs, metadata: this.#metadata(line) }
    this.#count(made)
    return made
  }

  #metadata({ traceId }: FormattedLine): [string, string][] {
    const chance = this.#chance
    if (chance.next() < watchedTraceShare) return [['trace_id', this.truth.traceId]]
    if (traceId !== undefined)
      return [
        ['trace_id', traceId],
        ['span_id', chance.hex(16)],
      ]
    return chance.next() < 0.2 ? [['user_id', String(chance.below(20_000))]] : []
  }

  #count({ text, level, status, stream, timeNs, metadata }: GeneratedLine): void {
    const { truth } = this
    truth.lines++
    truth.bytes += Buffer.byteLength(text)
    bump(truth.linesByApp, stream.app)
    bump(truth.linesByLevel, level)
    for (const word of countedWords) if (text.includes(word)) bump(truth.linesWith, word)
    if (stream.app === 'payments') bump(truth.paymentsByStatus, String(status))
    if (timeNs > (truth.newestNs[stream.app] ?? 0n)) truth.newestNs[stream.app] = timeNs
    if (metadata[0]?.[1] === truth.traceId) truth.traceIdLines++
  }
}

function bump(counts: Record<string, number>, key: string): void {
  counts[key] = (counts[key] ?? 0) + 1
}

/** Pods of the applications, in turn, until there are `count`. */
function makeStreams(count: number, chance: Chance): GeneratedStream[] {
  return Array.from({ length: count }, (_, index) => {
    const [app, format, namespace] = apps[index % apps.length] as (typeof apps)[number]
    const labels: [string, string][] = [
      ['app', app],
      ['cluster', 'prod'],
      ['container', chance.next() < 0.85 ? app : 'sidecar'],
      ['namespace', namespace],
      ['pod', `${app}-${chance.hex(9)}-${chance.hex(5)}`],
    ]
    return { app, format, labels, text: `{${labels.map(([name, value]) => `${name}="${value}"`).join(', ')}}` }
  })
}

async function writeFiles(): Promise<void> {
  const { values } = parseArgs({
    options: {
      mb: { type: 'string', default: '20' },
      seed: { type: 'string', default: '1' },
      streams: { type: 'string', default: '250' },
      out: { type: 'string', default: 'bench/data' },
    },
  })
  const wanted = Number(values.mb) * 1e6
  const startNs = BigInt(Date.now() - 24 * 3600_000) * 1_000_000n
  const generator = new LogGenerator({
    seed: Number(values.seed),
    streams: Number(values.streams),
    startNs,
    spanNs: 24n * 3600n * 1_000_000_000n,
    lines: Math.ceil(wanted / bytesPerLine),
  })
  mkdirSync(values.out, { recursive: true })
  const files = new Map(apps.map(([app]) => [app, createWriteStream(`${values.out}/${app}.log`)]))
  while (generator.truth.bytes < wanted) {
    const { stream, text } = generator.next()
    const file = files.get(stream.app)
    if (file?.write(`${text}\n`) === false) await new Promise((resolve) => file.once('drain', resolve))
  }
  for (const file of files.values()) file.end()
  const plain = (_key: string, value: unknown): unknown => (typeof value === 'bigint' ? String(value) : value)
  writeFileSync(`${values.out}/truth.json`, `${JSON.stringify(generator.truth, plain, 2)}\n`)
  console.log(`${generator.truth.lines} lines, ${generator.truth.bytes} bytes in ${values.out}`)
}

if (import.meta.main) await writeFiles()
