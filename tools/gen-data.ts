/**
 * Realistic log data from a seed, with the truth about it: how many lines there are, of which level, with which words. The
 * benchmark pushes it and checks answers against the truth.
 *
 *     node tools/gen-data.ts --set S --mb 20 --seed 7 --out /tmp/logs     writes one file per application and truth.json
 */
import { createWriteStream, mkdirSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'

import { Chance } from './chance.ts'
import { type App, type Profile, profileOf, profiles } from './data-profiles.ts'
import { countLine, emptyTruth, rareWord, type Truth, truthJson } from './data-truth.ts'
import { type Format, type FormattedLine, users } from './line-parts.ts'
import { extremes, formats } from './log-formats.ts'

export type GeneratorOptions = {
  readonly seed: number
  /** Where the streams come from; `seed` by default. With that of another generator: other lines of the same streams. */
  readonly streamSeed?: number
  /** That of data set S by default. */
  readonly profile?: Profile
  /** As the profile says by default. */
  readonly streams?: number
  /** Time of the first line, nanoseconds since the epoch. */
  readonly startNs: bigint
  readonly spanNs: bigint
  /** Lines over which the span is spread. */
  readonly lines: number
}

export type GeneratedStream = {
  readonly app: string
  readonly namespace: string
  readonly labels: readonly (readonly [string, string])[]
  /** Canonical text of the labels. */
  readonly text: string
}

export type GeneratedLine = FormattedLine & {
  readonly stream: GeneratedStream
  readonly timeNs: bigint
  readonly metadata: readonly (readonly [string, string])[]
}

/** An application and its streams. */
type Source = { readonly app: App; readonly format: Format; readonly streams: GeneratedStream[] }

/** Keeps the ids of pods apart from those in lines. */
const streamSalt = 0x5bd1e995
const rareShare = 1 / 10_000
/** The trace that is asked for: where in the data it begins, and how many lines it has. */
const watchedTrace = { from: 0.6, lines: 12, shareOfTraced: 0.25 }

export class LogGenerator {
  readonly streams: readonly GeneratedStream[]
  readonly truth: Truth
  readonly #chance: Chance
  readonly #options: GeneratorOptions
  readonly #profile: Profile
  readonly #wheel: readonly Source[]
  readonly #seen = new Set<GeneratedStream>()
  #made = 0

  constructor(options: GeneratorOptions) {
    const seed = (options.streamSeed ?? options.seed) ^ streamSalt
    this.#options = options
    this.#profile = options.profile ?? profiles.S
    this.#chance = new Chance(options.seed)
    const sources = this.#profile.apps.map((app) => ({ app, format: formatOf(app.format), streams: [] }))
    this.streams = makeStreams(sources, options.streams ?? this.#profile.streams, new Chance(seed))
    this.#wheel = sources
      .filter(({ streams }) => streams.length > 0)
      .flatMap((source) => Array<Source>(source.app.share).fill(source))
    this.truth = emptyTruth(this.#chance.hex(32))
  }

  /** The next line; times rise, with a little disorder between streams. */
  next(): GeneratedLine {
    const chance = this.#chance
    const { app, format, streams } = chance.pick(this.#wheel)
    // some pods talk more than others
    const stream = streams[Math.floor(chance.next() ** 2 * streams.length)] as GeneratedStream
    const { startNs, spanNs, lines } = this.#options
    const evenNs = startNs + (spanNs * BigInt(this.#made++)) / BigInt(lines)
    // never at the start itself, which a range of the same length would leave out
    const timeNs = evenNs + BigInt(1 + chance.below(999_999))
    const line = this.#watched(format(chance, Number(timeNs / 1_000_000n)))
    const text = chance.next() < rareShare ? withRareWord(line.text) : line.text
    const made = { ...line, text, stream, timeNs, metadata: this.#metadata(line, app) }
    countLine(this.truth, made, !this.#seen.has(stream))
    this.#seen.add(stream)
    return made
  }

  /** The line, or the line as one of the watched trace. */
  #watched(line: FormattedLine): FormattedLine {
    const { traceId, text } = line
    if (traceId === undefined || this.truth.traceIdLines >= watchedTrace.lines) return line
    if (this.#made < this.#options.lines * watchedTrace.from) return line
    if (this.#chance.next() >= watchedTrace.shareOfTraced) return line
    return { ...line, traceId: this.truth.traceId, text: text.replaceAll(traceId, this.truth.traceId) }
  }

  #metadata({ traceId, user }: FormattedLine, { userShare = 0 }: App): [string, string][] {
    const chance = this.#chance
    const metadata: [string, string][] = []
    if (this.#profile.nodes > 0) metadata.push(['node', `node-${chance.popular(this.#profile.nodes)}`])
    if (traceId !== undefined) metadata.push(['trace_id', traceId], ['span_id', chance.hex(16)])
    if (chance.next() < userShare) metadata.push(['user_id', user ?? `u-${chance.popular(users)}`])
    return metadata
  }
}

/** JSON stays JSON. */
const withRareWord = (text: string): string =>
  text.endsWith('}')
    ? `${text.slice(0, -1)},"note":"${rareWord} limiter engaged"}`
    : `${text} (${rareWord} limiter engaged)`

function formatOf(name: string): Format {
  const format = formats[name] ?? extremes[name]
  if (format === undefined) throw new Error(`no format ${name}`)
  return format
}

/** Pods of the applications, in turn, until there are `count`. */
function makeStreams(sources: readonly Source[], count: number, chance: Chance): GeneratedStream[] {
  return Array.from({ length: count }, (_, index) => {
    const { app, streams } = sources[index % sources.length] as Source
    const labels: [string, string][] = [
      ['app', app.app],
      ['cluster', 'prod'],
      ['container', chance.next() < 0.85 ? app.app : 'sidecar'],
      ['namespace', app.namespace],
      ['pod', `${app.app}-${chance.hex(9)}-${chance.hex(5)}`],
    ]
    const text = `{${labels.map(([name, value]) => `${name}="${value}"`).join(', ')}}`
    const stream = { app: app.app, namespace: app.namespace, labels, text }
    streams.push(stream)
    return stream
  })
}

async function writeFiles(): Promise<void> {
  const { values } = parseArgs({
    options: {
      set: { type: 'string', default: 'S' },
      mb: { type: 'string', default: '20' },
      seed: { type: 'string', default: '1' },
      streams: { type: 'string' },
      out: { type: 'string', default: 'bench/data' },
    },
  })
  const wanted = Number(values.mb) * 1e6
  const profile = profileOf(values.set)
  const generator = new LogGenerator({
    seed: Number(values.seed),
    profile,
    ...(values.streams === undefined ? {} : { streams: Number(values.streams) }),
    startNs: BigInt(Date.now() - 24 * 3600_000) * 1_000_000n,
    spanNs: 24n * 3600n * 1_000_000_000n,
    lines: Math.ceil(wanted / profile.bytesPerLine),
  })
  mkdirSync(values.out, { recursive: true })
  const files = new Map(profile.apps.map(({ app }) => [app, createWriteStream(`${values.out}/${app}.log`)]))
  while (generator.truth.bytes < wanted) {
    const { stream, text } = generator.next()
    const file = files.get(stream.app)
    if (file?.write(`${text}\n`) === false) await new Promise((resolve) => file.once('drain', resolve))
  }
  for (const file of files.values()) file.end()
  writeFileSync(`${values.out}/truth.json`, truthJson(generator.truth))
  console.log(`${generator.truth.lines} lines, ${generator.truth.bytes} bytes in ${values.out}`)
}

if (import.meta.main) await writeFiles()
