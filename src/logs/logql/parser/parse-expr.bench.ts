/**
 * Queries parsed and printed per second, one thread. Run: `node src/logs/logql/parser/parse-expr.bench.ts`; at least 20,000 a
 * second are wanted for each kind.
 */
import { printExpr } from '#/logs/logql/format/print.ts'
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

for (const [name, query] of Object.entries(queries)) {
  const expr = parseExpr(query)
  const parsed = measure(() => parseExpr(query))
  const printed = measure(() => printExpr(expr))
  console.log(`${name.padEnd(14)} parse ${format(parsed)} /s   print ${format(printed)} /s`)
}
const long = `{a="b"} ${'| a > 5 or b =~ "c.*" and d != 1h '.repeat(3800)}`.slice(0, 131_072)
const start = performance.now()
try {
  parseExpr(long)
} catch {
  // cut in the middle; only the time counts
}
console.log(`128 KiB        ${(performance.now() - start).toFixed(1)} ms`)

function measure(work: () => unknown): number {
  for (let i = 0; i < 2000; i++) work()
  const begin = performance.now()
  let count = 0
  while (performance.now() - begin < secondsEach * 1000) {
    for (let i = 0; i < 100; i++) work()
    count += 100
  }
  return count / ((performance.now() - begin) / 1000)
}

function format(perSecond: number): string {
  return Math.round(perSecond).toLocaleString('en').padStart(9)
}
