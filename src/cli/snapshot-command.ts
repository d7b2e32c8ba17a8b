/** `edda snapshot`: copies of everything that a running server has, and a data directory made of one. */
import type { Command } from 'commander'
import { request } from 'undici'

import type {
  DeletedSnapshot,
  RestoreReport,
  SnapshotEvent,
  SnapshotInfo,
  SnapshotProgress,
} from '#/logs/wire/snapshot.ts'
import { roundByteSize } from '#/kernel/byte-size.ts'
import { addConnectionOptions, type ConnectionOptions, connectionOf, getJson, send } from './connection.ts'
import type { CliDeps, CliIo } from './io.ts'
import { table } from './table.ts'

/** What needs no server. */
export type LocalSnapshots = {
  list(directory: string, signal: AbortSignal): AsyncIterable<SnapshotInfo>
  restore(options: {
    readonly from: string
    readonly name: string
    readonly to: string
    readonly onProgress: (progress: SnapshotProgress) => void
    readonly signal: AbortSignal
  }): Promise<RestoreReport>
}

const path = '/edda/api/v1/snapshots'

const examples = `
Examples:
  edda snapshot create --name before-upgrade
  edda snapshot list
  edda snapshot restore before-upgrade restored --from data/snapshots
  edda -common.path-prefix=restored`

export function addSnapshotCommand(program: Command, io: CliIo, { openLocalData }: CliDeps): void {
  const command = program
    .command('snapshot')
    .description('Back up a running server, and restore')
    .addHelpText('after', examples)
  addConnectionOptions(
    command
      .command('create')
      .description(
        'Make a snapshot of everything that the server has acknowledged; it shares what has not changed with those before',
      )
      .option('--name <name>', 'letters, digits, ., _ and - (default: the time)')
      .option('--json', 'the snapshot as JSON'),
  ).action((options: CreateOptions) => create(options, io))
  addConnectionOptions(
    command
      .command('list')
      .description('List the snapshots of a server, or of a directory')
      .option('--from <directory>', 'a directory of snapshots; no server is asked')
      .option('--json', 'as JSON'),
  ).action((options: ListOptions) => list(options, io, openLocalData))
  addConnectionOptions(
    command
      .command('delete')
      .description('Remove a snapshot of a server, and the blocks that no other one needs')
      .argument('<name>', 'name of the snapshot'),
  ).action((name: string, options: ConnectionOptions) => remove(name, options, io))
  command
    .command('restore')
    .description('Make a data directory of a snapshot, checking every byte; a server can be started with it')
    .argument('<name>', 'name of the snapshot')
    .argument('<directory>', 'the data directory to make; it must be empty or absent')
    .option('--from <directory>', 'the directory of snapshots', 'data/snapshots')
    .action((name: string, to: string, options: { from: string }) => restore(name, to, options.from, io, openLocalData))
}

type CreateOptions = ConnectionOptions & { readonly name?: string; readonly json?: true }
type ListOptions = ConnectionOptions & { readonly from?: string; readonly json?: true }
type Line = SnapshotEvent | { readonly type: 'error'; readonly error: string }

async function create(options: CreateOptions, io: CliIo): Promise<void> {
  const { url, headers } = connectionOf(options, io)
  const query = options.name === undefined ? '' : `?${new URLSearchParams({ name: options.name }).toString()}`
  const answer = await request(`${url}${path}${query}`, {
    method: 'POST',
    headers: { ...headers, 'user-agent': 'edda-cli' },
    signal: io.signal,
    // a flush, or one large block, may take its time
    headersTimeout: 0,
    bodyTimeout: 0,
  }).catch((error: unknown) => {
    throw new Error(`no answer from ${url}: ${(error as Error).message}`, { cause: error })
  })
  if (answer.statusCode !== 200)
    throw new Error(`the server answered ${answer.statusCode}: ${(await answer.body.text()).trim()}`)
  let made: SnapshotInfo | undefined
  for await (const line of linesOf(answer.body)) {
    const event = JSON.parse(line) as Line
    if (event.type === 'error') throw new Error(`the snapshot was not made: ${event.error}`)
    if (event.type === 'done') made = event.snapshot
    else if (event.phase === 'flush') io.err('flushing what is in memory\n')
    else showProgress(event, io)
  }
  if (made === undefined) throw new Error('the answer ended early: it is not known whether the snapshot was made')
  const { name, objects, bytes, rows, newBytes = 0 } = made
  if (options.json) return io.out(`${JSON.stringify(made)}\n`)
  await io.out(
    `${name}: ${objects} objects, ${rows} rows, ${roundByteSize(bytes)}, of which ${roundByteSize(newBytes)} are new\n`,
  )
}

async function remove(name: string, options: ConnectionOptions, io: CliIo): Promise<void> {
  const connection = connectionOf(options, io)
  const { status, text } = await send(
    connection,
    { method: 'DELETE', path: `${path}/${encodeURIComponent(name)}` },
    io.signal,
  )
  if (status !== 200) throw new Error(`the server answered ${status}: ${text.trim()}`)
  const { blocks, bytes } = JSON.parse(text) as DeletedSnapshot
  await io.out(`${name} is removed, with ${blocks} blocks of ${roundByteSize(bytes)} that no other snapshot needs\n`)
}

async function list(options: ListOptions, io: CliIo, openLocalData: CliDeps['openLocalData']): Promise<void> {
  const found =
    options.from === undefined
      ? await listOfServer(options, io)
      : await listOfDirectory(options.from, io, openLocalData)
  if (options.json) return io.out(`${JSON.stringify(found)}\n`)
  const rows = found.map(({ name, created, objects, rows: count, bytes, problem }) => [
    name,
    created,
    String(objects),
    String(count),
    roundByteSize(bytes),
    problem ?? '',
  ])
  await io.out(table(['name', 'created', 'objects', 'rows', 'size', 'problem'], rows))
}

async function listOfServer(options: ListOptions, io: CliIo): Promise<readonly SnapshotInfo[]> {
  const answer = (await getJson(connectionOf(options, io), path, {}, io.signal)) as { snapshots: SnapshotInfo[] }
  return answer.snapshots
}

async function listOfDirectory(
  directory: string,
  io: CliIo,
  openLocalData: CliDeps['openLocalData'],
): Promise<readonly SnapshotInfo[]> {
  const { snapshots } = await openLocalData()
  return Array.fromAsync(snapshots.list(directory, io.signal))
}

async function restore(
  name: string,
  to: string,
  from: string,
  io: CliIo,
  openLocalData: CliDeps['openLocalData'],
): Promise<void> {
  const onProgress = (progress: SnapshotProgress): void => showProgress(progress, io)
  const { snapshots } = await openLocalData()
  const { objects, bytes, rows } = await snapshots.restore({ from, name, to, onProgress, signal: io.signal })
  await io.out(
    `${to}: ${objects} objects, ${rows} rows, ${roundByteSize(bytes)}; start a server with -common.path-prefix=${to}\n`,
  )
}

function showProgress({ objects, totalObjects, bytes, totalBytes }: SnapshotProgress, io: CliIo): void {
  io.err(`${objects} of ${totalObjects} objects, ${roundByteSize(bytes)} of ${roundByteSize(totalBytes)}\n`)
}

async function* linesOf(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  let rest = ''
  const decoder = new TextDecoder()
  for await (const chunk of body) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
    rest = lines.pop() ?? ''
    yield* lines
  }
  if (rest !== '') yield rest
}
