/**
 * A real Edda process for tests: its own directory, a random port on 127.0.0.1, and the hardest ways to stop it.
 * Usage: `await using edda = await startEdda({ dataDir })`.
 */
import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

const root = join(import.meta.dirname, '../..')
const START_TIMEOUT_MS = 90_000

export type EddaProcess = {
  readonly url: string
  readonly pid: number
  /** Everything that the process has logged so far. */
  readonly log: readonly string[]
  /** SIGKILL: no goodbye, nothing flushed. */
  kill(): Promise<void>
  /** SIGTERM: orderly; returns the exit code. */
  stop(): Promise<number>
  [Symbol.asyncDispose](): Promise<void>
}

export type StartOptions = { readonly dataDir: string; readonly flags?: readonly string[]; readonly port?: number }

export async function startEdda({ dataDir, flags = [], port = 0 }: StartOptions): Promise<EddaProcess> {
  const child = spawn(
    process.execPath,
    [
      join(root, 'src/main.ts'),
      '-server.http-listen-address=127.0.0.1',
      `-server.http-listen-port=${port}`,
      `-common.path-prefix=${dataDir}`,
      '-auth.enabled=false',
      // a test that wants gRPC names its port, as several run at once
      ...(flags.some((flag) => flag.startsWith('-server.grpc-listen-port')) ? [] : ['-server.grpc-listen-port=0']),
      ...flags,
    ],
    { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] },
  )
  const log: string[] = []
  const url = await listening(child, log)
  const gone = once(child, 'exit')
  const end = async (signal: NodeJS.Signals): Promise<number> => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill(signal)
      await gone
    }
    return child.exitCode ?? -1
  }
  return {
    url,
    pid: child.pid!,
    log,
    kill: async () => void (await end('SIGKILL')),
    stop: () => end('SIGTERM'),
    [Symbol.asyncDispose]: async () => void (await end('SIGKILL')),
  }
}

/** Resolves with the URL that the process prints once it listens. */
async function listening(child: ChildProcess, log: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`no port after ${START_TIMEOUT_MS} ms:\n${log.join('\n')}`)),
      START_TIMEOUT_MS,
    )
    const onLine = (line: string): void => {
      log.push(line)
      const match = /msg=listening .*http=(127\.0\.0\.1:\d+)/.exec(line)
      if (!match) return
      clearTimeout(timer)
      resolve(`http://${match[1]}`)
    }
    createInterface({ input: child.stdout! }).on('line', onLine)
    createInterface({ input: child.stderr! }).on('line', onLine)
    child.once('exit', (code, signal) => {
      clearTimeout(timer)
      reject(new Error(`edda ended at start, code ${code}, signal ${signal}:\n${log.join('\n')}`))
    })
  })
}

/** GET with parameters; asserts the status and returns the text. */
export async function get(
  url: string,
  path: string,
  params: Readonly<Record<string, string>> = {},
  status = 200,
): Promise<string> {
  const response = await fetch(`${url}${path}?${new URLSearchParams(params)}`)
  const text = await response.text()
  assert.equal(response.status, status, `${path}: ${text}`)
  return text
}

export type StreamsReply = {
  readonly data: {
    readonly result: readonly {
      readonly stream: Record<string, string>
      readonly values: readonly [string, string][]
    }[]
  }
}

/** Every entry of a log query, paged by time so that any number comes back; in ascending time. */
export async function queryAll(
  url: string,
  query: string,
  range: { readonly startNs: bigint; readonly endNs: bigint },
): Promise<[bigint, string][]> {
  const LIMIT = 5000
  const rows: [bigint, string][] = []
  let start = range.startNs
  for (;;) {
    const text = await get(url, '/loki/api/v1/query_range', {
      query,
      start: String(start),
      end: String(range.endNs),
      limit: String(LIMIT),
      direction: 'forward',
    })
    const page = (JSON.parse(text) as StreamsReply).data.result
      .flatMap(({ values }) => values.map(([ns, line]): [bigint, string] => [BigInt(ns), line]))
      .sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0))
    if (page.length < LIMIT) return [...rows, ...page]
    // the last instant may continue on the next page: read it again from its start
    const last = page.at(-1)![0]
    const whole = page.filter(([ns]) => ns < last)
    assert.ok(whole.length > 0, `more than ${LIMIT} entries at one instant`)
    rows.push(...whole)
    start = last
  }
}
