/**
 * A real Edda process with a directory of its own, for a client to meet; it can go away and come back on the same ports.
 * Usage: `await using server = await CompatServer.start('vector')`.
 */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { type EddaProcess, startEdda } from '../process/edda-process.ts'
import { freePort } from '../process/free-port.ts'
import { until } from '../process/until.ts'

type Texts = Readonly<Record<string, string>>

export type LogRow = {
  readonly labels: Texts
  readonly ns: bigint
  readonly line: string
  readonly metadata: Texts
}

/** What `categorize-labels` makes of a value. */
type Value = readonly [ns: string, line: string, labels: { structuredMetadata?: Texts; parsed?: Texts }]
type Streams = { readonly data: { readonly result: readonly { stream: Texts; values: readonly Value[] }[] } }

const hourNs = 3_600_000_000_000n

export class CompatServer {
  readonly #name: string
  readonly #dir: string
  readonly #flags: readonly string[]
  readonly port: number
  readonly grpcPort: number
  #process: EddaProcess | undefined

  private constructor(
    name: string,
    dir: string,
    options: { port: number; grpcPort: number; flags: readonly string[] },
  ) {
    this.#name = name
    this.#dir = dir
    this.#flags = options.flags
    this.port = options.port
    this.grpcPort = options.grpcPort
  }

  /** With tenants by header, and gRPC. `flags` come last. */
  static async start(name: string, flags: readonly string[] = []): Promise<CompatServer> {
    const dir = await mkdtemp(join(tmpdir(), `edda-compat-${name}-`))
    const server = new CompatServer(name, dir, { port: await freePort(), grpcPort: await freePort(), flags })
    await server.startAgain()
    return server
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`
  }

  get log(): readonly string[] {
    return this.#process?.log ?? []
  }

  async startAgain(): Promise<void> {
    const flags = ['-auth.enabled=true', `-server.grpc-listen-port=${this.grpcPort}`, ...this.#flags]
    this.#process = await startEdda({ dataDir: this.#dir, port: this.port, flags })
  }

  /** Orderly, as an operator does. */
  async stop(): Promise<void> {
    assert.equal(await this.#process?.stop(), 0, `${this.#name}: ${this.log.slice(-5).join('\n')}`)
  }

  /** Every entry of the last and the next hour, in ascending time. */
  async rows(query: string, tenant = 'acme'): Promise<LogRow[]> {
    const now = BigInt(Date.now()) * 1_000_000n
    const params = new URLSearchParams({
      query,
      start: String(now - hourNs),
      end: String(now + hourNs),
      limit: '5000',
      direction: 'forward',
    })
    const response = await fetch(`${this.url}/loki/api/v1/query_range?${params}`, {
      headers: { 'X-Scope-OrgID': tenant, 'X-Loki-Response-Encoding-Flags': 'categorize-labels' },
    })
    const text = await response.text()
    assert.equal(response.status, 200, text)
    return (JSON.parse(text) as Streams).data.result
      .flatMap(({ stream, values }) =>
        values.map(([ns, line, { structuredMetadata = {} }]) => ({
          labels: stream,
          ns: BigInt(ns),
          line,
          metadata: structuredMetadata,
        })),
      )
      .toSorted((a, b) => (a.ns < b.ns ? -1 : a.ns > b.ns ? 1 : 0))
  }

  /** Waits for at least `count` entries. */
  async untilRows(query: string, count: number, limitMs = 60_000): Promise<LogRow[]> {
    let rows: LogRow[] = []
    const ask = async (): Promise<LogRow[] | undefined> => {
      rows = await this.rows(query)
      return rows.length >= count ? rows : undefined
    }
    return until(ask, { limitMs, describe: () => `${rows.length} of ${count} rows of ${query}` })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process?.[Symbol.asyncDispose]()
    await rm(this.#dir, { recursive: true, force: true })
  }
}
