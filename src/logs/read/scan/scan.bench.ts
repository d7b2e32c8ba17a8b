/**
 * Scan speed of one core over pages as they come from heads and blocks, decoding included:
 *
 *     node src/logs/read/scan/scan.bench.ts [megabytes] [part of the names to run]
 */
import { parseExpr } from '#/logs/logql/parser/parse-expr.ts'
import { makePlan } from '#/logs/logql/planner/make-plan.ts'
import { parseLabels } from '#/logs/model/labels.ts'
import type { LogBlock } from '#/logs/store/log-block.ts'
import type { HeadPageColumns } from '#/logs/store/log-page.ts'
import { openLogBlock } from '#/logs/store/open-log-block.ts'
import { writeLogBlock } from '#/logs/store/write-log-block.ts'
import { MemoryStore } from '#/platform/objstore/memory.ts'
import { enableLinearRegex } from '#/platform/regex/linear.ts'
import { realClock } from '#/platform/world/real-clock.ts'
import { makeUlid } from '#/kernel/ulid.ts'
import { LabelIndexBuilder } from '#/storage/index/label-index-builder.ts'
import { shareTexts } from '#/storage/index/shared-texts.ts'
import { runScanJob } from './run-job.ts'
import { sampleLeaf, type RowTask, type SampleTask, type ScanJob, type ScanPage } from './scan-job.ts'

enableLinearRegex()

const DAY_NS = 86_400e9
const STREAMS = 250
const PAGE_BYTES = 2 * 1024 * 1024
const totalBytes = Number(process.argv[2] ?? 128) * 1e6
const wanted = process.argv[3] ?? ''

const levels = ['info', 'info', 'info', 'warn', 'error', 'debug']
const paths = ['/api/v1/users', '/api/v1/orders', '/health', '/static/app.js', '/login']
let random = 12345
const next = (below: number): number => {
  random = (Math.imul(random, 1664525) + 1013904223) >>> 0
  return Math.floor((random / 4294967296) * below)
}
const hex = (digits: number): string => Array.from({ length: digits }, () => next(16).toString(16)).join('')

function makeLine(i: number): string {
  const status = next(20) === 0 ? 500 + next(4) : 200
  if (i % 3 === 0) {
    return `{"ts":"2026-08-01T10:00:00Z","level":"${levels[next(6)]}","method":"GET","path":"${paths[next(5)]}","status":${status},"duration_ms":${next(900)},"request_id":"${hex(16)}"}`
  }
  if (i % 3 === 1)
    return `level=${levels[next(6)]} msg="request done" path=${paths[next(5)]} status=${status} took=${next(900)}ms id=${hex(12)}`
  return `2026-08-01 10:00:00 ${levels[next(6)]!.toUpperCase()} [worker-${next(16)}] com.example.Service - processed order ${next(1e6)} for user ${next(1e5)} in ${next(500)} ms`
}

const shared = <T extends Uint32Array | Float64Array | Uint8Array>(array: T): T => {
  const copy = new (array.constructor as new (buffer: SharedArrayBuffer) => T)(new SharedArrayBuffer(array.byteLength))
  copy.set(array as never)
  return copy
}

const streams = new LabelIndexBuilder()
for (let i = 0; i < STREAMS; i++) {
  const text = `{app="app-${String(i % 50).padStart(2, '0')}", pod="pod-${String(i).padStart(3, '0')}"}`
  streams.add(text, parseLabels(text))
}

function makePages(): HeadPageColumns[] {
  const pages: HeadPageColumns[] = []
  const rowsTotal = totalBytes / 130
  let rows = 0
  for (let made = 0; made < totalBytes;) {
    const parts: Buffer[] = []
    const [stream, time, starts, metas, metaStarts]: [number[], number[], number[], number[], number[]] = [
      [],
      [],
      [0],
      [],
      [0],
    ]
    let size = 0
    for (; size < PAGE_BYTES && parts.length < 65_536; rows++) {
      const line = Buffer.from(makeLine(rows))
      parts.push(line)
      size += line.length
      starts.push(size)
      stream.push(next(STREAMS))
      time.push(Math.min(DAY_NS - 1, Math.floor((rows / rowsTotal) * DAY_NS)))
      const level = levels[next(6)]!
      metas.push(0, level.length, ...Buffer.from(level))
      metaStarts.push(metas.length)
    }
    made += size
    pages.push({
      rowCount: parts.length,
      stream: shared(Uint32Array.from(stream)) as never,
      time: shared(Float64Array.from(time)) as never,
      lineStart: shared(Uint32Array.from(starts)) as never,
      lines: shared(new Uint8Array(Buffer.concat(parts))) as never,
      metaStart: shared(Uint32Array.from(metaStarts)) as never,
      meta: shared(Uint8Array.from(metas)) as never,
      metaNames: ['detected_level'],
      minTime: time[0]!,
      maxTime: time.at(-1)!,
    })
  }
  return pages
}

