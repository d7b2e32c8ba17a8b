/**
 * Queries parsed and printed per second, one thread, and what the longest hostile queries take. Run:
 * `node src/logs/logql/parser/parse-expr.bench.ts`. At least 20,000 typical queries a second are wanted of each kind, and less than
 * 50 ms for 128 KiB, also when they are the first that a process sees. `… parse-expr.bench.ts all` prints every hostile query.
 */
import { spawnSync } from 'node:child_process'
import { printExpr } from '#/logs/logql/format/print.ts'
import { hostileQueries } from '#/logs/logql/testdata/hostile-queries.ts'
import { parseExpr } from './parse-expr.ts'

const queries = {
  selector: '{app="api", namespace=~"prod-.+"}',
  'line filters': '{app="api"} |= "error" != "timeout" |~ "status=5\\\\d\\\\d"',
  pipeline:
    '{app="api", env="prod"} |= "POST" | json | status >= 500 and method = "GET" or latency > 250ms | line_format "{{.method}} {{.path}}"',
  metric: 'sum by (status, method) (rate({app="api", env="prod"} | json | status >= 400 [5m]))',
  unwrap: 'quantile_over_time(0.99, {app="api"} | logfmt | unwrap duration(latency) | __error__="" [5m]) by (path)',
  ratio:
    '100 * sum by (app) (rate({env="prod"} |= "error" [5m])) / on (app) group_left sum by (app) (rate({env="prod"}[5m] offset 1h)) > 5',
} as const

const secondsEach = 0.5

/** Set in the processes that parse one hostile query each. */
const hostileName = process.env['EDDA_HOSTILE_QUERY']
if (hostileName === undefined) {
  benchTypical()
  benchHostile(process.argv[2] === 'all' ? Infinity : 12)
} else console.log(cpuMs(hostileQueries[hostileName]!))

function benchTypical(): void {
  for (const [name, query] of Object.entries(queries)) {
    const expr = parseExpr(query)
    const parsed = measure(() => parseExpr(query))
    const printed = measure(() => printExpr(expr))
    console.log(`${name.padEnd(14)} parse ${format(parsed)} /s   print ${format(printed)} /s`)
  }
}

/** Prints the slowest `count`: CPU time of the first query of a process, and of the third of this one. */
function benchHostile(count: number): void {
  const all = Object.entries(hostileQueries).map(([name, query]) => {
    const env = { ...process.env, EDDA_HOSTILE_QUERY: name }
    const cold = Number(spawnSync(process.execPath, [import.meta.filename], { env, encoding: 'utf8' }).stdout)
    return { name, cold, warm: Math.min(cpuMs(query), cpuMs(query), cpuMs(query)) }
  })
  const within = all.filter(({ cold }) => cold < 50).length
  console.log(`hostile        ${within} of ${all.length} take less than 50 ms in a fresh process; the slowest:`)
  for (const { name, cold, warm } of all.sort((a, b) => b.cold - a.cold).slice(0, count)) {
    console.log(
      `  ${name.padEnd(34)} first ${cold.toFixed(1).padStart(6)} ms   later ${warm.toFixed(1).padStart(6)} ms`,
    )
  }
}

function cpuMs(query: string): number {
  const before = process.threadCpuUsage()
  try {
    parseExpr(query)
  } catch {
    // refused; only the time counts
  }
  const { user, system } = process.threadCpuUsage(before)
  return (user + system) / 1000
}

/** Times a second of CPU time, since other processes may be busy too. */
function measure(work: () => unknown): number {
  for (let i = 0; i < 2000; i++) work()
  const before = process.threadCpuUsage()
  let count = 0
  for (let seconds = 0; ;) {
    for (let i = 0; i < 1000; i++) work()
    count += 1000
    const { user, system } = process.threadCpuUsage(before)
    seconds = (user + system) / 1e6
    if (seconds > secondsEach) return count / seconds
  }
}

function format(perSecond: number): string {
  return Math.round(perSecond).toLocaleString('en').padStart(9)
}
