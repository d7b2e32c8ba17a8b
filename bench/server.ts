/** The server under test: starts it, and reads what the kernel says of its process. Linux only, as /proc is. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const startTimeoutMs = 30_000
const ticksPerSecond = 100

export type Server = {
  readonly url: string
  readonly pid: number
  /** Undefined for a server that was not started here. */
  readonly dataDir: string | undefined
  readonly stop: () => Promise<void>
}

/** `bin/edda` on a random port and an empty directory. */
export async function startServer(root: string, extraFlags: readonly string[]): Promise<Server> {
  const dataDir = mkdtempSync(join(tmpdir(), 'edda-bench-'))
  const configFile = join(dataDir, 'edda.yaml')
  writeFileSync(configFile, configuration)
  const flags = [
    `-config.file=${configFile}`,
    '-server.http-listen-address=127.0.0.1',
    '-server.http-listen-port=0',
    '-server.grpc-listen-port=0',
    `-common.path-prefix=${join(dataDir, 'data')}`,
    ...extraFlags,
  ]
  const child = spawn(join(root, 'bin/edda'), flags, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
  const address = await listeningAddress(child).catch((error: unknown) => {
    child.kill('SIGKILL')
    rmSync(dataDir, { recursive: true, force: true })
    throw error
  })
  const stop = async (): Promise<void> => {
    if (child.exitCode === null) {
      const ended = new Promise((resolve) => child.once('exit', resolve))
      child.kill('SIGTERM')
      await ended
    }
    rmSync(dataDir, { recursive: true, force: true })
  }
  return { url: `http://${address}`, pid: child.pid ?? 0, dataDir: join(dataDir, 'data'), stop }
}

/** The bench measures the machine, not the limits that protect tenants from each other. */
const configuration = `
auth_enabled: true
limits_config:
  ingestion_rate_mb: 100000
  ingestion_burst_size_mb: 100000
  per_stream_rate_limit: 100GB
  per_stream_rate_limit_burst: 100GB
  max_global_streams_per_user: 0
  max_query_length: 0
`

/** From the server's own log: `msg="listening" http=127.0.0.1:PORT`, or the same as JSON. */
function listeningAddress(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let log = ''
    const timer = setTimeout(() => reject(new Error(`the server did not start:\n${log}`)), startTimeoutMs)
    const read = (chunk: Buffer): void => {
      if (log.length < 1e6) log += chunk.toString()
      const found = /http(?:=|":")"?(127\.0\.0\.1:\d+)/.exec(log)?.[1]
      if (found === undefined) return
      clearTimeout(timer)
      resolve(found)
    }
    child.stdout?.on('data', read)
    child.stderr?.on('data', read)
    child.once('exit', (code) => reject(new Error(`the server ended with ${code}:\n${log.slice(-4000)}`)))
  })
}

/** Seconds of CPU that a process has used, user and system. */
export function cpuSeconds(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
  // the name of the process, in parentheses, may hold anything
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
}

/** Most memory that a process has had so far. */
export function peakMemoryMb(pid: number): number {
  return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024
}

export type Stored = { readonly bytes: number; readonly files: number; readonly blocks: number }

export function stored(dir: string): Stored {
  let bytes = 0
  let files = 0
  let blocks = 0
  for (const entry of readdirSync(dir, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const path = join(entry.parentPath, entry.name)
    files++
    bytes += statSync(path, { throwIfNoEntry: false })?.size ?? 0
    if (path.endsWith('.edda')) blocks++
  }
  return { bytes, files, blocks }
}
