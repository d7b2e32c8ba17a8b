/** `edda query`: logs and metrics of a LogQL query, printed as logcli prints them. */
import type { Command } from 'commander'

import { addConnectionOptions, type Connection, type ConnectionOptions, connectionOf, getJson } from './connection.ts'
import { entriesOf, type Entry, tailOf } from './entry-order.ts'
import { type CliIo, UsageError } from './io.ts'
import { type LogStream, printEntries, type PrintOptions } from './print-logs.ts'
import { type MetricResult, printMetrics } from './print-metrics.ts'
import { durationOf, timeOf } from './time-options.ts'

type QueryOptions = ConnectionOptions & {
  readonly since: string
  readonly from?: string
  readonly to?: string
  readonly limit: string
  readonly batch: string
  readonly step?: string
  readonly instant?: true
  readonly forward?: true
  readonly output: string
  readonly json?: true
  readonly labels: boolean
  readonly timezone: string
  readonly quiet?: true
}

type Answer = { readonly data: { readonly resultType: string; readonly result: unknown } }

const examples = `
Examples:
  edda query '{app="web"}'                                      newest 30 lines of the last hour
  edda query '{app="web"} |= "error"' --since 24h --limit 500 -o raw
  edda query '{app="web"} | json' --from 2026-11-22T00:00:00Z --to 2026-11-22T06:00:00Z --json
  edda query 'sum by (level) (rate({app="web"}[5m]))' --step 5m
  edda query 'sum(count_over_time({app="web"}[1h]))' --instant`

export function addQueryCommand(program: Command, io: CliIo): void {
  const command = program
    .command('query')
    .description('Run a LogQL query')
    .argument('<query>', 'LogQL')
    .option('--since <duration>', 'how far back from --to', '1h')
    .option('--from <time>', 'start, RFC 3339 or nanoseconds since the epoch, included')
    .option('--to <time>', 'end, excluded (default now)')
    .option('--limit <count>', 'most lines to print, 0 for all', '30')
    .option('--batch <count>', 'lines in one request', '1000')
    .option('--step <duration>', 'distance of the points of a metric query')
    .option('--instant', 'evaluate a metric query once, at --to')
    .option('--forward', 'oldest lines first')
    .option('-o, --output <form>', 'default, raw (lines only) or jsonl', 'default')
    .option('--json', 'one JSON object a line; metric queries: the result as JSON')
    .option('--no-labels', 'leave the labels out')
    .option('-z, --timezone <zone>', 'Local, UTC or a name such as Europe/Paris', 'Local')
    .option('-q, --quiet', 'print data only')
  addConnectionOptions(command)
    .addHelpText('after', examples)
    .action((query: string, options: QueryOptions) => runQuery(query, options, io))
}

async function runQuery(query: string, options: QueryOptions, io: CliIo): Promise<void> {
  const limit = countOf(options.limit, '--limit')
  const batch = Math.max(1, countOf(options.batch, '--batch'))
  const output = options.json ? 'jsonl' : options.output
  if (output !== 'default' && output !== 'raw' && output !== 'jsonl') {
    throw new UsageError(`--output is default, raw or jsonl, not '${output}'`)
  }
  const endNs = options.to === undefined ? io.world.clock.nowNs() : timeOf(options.to, '--to')
  const startNs =
    options.from === undefined ? endNs - durationOf(options.since, '--since') : timeOf(options.from, '--from')
  const print: PrintOptions = {
    output,
    labels: options.labels,
    timezone: options.timezone,
    quiet: options.quiet === true,
  }
  const connection = connectionOf(options, io)
  const direction = options.forward ? 'FORWARD' : 'BACKWARD'
  if (options.instant) {
    const answer = await ask(connection, 'query', { query, time: String(endNs), limit: String(limit), direction }, io)
    return printMetrics(answer.data as MetricResult, print, io)
  }
  const parameters = { query, direction, ...(options.step === undefined ? {} : { step: options.step }) }
  const tail = tailOf(query)
  const whole = tail && wholeLimit(limit, tail.limit)
  let range = { startNs, endNs }
  let edge: Entry[] = []
  for (let printed = 0; ;) {
    const wanted = whole ?? (limit === 0 ? batch : Math.min(batch, limit - printed))
    const size = wanted + edge.length
    const bounds = { start: String(range.startNs), end: String(range.endNs), limit: String(size) }
    const answer = await ask(connection, 'query_range', { ...parameters, ...bounds }, io)
    if (answer.data.resultType !== 'streams') return printMetrics(answer.data as MetricResult, print, io)
    const entries = entriesOf(answer.data.result as readonly LogStream[], { direction, sort: tail?.sort })
    const fresh = withoutKnown(entries, edge)
    await printEntries(fresh, print, io)
    printed += fresh.length
    if (whole !== undefined) return
    const last = entries.at(-1)
    if (last === undefined || entries.length < size || (limit > 0 && printed >= limit)) return
    if (fresh.length === 0)
      throw new Error(`more than ${size} lines have the time ${last.timeNs}, use a larger --batch`)
    // the next page begins at the last time again: other lines may share it
    edge = entries.filter((entry) => entry.timeNs === last.timeNs)
    range = direction === 'FORWARD' ? { startNs: last.timeNs, endNs } : { startNs, endNs: last.timeNs + 1n }
  }
}

/** How many lines a query with `distinct`, `sort` or `limit` is asked for: all at once, as no part of them can be told by time. */
function wholeLimit(limit: number, own: number | undefined): number {
  if (limit > 0) return Math.min(limit, own ?? limit)
  if (own !== undefined) return own
  throw new UsageError('--limit 0 does not go with distinct or sort, say how many lines')
}

async function ask(
  connection: Connection,
  endpoint: string,
  parameters: Readonly<Record<string, string>>,
  { signal }: CliIo,
): Promise<Answer> {
  return (await getJson(connection, `/loki/api/v1/${endpoint}`, parameters, signal)) as Answer
}

function withoutKnown(entries: readonly Entry[], known: readonly Entry[]): Entry[] {
  const keyOf = ({ labels, timeNs, line }: Entry): string => JSON.stringify([labels, String(timeNs), line])
  const keys = new Set(known.map(keyOf))
  return entries.filter((entry) => !keys.has(keyOf(entry)))
}

function countOf(text: string, option: string): number {
  const count = Number(text)
  if (!Number.isSafeInteger(count) || count < 0) throw new UsageError(`${option} is a count, not '${text}'`)
  return count
}
