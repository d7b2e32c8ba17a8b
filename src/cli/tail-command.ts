/** `edda tail`: prints lines as they come, until Ctrl+C; a lost connection is made again, without gap and repetition. */
import type { Command } from 'commander'

import { addConnectionOptions, type Connection, type ConnectionOptions, connectionOf } from './connection.ts'
import type { Entry } from './entry-order.ts'
import { follow, type FollowEnd } from './follow.ts'
import { type CliIo, UsageError } from './io.ts'
import { printEntries, type PrintOptions, timestamp } from './print-logs.ts'
import { durationOf, timeOf } from './time-options.ts'

type TailOptions = ConnectionOptions & {
  readonly limit: string
  readonly since: string
  readonly from?: string
  readonly delayFor: string
  readonly output: string
  readonly json?: true
  readonly labels: boolean
  readonly timezone: string
  readonly quiet?: true
}

const examples = `
Examples:
  edda tail '{app="web"}'                                       last 10 lines, then what comes
  edda tail '{app="web"} |= "error"' --limit 100 --since 24h
  edda tail '{app="web"} | json | status >= 500' -o raw         lines only
  edda tail '{app="web"}' --delay-for 3 --json                  in order although some lines come late, for programs`

/** Attempts in a row without a connection. */
const maxAttempts = 5
const firstWaitMs = 500
const maxWaitMs = 10_000
/** Lines that may have come while there was no connection. */
const catchUpLimit = 1000
/** What Loki says when a tail has lasted its longest time. */
const durationReason = 'reached tail max duration limit'
const [closeNormal, closeGoingAway, closeLost, closeEnded] = [1000, 1001, 1006, 1011]

export function addTailCommand(program: Command, io: CliIo): void {
  const command = program
    .command('tail')
    .description('Print log lines as they come')
    .argument('<query>', 'LogQL, for logs')
    .option('--limit <count>', 'lines to begin with, the newest there are', '10')
    .option('--since <duration>', 'how far back these may lie', '1h')
    .option('--from <time>', 'how far back, as a time: RFC 3339 or nanoseconds since the epoch')
    .option('--delay-for <seconds>', 'wait so long for lines that come late, at most 5', '0')
    .option('-o, --output <form>', 'default, raw (lines only) or jsonl', 'default')
    .option('--json', 'one JSON object a line')
    .option('--no-labels', 'leave the labels out')
    .option('-z, --timezone <zone>', 'Local, UTC or a name such as Europe/Paris', 'Local')
    .option('-q, --quiet', 'print data only')
  addConnectionOptions(command)
    .addHelpText('after', examples)
    .action((query: string, options: TailOptions) => runTail(query, options, io))
}

async function runTail(query: string, options: TailOptions, io: CliIo): Promise<void> {
  const { clock } = io.world
  const output = options.json ? 'jsonl' : options.output
  if (output !== 'default' && output !== 'raw' && output !== 'jsonl') {
    throw new UsageError(`--output is default, raw or jsonl, not '${output}'`)
  }
  const { labels, timezone } = options
  const print: PrintOptions = { output, labels, timezone, quiet: options.quiet === true, isTail: true }
  const startNs =
    options.from === undefined ? clock.nowNs() - durationOf(options.since, '--since') : timeOf(options.from, '--from')
  const parameters = {
    query,
    limit: wholeNumber(options.limit, '--limit'),
    start: String(startNs),
    ...(options.delayFor === '0' ? {} : { delay_for: wholeNumber(options.delayFor, '--delay-for') }),
  }
  await new TailRun(connectionOf(options, io), parameters, print, io).run()
}

class TailRun {
  readonly #connection: Connection
  readonly #parameters: Readonly<Record<string, string>>
  readonly #print: PrintOptions
  readonly #io: CliIo
  /** The newest time that was printed, and what was printed of it: the next connection begins there. */
  #newest: { readonly timeNs: bigint; readonly keys: Set<string> } | undefined

  constructor(connection: Connection, parameters: Readonly<Record<string, string>>, print: PrintOptions, io: CliIo) {
    this.#connection = connection
    this.#parameters = parameters
    this.#print = print
    this.#io = io
  }

  async run(): Promise<void> {
    const { signal, world } = this.#io
    for (let failures = 0; ;) {
      const end = await this.#follow()
      if (signal.aborted || end.code === closeNormal) return
      if (end.code === closeEnded && end.reason !== durationReason) throw new Error(`the server said: ${end.reason}`)
      failures = end.wasOpen ? 0 : failures + 1
      if (failures >= maxAttempts) throw new Error(`no answer from ${this.#connection.url}: ${end.reason}`)
      if (end.reason !== durationReason) {
        const waitMs = Math.min(maxWaitMs, firstWaitMs * 2 ** failures)
        this.#say(`${lossOf(end)}, trying again in ${waitMs / 1000} s`)
        await world.clock.sleep(waitMs, signal).catch(() => undefined)
      }
      if (signal.aborted) return
    }
  }

  #follow(): Promise<FollowEnd> {
    const newest = this.#newest
    // what is printed already comes again, and is left out
    const again =
      newest === undefined ? {} : { start: String(newest.timeNs), limit: String(catchUpLimit + newest.keys.size) }
    return follow(this.#connection, {
      parameters: { ...this.#parameters, ...again },
      signal: this.#io.signal,
      onEntries: async (entries) => {
        const fresh = entries.filter((entry) => newest?.timeNs !== entry.timeNs || !newest.keys.has(keyOf(entry)))
        await printEntries(fresh, this.#print, this.#io)
        for (const entry of fresh) this.#note(entry)
      },
      onDropped: (count, oldestNs) => {
        const time = timestamp(oldestNs, 'UTC', 'nano')
        this.#say(`the server dropped ${count} lines, from ${time} on, because they were read too slowly`)
      },
    })
  }

  #note(entry: Entry): void {
    if (this.#newest === undefined || entry.timeNs > this.#newest.timeNs) {
      this.#newest = { timeNs: entry.timeNs, keys: new Set() }
    }
    if (entry.timeNs === this.#newest.timeNs) this.#newest.keys.add(keyOf(entry))
  }

  #say(text: string): void {
    if (!this.#print.quiet) this.#io.err(`edda: ${text}\n`)
  }
}

function lossOf({ code, reason, wasOpen }: FollowEnd): string {
  if (code === closeGoingAway) return `the server ended the tail (${reason || 'going away'})`
  const detail = reason === '' ? '' : ` (${reason})`
  return wasOpen || code !== closeLost ? `the connection was lost${detail}` : `there is no connection${detail}`
}

function keyOf({ labels, line }: Entry): string {
  return JSON.stringify([labels, line])
}

function wholeNumber(text: string, option: string): string {
  if (!/^\d{1,9}$/.test(text)) throw new UsageError(`${option} is a whole number, not '${text}'`)
  return text
}
