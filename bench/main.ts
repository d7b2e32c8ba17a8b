/**
 * `npm run bench`: pushes realistic logs into a real server from this process and asks it questions, whose answers are checked
 * against the truth about the data. Prints CPU, latency, memory and bytes of the server.
 *
 *     node bench/main.ts                          500 MB, 250 streams
 *     node bench/main.ts --mb 50 --streams 5000   smaller, or with more streams
 *     node bench/main.ts --save                   writes bench/results/<date>-<commit>.json
 *     node bench/main.ts --url http://127.0.0.1:3100 --pid 4711     a server that runs already, of whatever make
 *     node bench/main.ts -- -target=all           flags for the server
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

import { Pool } from 'undici'

import { encodePush, encodePushJson, type PushEntry } from '../src/logs/wire/encode-push.ts'
import { bytesPerLine, type GeneratedStream, LogGenerator, type Truth } from '../tools/gen-data.ts'
import { type Answer, queries, textOf } from './queries.ts'
import { cpuSeconds, peakMemoryMb, type Server, startServer, stored } from './server.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const bodyBytes = 1_000_000
const connections = 4
const jsonShare = 0.1
const hourNs = 3_600_000_000_000n

type Body = { readonly bytes: Buffer; readonly rawBytes: number; readonly lines: number; readonly isJson: boolean }
type Row = readonly [name: string, value: string]

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    mb: { type: 'string', default: '500' },
    streams: { type: 'string', default: '250' },
    seed: { type: 'string', default: '1' },
    repeat: { type: 'string', default: '3' },
    save: { type: 'boolean', default: false },
    url: { type: 'string' },
    pid: { type: 'string' },
  },
})

function makeBodies(generator: LogGenerator, wantedBytes: number): Body[] {
  const bodies: Body[] = []
  let jsonDebt = 0
  while (generator.truth.bytes < wantedBytes) {
    const before = { ...generator.truth }
    const streams = new Map<GeneratedStream, PushEntry[]>()
    while (generator.truth.bytes - before.bytes < bodyBytes && generator.truth.bytes < wantedBytes) {
      const { stream, timeNs, text, metadata } = generator.next()
      const entries = streams.get(stream)
      const entry = { timeNs, line: text, metadata }
      if (entries === undefined) streams.set(stream, [entry])
      else entries.push(entry)
    }
    jsonDebt += jsonShare
    const isJson = jsonDebt >= 1
    if (isJson) jsonDebt -= 1
    const list = [...streams].map(([{ text, labels }, entries]) => ({ text, labels, entries }))
    bodies.push({
      bytes: isJson ? encodePushJson(list) : encodePush(list.map(({ text, entries }) => ({ labels: text, entries }))),
      rawBytes: generator.truth.bytes - before.bytes,
      lines: generator.truth.lines - before.lines,
      isJson,
    })
  }
  return bodies
}

type PushOutcome = { readonly seconds: number; readonly cpu: number; readonly latenciesMs: readonly number[] }

/** Pushes all bodies, as fast as the server takes them; what it puts off is pushed again. */
async function pushAll(server: Server, pool: Pool, bodies: readonly Body[]): Promise<PushOutcome> {
  const latenciesMs: number[] = []
  const cpuBefore = cpuSeconds(server.pid)
  const start = performance.now()
  let next = 0
  const pushRest = async (): Promise<void> => {
    for (let body = bodies[next++]; body !== undefined; body = bodies[next++]) {
      const begun = performance.now()
      while (!(await pushOne(pool, body))) await new Promise((resolve) => setTimeout(resolve, 50))
      latenciesMs.push(performance.now() - begun)
    }
  }
  await Promise.all(Array.from({ length: connections }, pushRest))
  const seconds = (performance.now() - start) / 1000
  return { seconds, cpu: cpuSeconds(server.pid) - cpuBefore, latenciesMs: latenciesMs.toSorted((a, b) => a - b) }
}

async function pushOne(pool: Pool, { bytes, isJson }: Body): Promise<boolean> {
  const headers = { 'content-type': isJson ? 'application/json' : 'application/x-protobuf', 'x-scope-orgid': 'bench' }
  const answer = await pool.request({ path: '/loki/api/v1/push', method: 'POST', headers, body: bytes })
  const text = await answer.body.text()
  if (answer.statusCode === 429 || answer.statusCode === 503) return false
  if (answer.statusCode >= 300) throw new Error(`push answered ${answer.statusCode}: ${text.slice(0, 500)}`)
  return true
}

async function call(pool: Pool, path: string, method: 'GET' | 'POST' = 'GET'): Promise<string> {
  const answer = await pool.request({ path, method, headers: { 'x-scope-orgid': 'bench' } })
  const text = await answer.body.text()
  if (answer.statusCode >= 300) throw new Error(`${path} answered ${answer.statusCode}: ${text.slice(0, 500)}`)
  return text
}

type QueryOutcome = {
  readonly name: string
  readonly wallMs: number
  readonly cpuMs: number
  readonly verdict: string
}

