/** `edda export`: all lines of a query, of any number, to a file or to standard output. */
import type { Command } from 'commander'

import { formatByteSize } from '#/kernel/byte-size.ts'
import { addConnectionOptions, type ConnectionOptions, connectionOf } from './connection.ts'
import { type CliIo, UsageError } from './io.ts'
import { type LogStream, printEntries, type PrintOptions } from './print-logs.ts'
import { type QueryProgress, streamQuery } from './stream-query.ts'
import { durationOf, timeOf } from './time-options.ts'

type ExportOptions = ConnectionOptions & {
  readonly since: string
  readonly from?: string
  readonly to?: string
  readonly backward?: true
  readonly output?: string
  readonly format: string
  readonly timezone: string
  readonly quiet?: true
}

/** How often the progress is told. */
const progressMs = 2000

const examples = `
Examples:
  edda export '{app="web"}' --since 7d --output web.jsonl          a file, one JSON object a line
  edda export '{app="web"} |= "error"' --format logs | less        time, labels and line
  edda export '{app="web"}' --from 2026-11-01T00:00:00Z --to 2026-11-02T00:00:00Z | zstd > web.jsonl.zst`

export function addExportCommand(program: Command, io: CliIo): void {
  const command = program
    .command('export')
    .description('Write all log lines of a query, of any number; goes on where it was when the connection breaks')
    .argument('<query>', 'LogQL, for logs')
    .option('--since <duration>', 'how far back from --to', '1h')
    .option('--from <time>', 'start, RFC 3339 or nanoseconds since the epoch, included')
    .option('--to <time>', 'end, excluded (default now)')
    .option('--backward', 'newest lines first')
    .option('-o, --output <file>', 'a file that does not exist yet (default standard output)')
    .option('--format <form>', 'jsonl (one JSON object a line) or logs (time, labels and line)', 'jsonl')
    .option('-z, --timezone <zone>', 'Local, UTC or a name such as Europe/Paris', 'UTC')
    .option('-q, --quiet', 'no progress')
  addConnectionOptions(command)
    .addHelpText('after', examples)
    .action((query: string, options: ExportOptions) => runExport(query, options, io))
}

async function runExport(query: string, options: ExportOptions, io: CliIo): Promise<void> {
  const { format, timezone, quiet = false } = options
  if (format !== 'jsonl' && format !== 'logs') throw new UsageError(`--format is jsonl or logs, not '${format}'`)
  const { clock, disk } = io.world
  const endNs = options.to === undefined ? clock.nowNs() : timeOf(options.to, '--to')
  const startNs =
    options.from === undefined ? endNs - durationOf(options.since, '--since') : timeOf(options.from, '--from')
  const file = options.output === undefined ? undefined : await disk.openAppend(options.output, { create: true })
  const out =
    file === undefined ? io : { ...io, isTerminal: false, out: (text: string) => file.append([Buffer.from(text)]) }
  const say = (text: string): void => (quiet ? undefined : io.err(`edda: ${text}\n`))
  const print: PrintOptions = {
    output: format === 'logs' ? 'default' : 'jsonl',
    labels: true,
    timezone,
    quiet,
    isTail: true,
  }
  const told = new Told(() => clock.monotonicMs(), say)
  const direction = options.backward ? 'backward' : 'forward'
  const parameters = { query, direction, limit: 'all', start: String(startNs), end: String(endNs) }
  try {
    const onRows = async (streams: readonly LogStream[]): Promise<void> => {
      const entries = entriesInOrder(streams)
      await printEntries(entries, print, out)
      told.lines += entries.length
    }
    const onProgress = (progress: QueryProgress): void => told.progress(progress)
    await streamQuery(connectionOf(options, io), { parameters, onRows, onProgress, say }, io)
    await file?.sync()
  } finally {
    await file?.close()
  }
  say(`${told.lines} lines`)
}

function entriesInOrder(streams: readonly LogStream[]) {
  return streams.flatMap(({ stream, values }) =>
    values.map(([ns, line]) => ({ labels: stream, timeNs: BigInt(ns), line })),
  )
}

class Told {
  lines = 0
  readonly #nowMs: () => number
  readonly #say: (text: string) => void
  #lastMs: number

  constructor(nowMs: () => number, say: (text: string) => void) {
    this.#nowMs = nowMs
    this.#say = say
    this.#lastMs = nowMs()
  }

  progress({ bytes_done: done, bytes_total: total }: QueryProgress): void {
    const nowMs = this.#nowMs()
    if (nowMs - this.#lastMs < progressMs) return
    this.#lastMs = nowMs
    const percent = total === 0 ? 100 : Math.floor((done / total) * 100)
    this.#say(`${this.lines} lines, ${percent} % of ${formatByteSize(total)}`)
  }
}
