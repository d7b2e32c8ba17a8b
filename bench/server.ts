/** What is measured: a server started here as a process of its own, or one that runs already, of whatever make. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

const startTimeoutMs = 60_000
const maxErrors = 5

export type Server = {
  readonly url: string
  /** 0: unknown, so there is no word about CPU and memory. */
  readonly pid: number
  /** Undefined for a server that was not started here. */
  readonly dataDir: string | undefined
  /** What it has said of errors so far, as far as it was kept. */
  readonly errors: readonly string[]
  /** A new process on the same data, with nothing in memory; undefined where that is not ours to do. */
  readonly restart: (() => Promise<void>) | undefined
  readonly stop: () => Promise<void>
}

export function runningServer(url: string, pid: number): Server {
  return { url, pid, dataDir: undefined, errors: [], restart: undefined, stop: () => Promise.resolve() }
}

/** `bin/edda` on a random port and an empty directory. */
export class OwnServer implements Server {
  readonly dataDir: string
  readonly errors: string[] = []
  readonly #root: string
  readonly #dir: string
  readonly #flags: readonly string[]
  #child: ChildProcess | undefined
  #url = ''

  private constructor(root: string, flags: readonly string[]) {
    this.#root = root
    this.#dir = mkdtempSync(join(tmpdir(), 'edda-bench-'))
    this.dataDir = join(this.#dir, 'data')
    const configFile = join(this.#dir, 'edda.yaml')
    writeFileSync(configFile, configuration)
    this.#flags = [
      `-config.file=${configFile}`,
      '-server.http-listen-address=127.0.0.1',
      '-server.http-listen-port=0',
      '-server.grpc-listen-port=0',
      `-common.path-prefix=${this.dataDir}`,
      ...flags,
    ]
  }

  static async start(root: string, flags: readonly string[]): Promise<OwnServer> {
    const server = new OwnServer(root, flags)
    await server.#spawn()
    return server
  }

  get url(): string {
    return this.#url
  }

  get pid(): number {
    return this.#child?.pid ?? 0
  }

  readonly restart = async (): Promise<void> => {
    await this.#end()
    await this.#spawn()
  }

  readonly stop = async (): Promise<void> => {
    await this.#end()
    rmSync(this.#dir, { recursive: true, force: true })
  }

  async #spawn(): Promise<void> {
    const child = spawn(join(this.#root, 'bin/edda'), this.#flags, {
      cwd: this.#root,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#child = child
    for (const stream of [child.stdout, child.stderr]) {
      if (stream !== null) createInterface(stream).on('line', (line) => this.#keepError(line))
    }
    this.#url = await listeningAddress(child).then(
      (address) => `http://${address}`,
      (error: unknown) => {
        child.kill('SIGKILL')
        rmSync(this.#dir, { recursive: true, force: true })
        throw error
      },
    )
  }

  #keepError(line: string): void {
    if (this.errors.length < maxErrors && /level"?[=:]"?(error|fatal)/.test(line)) this.errors.push(line)
  }

  async #end(): Promise<void> {
    const child = this.#child
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const ended = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGTERM')
    await ended
  }
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
    child.once('exit', (code) => {
      clearTimeout(timer)
      reject(new Error(`the server ended with ${code}:\n${log.slice(-4000)}`))
    })
  })
}
