/** `edda push`: lines of a file or of standard input, as one stream. */
import type { Command } from 'commander'

import { OpenBatch } from '#/agent/send/batch.ts'
import { httpTransport, type PushTransport } from '#/agent/send/transport.ts'
import { counted } from '#/kernel/counted.ts'
import { isLabelName } from '#/logs/model/labels.ts'
import { labelText } from './print-logs.ts'
import { addConnectionOptions, type ConnectionOptions, connectionOf } from './connection.ts'
import { type CliIo, UsageError } from './io.ts'

type PushOptions = ConnectionOptions & {
  readonly label: readonly string[]
  readonly json?: true
  readonly quiet?: true
}

const batchBytes = 1024 * 1024
const pieceBytes = 256 * 1024
/** A line that is longer is refused: a server would do the same. */
const maxLineBytes = 64 * 1024 * 1024
const maxAttempts = 6
const firstPauseMs = 250
const LINE_FEED = 10

const examples = `
Examples:
  edda push --label app=web access.log
  dmesg | edda push --label job=kernel --label host=laptop
  edda push --label app=web --addr http://loki:3100 --tenant team-a -

Lines get the time at which they are read. Without --label, the stream is {job="push"}.`

export function addPushCommand(program: Command, io: CliIo): void {
  const collect = (value: string, all: readonly string[]): readonly string[] => [...all, value]
  const command = program
    .command('push')
    .description('Push lines of a file or of standard input')
    .argument('[file]', 'file to read, - for standard input', '-')
    .option('-l, --label <name=value>', 'label of the stream, may be repeated', collect, [])
    .option('--json', 'print the outcome as JSON')
    .option('-q, --quiet', 'print nothing when all is well')
  addConnectionOptions(command)
    .addHelpText('after', examples)
    .action((file: string, options: PushOptions) => runPush(file, options, io))
}

async function runPush(file: string, options: PushOptions, io: CliIo): Promise<void> {
  const labels = labelText(labelsOf(options.label))
  const { url, tenant, headers } = connectionOf(options, io)
  const transport = httpTransport({ url, tenant, timeout: 30_000, headers })
  const batch = new OpenBatch(batchBytes, 0n)
  const sent = { lines: 0, bytes: 0 }
  const flush = async (): Promise<void> => {
    if (batch.isEmpty) return
    const { body, lines, bytes } = batch.seal()
    await deliver(transport, body, io)
    sent.lines += lines
    sent.bytes += bytes
  }
  try {
    for await (const line of linesOf(file === '-' ? io.stdin : piecesOf(file, io))) {
      batch.advanceTo(io.world.clock.nowNs())
      batch.add(labels, line)
      if (batch.isFull) await flush()
    }
    await flush()
  } finally {
    await transport.close()
  }
  if (options.json) await io.out(`${JSON.stringify({ labels, ...sent })}\n`)
  else if (!options.quiet)
    io.err(`pushed ${counted(sent.lines, 'line')}, ${counted(sent.bytes, 'byte')} to ${labels}\n`)
}

async function deliver(transport: PushTransport, body: Buffer, { world, signal }: CliIo): Promise<void> {
  let problem = ''
  for (let attempt = 0; attempt < maxAttempts; attempt++) {
    if (attempt > 0) await world.clock.sleep(firstPauseMs * 2 ** attempt * (0.5 + world.random.next() / 2), signal)
    const answer = await transport.push(body, signal).catch((error: unknown) => {
      problem = `no answer: ${error instanceof Error ? error.message : String(error)}`
      return undefined
    })
    if (answer === undefined) continue
    if (answer.status < 300) return
    problem = `the server answered ${answer.status}: ${answer.message}`
    if (answer.status < 500 && answer.status !== 429) break
  }
  throw new Error(problem)
}

function labelsOf(given: readonly string[]): Record<string, string> {
  if (given.length === 0) return { job: 'push' }
  return Object.fromEntries(
    given.map((text) => {
      const at = text.indexOf('=')
      const name = text.slice(0, at)
      if (at < 0 || !isLabelName(name)) throw new UsageError(`--label is name=value, not '${text}'`)
      return [name, text.slice(at + 1)]
    }),
  )
}

function noSuchFile(path: string): string {
  return `there is no file '${path}'; lines come from a file or standard input, labels from --label name=value`
}

async function* piecesOf(path: string, { world }: CliIo): AsyncIterable<Uint8Array> {
  const file = await world.disk.openRead(path).catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'ENOENT' ? new UsageError(noSuchFile(path)) : error
  })
  try {
    for (let at = 0; ;) {
      const piece = Buffer.alloc(pieceBytes)
      const size = await file.read(piece, at)
      if (size === 0) return
      yield piece.subarray(0, size)
      at += size
    }
  } finally {
    await file.close()
  }
}

/** Lines without their breaks; the last one needs none. */
async function* linesOf(pieces: AsyncIterable<Uint8Array>): AsyncIterable<Buffer> {
  let open: Buffer[] = []
  let openBytes = 0
  for await (const one of pieces) {
    const piece = Buffer.from(one)
    let at = 0
    for (let end = piece.indexOf(LINE_FEED); end >= 0; end = piece.indexOf(LINE_FEED, at)) {
      yield withoutReturn(Buffer.concat([...open, piece.subarray(at, end)]))
      open = []
      openBytes = 0
      at = end + 1
    }
    if (at === piece.length) continue
    open.push(piece.subarray(at))
    openBytes += piece.length - at
    if (openBytes > maxLineBytes) throw new Error(`a line is longer than ${maxLineBytes} bytes`)
  }
  if (openBytes > 0) yield withoutReturn(Buffer.concat(open))
}

function withoutReturn(line: Buffer): Buffer {
  return line.at(-1) === 13 ? line.subarray(0, -1) : line
}