async function runQueries(
  server: Server,
  pool: Pool,
  truth: Truth,
  window: { startNs: bigint; endNs: bigint },
): Promise<QueryOutcome[]> {
  const outcomes: QueryOutcome[] = []
  for (const query of queries) {
    const parameters = new URLSearchParams({
      query: textOf(query, truth),
      ...(query.kind === 'instant'
        ? { time: String(window.endNs) }
        : { start: String(window.startNs), end: String(window.endNs) }),
      ...query.parameters,
    })
    const path = `/loki/api/v1/${query.kind === 'instant' ? 'query' : 'query_range'}?${parameters.toString()}`
    let best = { wallMs: Number.POSITIVE_INFINITY, cpuMs: Number.POSITIVE_INFINITY }
    let verdict = ''
    for (let round = 0; round < Number(options.repeat) && !verdict.startsWith('FAILED'); round++) {
      const cpuBefore = cpuSeconds(server.pid)
      const start = performance.now()
      try {
        const { data } = JSON.parse(await call(pool, path)) as { data: Answer }
        const wallMs = performance.now() - start
        const found = query.found(data)
        const expected = query.expected(truth)
        verdict = found === expected ? `ok, ${found}` : `FAILED: ${found}, not ${expected}`
        best = {
          wallMs: Math.min(best.wallMs, wallMs),
          cpuMs: Math.min(best.cpuMs, (cpuSeconds(server.pid) - cpuBefore) * 1000),
        }
      } catch (error) {
        verdict = `FAILED: ${error instanceof Error ? error.message.slice(0, 160) : String(error)}`
      }
    }
    outcomes.push({ name: query.name, ...best, verdict })
  }
  return outcomes
}

function print(title: string, rows: readonly (readonly string[])[]): void {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length))) ?? []
  console.log(`\n${title}`)
  for (const row of rows) {
    console.log(
      `  ${row.map((cell, column) => (column === 0 || column === row.length - 1 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0))).join('  ')}`.trimEnd(),
    )
  }
}

const quantile = (sorted: readonly number[], q: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? 0
const fixed = (value: number, digits = 1): string => (Number.isFinite(value) ? value.toFixed(digits) : '-')

/** Until two looks a second apart show the same: flushes and merges are done. */
async function settled(server: Server): Promise<void> {
  for (let before = '', rounds = 0; server.dataDir !== undefined && rounds < 60; rounds++) {
    const now = JSON.stringify(stored(server.dataDir))
    if (now === before) return
    before = now
    await new Promise((resolve) => setTimeout(resolve, 1000))
  }
}

async function bench(server: Server, endNs: bigint): Promise<{ ingest: Row[]; asked: QueryOutcome[] }> {
  const wantedBytes = Number(options.mb) * 1e6
  const startNs = endNs - 24n * hourNs
  const lines = Math.ceil(wantedBytes / bytesPerLine)
  const generator = new LogGenerator({
    seed: Number(options.seed),
    streams: Number(options.streams),
    startNs,
    spanNs: 24n * hourNs,
    lines,
  })
  console.log(`making ${options.mb} MB of lines in ${options.streams} streams …`)
  const bodies = makeBodies(generator, wantedBytes)
  const { truth } = generator
  const pool = new Pool(server.url, { connections, headersTimeout: 600_000, bodyTimeout: 600_000 })
  console.log(`pushing ${bodies.length} bodies over ${connections} connections …`)
  const cpuBefore = cpuSeconds(server.pid)
  const pushed = await pushAll(server, pool, bodies)
  await call(pool, '/flush', 'POST')
  await settled(server)
  const cpuSettled = cpuSeconds(server.pid) - cpuBefore
  const disk = server.dataDir === undefined ? undefined : stored(server.dataDir)
  const memoryMb = peakMemoryMb(server.pid)
  console.log('asking …')
  const asked = await runQueries(server, pool, truth, { startNs: startNs - hourNs / 2n, endNs: endNs + hourNs / 2n })
  const gb = truth.bytes / 1e9
  const ingest: Row[] = [
    ['raw MB of lines', fixed(truth.bytes / 1e6)],
    ['lines', String(truth.lines)],
    ['MB/s', fixed(truth.bytes / 1e6 / pushed.seconds)],
    ['lines/s', fixed(truth.lines / pushed.seconds, 0)],
    ['push p50 ms', fixed(quantile(pushed.latenciesMs, 0.5))],
    ['push p99 ms', fixed(quantile(pushed.latenciesMs, 0.99))],
    ['CPU-s per GB while pushing', fixed(pushed.cpu / gb)],
    ['CPU-s per GB, flushed and settled', fixed(cpuSettled / gb)],
    ['peak memory MB, ingest', fixed(memoryMb, 0)],
    ['peak memory MB, with queries', fixed(peakMemoryMb(server.pid), 0)],
    ['stored MB per raw GB', disk === undefined ? '-' : fixed(disk.bytes / 1e6 / gb)],
    ['files / blocks', disk === undefined ? '-' : `${disk.files} / ${disk.blocks}`],
  ]
  await pool.close()
  return { ingest, asked }
}

const given = options.url
const server: Server =
  given === undefined
    ? await startServer(root, positionals)
    : { url: given, pid: Number(options.pid), dataDir: undefined, stop: () => Promise.resolve() }
try {
  const { ingest, asked } = await bench(server, BigInt(Date.now()) * 1_000_000n)
  print('Ingest', ingest)
  const header = ['query', 'wall ms', 'CPU ms', 'answer']
  print('Queries, best of ' + options.repeat, [
    header,
    ...asked.map(({ name, wallMs, cpuMs, verdict }) => [name, fixed(wallMs), fixed(cpuMs, 0), verdict]),
  ])
  if (options.save) {
    const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: root }).toString().trim()
    const file = `${root}bench/results/${new Date().toISOString().slice(0, 10)}-${commit}.json`
    mkdirSync(`${root}bench/results`, { recursive: true })
    writeFileSync(
      file,
      `${JSON.stringify({ options, ingest: Object.fromEntries(ingest), queries: asked }, undefined, 2)}\n`,
    )
    console.log(`\nsaved to ${file}`)
  }
  process.exitCode = asked.some(({ verdict }) => verdict.startsWith('FAILED')) ? 1 : 0
} finally {
  await server.stop()
}
