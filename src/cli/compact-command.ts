/** `edda compact --once`: asks a running server to merge what is due now. The data directory is the server's alone. */
import type { Command } from 'commander'

import { formatByteSize } from '#/kernel/byte-size.ts'
import type { CompactionRun } from '#/logs/wire/compaction.ts'
import { addConnectionOptions, type ConnectionOptions, connectionOf, send } from './connection.ts'
import { type CliIo, UsageError } from './io.ts'

type CompactOptions = ConnectionOptions & { readonly once?: true; readonly json?: true }

const path = '/edda/api/v1/compactor'

export function addCompactCommand(program: Command, io: CliIo): void {
  addConnectionOptions(
    program
      .command('compact')
      .description(
        'Ask a running server to merge blocks now, and wait until it has; it does so by itself every compaction_interval',
      )
      .option('--once', 'merge what is due now (required, as nothing else can be asked for)')
      .option('--json', 'what was done as JSON'),
  ).action((options: CompactOptions) => compact(options, io))
}

async function compact(options: CompactOptions, io: CliIo): Promise<void> {
  if (options.once === undefined) throw new UsageError('compact needs --once')
  const connection = connectionOf(options, io)
  const query = connection.tenant === '' ? '' : `?${new URLSearchParams({ tenant: connection.tenant }).toString()}`
  const { status, text } = await send(connection, { method: 'POST', path: path + query }, io.signal)
  if (status !== 200) throw new Error(`the server answered ${status}: ${text.trim()}`)
  if (options.json) return io.out(text.endsWith('\n') ? text : `${text}\n`)
  const run = JSON.parse(text) as CompactionRun
  await io.out(summaryOf(run))
  if (run.failures > 0) throw new Error(`${run.failures} merges failed; ${connection.url}${path} says why`)
}

function summaryOf(run: CompactionRun): string {
  const waiting = run.postponed > 0 ? [`${run.postponed} merges wait for room on the disk`] : []
  if (run.merges === 0) return `${waiting[0] ?? 'nothing to merge'}\n`
  const lines = [
    `${run.inputs} blocks became ${run.outputs} in ${run.merges} merges and ${run.seconds.toFixed(1)} s`,
    `${formatByteSize(run.storedBytesBefore)} became ${formatByteSize(run.storedBytesAfter)}, for ${run.rows} entries of ${formatByteSize(run.bytes)}`,
    ...(run.duplicates > 0 ? [`${run.duplicates} entries were there twice`] : []),
    ...(run.erasedRows > 0 ? [`${run.erasedRows} entries were erased`] : []),
    ...waiting,
  ]
  return `${lines.join('\n')}\n`
}
