/**
 * What it costs to find patterns, each line looked at, by format: `node src/logs/store/patterns/patterns.bench.ts`. A block looks at a
 * part of its lines only; what that costs is the difference that `minesPatterns` makes in ../write-log-block.bench.ts.
 */
import { LineTokens } from './line-tokens.ts'
import { PatternMiner, type MinedRow } from './pattern-miner.ts'
import { SHORTEST_STEP_NS } from './pattern-section.ts'
import { seededChance } from '#/kernel/fixture/seeded-chance.ts'

const LINES = 100_000
const ROUNDS = 5

const { below, pick, hex } = seededChance()
const deeds = (): string =>
  pick('order placed', 'cache refreshed', 'upstream request timeout', 'job done', 'invalid token')

const formats: Readonly<Record<string, (time: string) => string>> = {
  json: (time) =>
    `{"ts":"${time}","level":"${pick('info', 'warn')}","msg":"${deeds()}","status":${below(600)},"user":{"id":"u-${below(9999)}"},"trace_id":"${hex(32)}"}`,
  logfmt: (time) =>
    `ts=${time} caller=handler.go:${below(400)} level=${pick('info', 'warn')} msg="${deeds()}" user=${below(20_000)} duration=${below(999)}ms traceID=${hex(32)}`,
  nginx: (time) =>
    `10.0.${below(256)}.${below(256)} - - [${time}] "${pick('GET', 'POST')} ${pick('/cart', '/api/v1/orders', '/login')}?id=${below(1e6)} HTTP/1.1" ${below(600)} ${below(9999)} "-" "curl/8.5.0"`,
  java: (time) =>
    `${time} ${pick('INFO', 'ERROR')} [exec-${below(50)}] c.e.shop.${pick('Order', 'Stock')}Service - ${deeds()} in ${below(900)} ms`,
  words: () =>
    Array.from({ length: 12 }, () => pick('a', 'be', 'sea', 'door', 'eager', 'fast', 'great', 'house')).join(' '),
}

function report(what: string, bytes: number, run: () => string): void {
  let best = Infinity
  let note = ''
  for (let round = 0; round < ROUNDS; round++) {
    const before = process.cpuUsage()
    note = run()
    const { user, system } = process.cpuUsage(before)
    best = Math.min(best, user + system)
  }
  console.log(`${what.padEnd(16)} ${((best * 1e3) / bytes).toFixed(2)} CPU-s/GB  ${note}`)
}

for (const [name, format] of Object.entries(formats)) {
  const lines = Array.from({ length: LINES }, (_, i) => Buffer.from(format(new Date(1.79e12 + i).toISOString())))
  const bytes = Buffer.concat(lines)
  let end = 0
  const ends = Uint32Array.from(lines, ({ length }) => (end += length))
  const tokens = new LineTokens()
  report(`${name}, tokens`, bytes.length, () => {
    for (let i = 0, at = 0; i < ends.length; at = ends[i++]!) tokens.scan(bytes, at, ends[i]!)
    return ''
  })
  report(`${name}, patterns`, bytes.length, () => {
    const miner = new PatternMiner(SHORTEST_STEP_NS)
    const row: MinedRow = { stream: 0, level: 0, time: 0, lines: 1 }
    for (let i = 0, at = 0; i < ends.length; at = ends[i++]!) {
      row.time = i * 1e8
      row.stream = Math.floor(i / 1000)
      miner.add(bytes, at, ends[i]!, row)
    }
    const { texts, uncounted } = miner.finish()
    return `${texts.length} patterns, ${uncounted} lines uncounted`
  })
}
