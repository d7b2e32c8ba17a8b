/** MB/s of one core, by CPU time, of page filters and row stages over realistic lines: `node pipeline.bench.ts`. */
import { enableLinearRegex } from '#/platform/regex/linear.ts'
import { pageOf, pipelineOf } from './page-fixture.ts'
import type { NeededLabels } from './row.ts'
import type { LogPage } from '#/logs/store/log-page.ts'

enableLinearRegex()

const ROWS = 12_000
const MIN_MS = 400

const methods = ['GET', 'POST', 'PUT', 'DELETE']
const levels = ['info', 'info', 'info', 'debug', 'warn', 'error', 'info']

function fields(i: number): Record<string, string | number> {
  return {
    ts: `2026-11-22T03:${String(i % 60).padStart(2, '0')}:11.${String(i % 1000).padStart(3, '0')}Z`,
    level: levels[i % 7]!,
    method: methods[i % 4]!,
    path: `/api/v1/users/${(i * 7919) % 100_000}/orders`,
    status: i % 7 === 0 ? 500 + (i % 4) : 200,
    duration: `${(i % 900) / 10}ms`,
    bytes: (i * 31) % 65_536,
    trace: ((i * 2_654_435_761) >>> 0).toString(16).padStart(16, '0'),
  }
}

const rows = Array.from({ length: ROWS }, (_, i) => fields(i))
const jsonPage = pageOf(rows.map((row) => JSON.stringify(row)))
const logfmtPage = pageOf(
  rows.map((row) =>
    Object.entries(row)
      .map(([key, value]) => `${key}=${value}`)
      .join(' '),
  ),
)

function cpuMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

function measure(name: string, page: LogPage, stages: string, needed?: NeededLabels): void {
  const pipeline = pipelineOf(stages, needed)
  const all = Uint32Array.from({ length: page.rowCount }, (_, i) => i)
  const entry = { page, row: 0, day: 0, streamLabels: [['app', 'a'] as const] }
  const once = (): number => {
    const chosen = all.slice()
    let count = page.rowCount
    for (const filter of pipeline.pageFilters) count = filter.select(page.lines, page.lineStart, chosen, count)
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
  const rate = page.lines.length / 1e6 / (best / 1e3)
  console.log(
    `${name.padEnd(44)} ${rate.toFixed(0).padStart(6)} MB/s  ${String(passed).padStart(6)} of ${page.rowCount} rows`,
  )
}

measure('substring, absent', logfmtPage, '|= "b0a1c2d3-nowhere"')
measure('substring, 1 line of 7', logfmtPage, '|= "level=error"')
measure('substring, every line', logfmtPage, '|= "status="')
measure('substring, not, every line', logfmtPage, '!= "status="')
measure('regex with a literal, 1 line of 7', logfmtPage, '|~ "status=5\\\\d\\\\d"')
measure('regex with a literal, every line', logfmtPage, '|~ "status=\\\\d+ "')
measure('regex, alternation of texts', logfmtPage, '|~ "level=error|level=warn"')
measure('regex, (?i) text, 1 line of 7', logfmtPage, '|~ "(?i)LEVEL=ERROR"')
measure('regex, (?i) text, absent', logfmtPage, '|~ "(?i)NOWHERE"')
measure('regex without literal, bounded', logfmtPage, '|~ "[0-9]{4}ms"')
measure('regex without literal, line by line', logfmtPage, '|~ "[a-z]+=[0-9]+$"')
measure('json, one field, status >= 500', jsonPage, '| json | status >= 500', new Set(['status']))
measure('json, last field only', jsonPage, '| json | trace = "x"', new Set())
measure('json, all fields, status >= 500', jsonPage, '| json | status >= 500')
measure('logfmt, one field, status >= 500', logfmtPage, '| logfmt | status >= 500', new Set(['status']))
measure('logfmt, last field only', logfmtPage, '| logfmt | trace = "x"', new Set())
measure('logfmt, all fields, status >= 500', logfmtPage, '| logfmt | status >= 500')
measure('json, line_format with two fields', jsonPage, '| json | line_format "{{.method}} {{.path}}"')
measure('pattern, two captures', logfmtPage, '| pattern "<_>method=<m> path=<p> <_>"')
measure('regexp, one group', logfmtPage, '| regexp "method=(?P<m>\\\\w+)"')
