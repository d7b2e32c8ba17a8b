/** `edda explain`: how a server would answer a query, without answering it. */
import type { Command } from 'commander'

import { addConnectionOptions, type ConnectionOptions, connectionOf, getText } from './connection.ts'
import { type CliIo, UsageError } from './io.ts'
import { durationOf, timeOf } from './time-options.ts'

type ExplainOptions = ConnectionOptions & {
  readonly since: string
  readonly from?: string
  readonly to?: string
  readonly step?: string
  readonly limit?: string
  readonly instant?: true
  readonly forward?: true
  readonly json?: true
}

const examples = `
Examples:
  edda explain '{app="web"} | json | level="error"'
  edda explain 'sum by (level) (rate({app="web"} | json [5m]))' --since 24h --step 5m
  edda explain 'sum(count_over_time({app="web"}[1h]))' --instant
  edda explain '{app="web"} |~ "time.*out"' --json | jq .selections[0].data`

export function addExplainCommand(program: Command, io: CliIo): void {
  const command = program
    .command('explain')
    .description('Show how a LogQL query would be answered: what is pruned, what is read, what runs in which order')
    .argument('<query>', 'LogQL')
    .option('--since <duration>', 'how far back from --to', '1h')
    .option('--from <time>', 'start, RFC 3339 or nanoseconds since the epoch, included')
    .option('--to <time>', 'end, excluded (default now)')
    .option('--step <duration>', 'distance of the points of a metric query')
    .option('--limit <count>', 'most lines to be found')
    .option('--instant', 'a metric query that is evaluated once, at --to')
    .option('--forward', 'oldest lines first')
    .option('--json', 'the plan as JSON')
  addConnectionOptions(command)
    .addHelpText('after', examples)
    .action((query: string, options: ExplainOptions) => runExplain(query, options, io))
}

async function runExplain(query: string, options: ExplainOptions, io: CliIo): Promise<void> {
  if (options.limit !== undefined && !/^\d+$/.test(options.limit)) {
    throw new UsageError(`--limit is a count, not '${options.limit}'`)
  }
  const endNs = options.to === undefined ? io.world.clock.nowNs() : timeOf(options.to, '--to')
  const startNs =
    options.from === undefined ? endNs - durationOf(options.since, '--since') : timeOf(options.from, '--from')
  const parameters: Record<string, string> = {
    query,
    ...(options.instant ? { time: String(endNs) } : { start: String(startNs), end: String(endNs) }),
    direction: options.forward ? 'FORWARD' : 'BACKWARD',
    format: options.json ? 'json' : 'text',
  }
  if (options.step !== undefined) parameters['step'] = options.step
  if (options.limit !== undefined) parameters['limit'] = options.limit
  const text = await getText(connectionOf(options, io), '/edda/api/v1/explain', parameters, io.signal)
  if (!options.json) return io.out(text)
  const { data } = JSON.parse(text) as { readonly data: unknown }
  await io.out(`${JSON.stringify(data, null, 2)}\n`)
}
