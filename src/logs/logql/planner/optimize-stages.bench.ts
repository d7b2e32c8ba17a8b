/** CPU time of stages as written and as the optimizer writes them, over realistic lines: `node optimize-stages.bench.ts`. */
import { parseExpr } from '#/logs/logql/parser/parse-expr.ts'
import { compilePipeline } from '#/logs/logql/pipeline/compile-pipeline.ts'
import { pageOf } from '#/logs/logql/pipeline/page-fixture.ts'
import type { NeededLabels, Pipeline } from '#/logs/logql/pipeline/row.ts'
import type { LogPage } from '#/logs/store/log-page.ts'
import { enableLinearRegex } from '#/platform/regex/linear.ts'
import { optimizeStages } from './optimize-stages.ts'
import { splitTail } from './split-tail.ts'

enableLinearRegex()

const ROWS = 12_000
const MIN_MS = 300
const levels = ['info', 'info', 'info', 'debug', 'warn', 'info', 'info', 'info', 'info', 'error']

function fields(i: number): Record<string, string | number> {
  return {
    ts: `2026-11-22T03:${String(i % 60).padStart(2, '0')}:11.${String(i % 1000).padStart(3, '0')}Z`,
    level: levels[i % levels.length]!,
    method: i % 4 === 0 ? 'POST' : 'GET',
    path: `/api/v1/users/${(i * 7919) % 100_000}/orders`,
    status: i % 50 === 0 ? 503 : 200,
    duration: `${(i % 900) / 10}ms`,
    trace: ((i * 2_654_435_761) >>> 0).toString(16).padStart(16, '0'),
    msg: i % 50 === 0 ? 'upstream took too long' : 'request done',
  }
}

const all = Array.from({ length: ROWS }, (_, i) => fields(i))
const metaOf = (i: number): Record<string, string> => ({ detected_level: levels[i % levels.length]! })
const json = pageOf(all.map((row, i) => ({ line: JSON.stringify(row), meta: metaOf(i) })))
const logfmt = pageOf(
  all.map((row) =>
    Object.entries(row)
      .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
      .join(' '),
  ),
)

function cpuMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

function measure(page: LogPage, text: string, needed: NeededLabels = 'all'): void {
  const expr = parseExpr(`{app="a"} ${text}`)
  if (expr.kind !== 'log') throw new TypeError(`not a log query: ${text}`)
  const { rowStages } = splitTail(expr.stages)
  const before = timeOf(compilePipeline(rowStages, { needed }), page)
  const after = timeOf(compilePipeline(optimizeStages(rowStages).stages, { needed }), page)
  if (before.passed !== after.passed) throw new Error(`${text}: ${before.passed} rows became ${after.passed}`)
  const rate = ({ ms }: Timed): string => `${(page.lines.length / 1e3 / ms).toFixed(0).padStart(6)} MB/s`
  console.log(
    `${text.padEnd(70)} ${rate(before)} ${rate(after)}  ×${(before.ms / after.ms).toFixed(1).padStart(5)}  ${after.passed} rows`,
  )
}

type Timed = { readonly ms: number; readonly passed: number }

function timeOf(pipeline: Pipeline, page: LogPage): Timed {
  const rows = Uint32Array.from({ length: page.rowCount }, (_, i) => i)
  const entry = { page, row: 0, day: 0, streamLabels: [['app', 'a'] as const] }
  const once = (): number => {
    const chosen = rows.slice()
    let count = page.rowCount
    for (const filter of pipeline.pageFilters) {
      if (filter.unlessLabels?.some((name) => page.metaNames.includes(name))) continue
      count = filter.select(page.lines, page.lineStart, chosen, count)
    }
    if (pipeline.isTrivial) return count
    let passed = 0
    for (let i = 0; i < count; i++) {
      entry.row = chosen[i]!
      if (pipeline.run(entry)) passed++
    }
    return passed
  }
  const passed = once()
  for (let i = 0; i < 5; i++) once()
  let best = Infinity
  for (const end = cpuMs() + MIN_MS; cpuMs() < end;) {
    const start = cpuMs()
    once()
    best = Math.min(best, cpuMs() - start)
  }
  return { ms: best, passed }
}

const planning = parseExpr('{app="a"} |= "x" | json | level="error" | line_format "{{.msg}}" | pod=~"web-.*"')
if (planning.kind === 'log') {
  const { rowStages } = splitTail(planning.stages)
  const start = cpuMs()
  for (let i = 0; i < 10_000; i++) optimizeStages(rowStages)
  console.log(`optimizing six stages: ${((cpuMs() - start) / 10).toFixed(1)} µs`)
}

measure(json, '| json | level="error"')
measure(json, '| json | level="error"', new Set(['status']))
measure(json, '| json | status="503" | line_format "{{.path}}"')
measure(json, '| json | trace="00000000deadbeef"')
measure(json, '| json | detected_level="error"')
measure(json, '| json | detected_level="error"', new Set(['status']))
measure(json, '| json | msg=~".*took too.*"')
measure(logfmt, '| logfmt | level="error" or status="503"')
measure(logfmt, '| logfmt | method="GET"')
measure(logfmt, '| pattern "ts=<ts> <_> method=<method> <_>" | app="b"')
measure(logfmt, '| logfmt | line_format "{{.method}} {{.path}}" | level="error"')
measure(logfmt, '|~ "[a-z]+ [a-z]+\\"$" |= "took"')
measure(logfmt, '|> "<_>upstream took<_>"')
measure(logfmt, '|= "took" |= "upstream took" |~ "too|upstream"')