const dayNs = 20_000n * 86_400_000_000_000n
const queries: readonly (readonly [name: string, query: string])[] = [
  ['absent needle', '{app=~".+"} |= "0123-absent-uuid"'],
  ['absent needle, count', 'sum(count_over_time({app=~".+"} |= "0123-absent-uuid" [1m]))'],
  ['substring in 3 %, count', 'sum(count_over_time({app=~".+"} |= "worker-7" [1m]))'],
  ['substring in 30 %, newest 100', '{app=~".+"} |= "processed"'],
  ['case-insensitive word, count', 'sum(count_over_time({app=~".+"} |~ "(?i)ERROR" [1m]))'],
  ['regex, count', 'sum(count_over_time({app=~".+"} |~ "user \\\\d+5 in" [1m]))'],
  ['newest 100', '{app=~".+"}'],
  ['count by level per minute', 'sum by (detected_level) (count_over_time({app=~".+"} [1m]))'],
  ['count by app per minute', 'sum by (app) (count_over_time({app=~".+"} [1m]))'],
  ['bytes by app per minute', 'sum by (app) (bytes_over_time({app=~".+"} [1m]))'],
  ['json | status >= 500, by status', 'sum by (status) (rate({app=~".+"} |= "{" | json | status >= 500 [1m]))'],
  ['unwrap sum by app', 'sum by (app) (sum_over_time({app=~".+"} |= "level=" | logfmt | unwrap duration(took) [1m]))'],
  [
    'unwrap quantile',
    'quantile_over_time(0.99, {app=~".+"} |= "level=" | logfmt | unwrap duration(took) [1m]) by (app)',
  ],
  ['unwrap quantile, 1h windows', 'quantile_over_time(0.99, {app=~".+"} |= "{" | json | unwrap status [1h]) by (app)'],
  ['unwrap avg, all labels', 'avg_over_time({app=~".+"} |= "{" | json status | unwrap status [1m])'],
  ['distinct ids', 'count_distinct_over_time(id, {app=~".+"} |= "level=" | logfmt [1m]) by (app)'],
  ['distinct pod', '{app=~".+"} | distinct pod'],
  ['distinct level of metadata', '{app=~".+"} | distinct detected_level'],
  ['logfmt | distinct path', '{app=~".+"} |= "level=" | logfmt | distinct path'],
  ['logfmt | sort by took desc', '{app=~".+"} |= "level=" | logfmt | sort by took desc'],
  ['logfmt | status >= 500, rows', '{app=~".+"} |= "level=" | logfmt | status >= 500'],
]

function makeJob(query: string, pages: readonly ScanPage[], labels: ScanJob['parts'][number]['labels']): ScanJob {
  const plan = makePlan(parseExpr(query))
  if (plan.kind === 'scalar') throw new Error(query)
  const selection = plan.kind === 'logs' ? plan.selection : plan.leaves[0]!
  const order = plan.kind === 'logs' && (plan.tail.distinct ?? plan.tail.sort) ? { tail: plan.tail } : {}
  const rows: RowTask = { kind: 'rows', limit: 100, direction: 'backward', ...order }
  const samples = (): SampleTask => {
    const leaf = plan.kind === 'metric' ? plan.leaves[0]! : (undefined as never)
    const window = { startNs: dayNs, stepNs: 60_000_000_000n, stepCount: 1441, rangeNs: leaf.rangeNs }
    return { kind: 'samples', leaf: sampleLeaf(leaf), window, maxBytes: 2 ** 30 }
  }
  return {
    kind: 'scan',
    key: query,
    stages: selection.stages,
    needed: selection.needed,
    nowNs: BigInt(dayNs),
    day: 20_000,
    from: 0,
    to: DAY_NS,
    parts: [{ labels, streams: undefined, pages }],
    task: plan.kind === 'logs' ? rows : samples(),
  }
}

function report(name: string, bytes: number, run: () => unknown): void {
  run()
  const start = process.cpuUsage()
  const startMs = performance.now()
  let times = 0
  for (; times < 2 || performance.now() - startMs < 600; times++) run()
  const ms = (performance.now() - startMs) / times
  const { user, system } = process.cpuUsage(start)
  const cpuMs = (user + system) / 1000 / times
  console.log(
    `${name.padEnd(48)} ${ms.toFixed(1).padStart(8)} ms ${(bytes / 1e3 / cpuMs).toFixed(0).padStart(7)} MB/CPU-s ${cpuMs.toFixed(1).padStart(8)} CPU-ms`,
  )
}

const headPages = makePages()
const bytes = headPages.reduce((sum, page) => sum + page.lines.length, 0)
const rowCount = headPages.reduce((sum, page) => sum + page.rowCount, 0)
const heads = headPages.map((columns, order): ScanPage => ({
  data: { kind: 'head', columns },
  order,
  isInside: true,
  dropped: undefined,
}))
const store = new MemoryStore(realClock)
const written = writeLogBlock({
  tenant: 'bench',
  day: 20_000,
  level: 0,
  ulid: makeUlid(1, Buffer.alloc(10)),
  source: undefined,
  minesPatterns: true,
  texts: shareTexts(streams),
  labels: streams.coded(),
  pages: headPages,
})
await store.put(written.meta.key, written.parts)
const block: LogBlock = await openLogBlock(store, { key: written.meta.key })
const read = await block.readPages(
  block.selectPages(undefined, 0, DAY_NS),
  { lengths: true, lines: true, meta: 'all' },
  undefined,
)
const blocks = read.map((one, order): ScanPage => ({
  data: { kind: 'block', bytes: one },
  order,
  isInside: true,
  dropped: undefined,
}))
console.log(
  `${(bytes / 1e6).toFixed(0)} MB of lines, ${rowCount} rows, ${STREAMS} streams; block ${(written.meta.sizeBytes / 1e6).toFixed(0)} MB in ${read.length} pages`,
)

for (const [kind, pages, labels] of [
  ['head', heads, streams.coded()],
  ['block', blocks, block.streams.coded()],
] as const) {
  for (const [name, query] of queries) {
    if (!`${kind}: ${name}`.includes(wanted)) continue
    const job = makeJob(query, pages, labels)
    report(`${kind}: ${name}`, bytes, () => runScanJob(job, () => undefined))
  }
}
