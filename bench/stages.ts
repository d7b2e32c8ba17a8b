/**
 * MB/s of one core, by CPU time, of every stage of log pipelines over realistic lines, next to the naive way of doing the same:
 *
 *     node bench/stages.ts [part of the names to run]
 */
import { pipelineOf } from '#/logs/logql/pipeline/page-fixture.ts'
import type { NeededLabels } from '#/logs/logql/pipeline/row.ts'
import type { LogPage } from '#/logs/store/log-page.ts'
import { enableLinearRegex } from '#/platform/regex/linear.ts'
import { pageOfFormat } from './stages/lines.ts'
import { naiveQuantile, scanQuantile } from './stages/quantile.ts'
import { countLines, groupsOf, jsonLabels, jsonMember, logfmtLabels } from './stages/naive.ts'

enableLinearRegex()

const MIN_MS = 400
const wanted = process.argv[2] ?? ''

type Case = {
  readonly name: string
  readonly page: LogPage
  readonly stages: string
  /** Labels that a metric query would read behind the stages; undefined: all. */
  readonly needed?: NeededLabels
  readonly naive: (line: string) => boolean
}

const mixed = pageOfFormat('mixed')
const json = pageOfFormat('json')
const logfmt = pageOfFormat('logfmt')
const nginx = pageOfFormat('nginx')
const none: ReadonlySet<string> = new Set()
const access =
  /^(?<ip>\S+) - - \[(?<time>[^\]]+)\] "(?<method>\S+) (?<path>\S+) \S+" (?<status>\d+) (?<size>\d+) "[^"]*" "(?<agent>[^"]*)" (?<took>\S+)$/
const accessRe2 = access.source.replaceAll('(?<', '(?P<')
const accessPattern = '<ip> - - [<time>] \\"<method> <path> <_>\\" <status> <size> \\"<_>\\" \\"<agent>\\" <took>'
const isSlow = (text: string | undefined): boolean => Number.parseFloat(text ?? '') > 100

const cases: readonly Case[] = [
  {
    name: 'line filter, absent',
    page: mixed,
    stages: '|= "b0a1c2-nowhere"',
    naive: (l) => l.includes('b0a1c2-nowhere'),
  },
  { name: 'line filter, some lines', page: mixed, stages: '|= "deadline"', naive: (l) => l.includes('deadline') },
  { name: 'line filter, most lines', page: mixed, stages: '|= "0"', naive: (l) => l.includes('0') },
  { name: 'line filter, not', page: mixed, stages: '!= "order"', naive: (l) => !l.includes('order') },
  {
    name: 'line filter, any case',
    page: mixed,
    stages: '|~ "(?i)ERROR"',
    naive: (l) => l.toLowerCase().includes('error'),
  },
  {
    name: 'line filter, any case, absent',
    page: mixed,
    stages: '|~ "(?i)NOWHERE"',
    naive: (l) => l.toLowerCase().includes('nowhere'),
  },
  {
    name: '(?i) regex',
    page: mixed,
    stages: '|~ "(?i)(error|warn).*(timeout|refused)"',
    naive: (l) => /(error|warn).*(timeout|refused)/i.test(l),
  },
  {
    name: 'regex with literal',
    page: mixed,
    stages: '|~ "duration[=:]\\\\s*\\\\d{3,}"',
    naive: (l) => /duration[=:]\s*\d{3,}/.test(l),
  },
  {
    name: 'regex with literal, rare',
    page: mixed,
    stages: '|~ "user=1[0-9]{3} "',
    naive: (l) => /user=1[0-9]{3} /.test(l),
  },
  {
    name: 'regex, alternatives',
    page: mixed,
    stages: '|~ "timeout|refused|deadline"',
    naive: (l) => /timeout|refused|deadline/.test(l),
  },
  {
    name: 'regex without literal',
    page: mixed,
    stages: '|~ "[a-f0-9]{12}-[a-f0-9]{4}"',
    naive: (l) => /[a-f0-9]{12}-[a-f0-9]{4}/.test(l),
  },
  {
    name: 'pattern filter',
    page: mixed,
    stages: '|> "<_>level=<_> msg=<_>"',
    naive: (l) => /.level=.+? msg=./.test(l),
  },
  { name: 'ip filter', page: nginx, stages: '|= ip("10.1.0.0/16")', naive: (l) => /\b10\.1\.\d+\.\d+/.test(l) },
  {
    name: 'json, one field',
    page: json,
    stages: '| json | status >= 500',
    needed: none,
    naive: (l) => Number(jsonMember(l, 'status')) >= 500,
  },
  {
    name: 'json, one nested field',
    page: json,
    stages: '| json | request_path = "/login"',
    needed: none,
    naive: (l) => jsonLabels(l).get('request_path') === '/login',
  },
  {
    name: 'json, by expression',
    page: json,
    stages: '| json p="request.path" | p = "/login"',
    needed: none,
    naive: (l) => jsonLabels(l).get('request_path') === '/login',
  },
  {
    name: 'json, all fields',
    page: json,
    stages: '| json | status >= 500',
    naive: (l) => Number(jsonLabels(l).get('status')) >= 500,
  },
  {
    name: 'json, on mixed lines',
    page: mixed,
    stages: '| json | status >= 500',
    needed: none,
    naive: (l) => !l.startsWith('{') || Number(jsonMember(l, 'status')) >= 500,
  },
  {
    name: 'logfmt, one field',
    page: logfmt,
    stages: '| logfmt | level = "error"',
    needed: none,
    naive: (l) => logfmtLabels(l).get('level') === 'error',
  },
  {
    name: 'logfmt, a late field',
    page: logfmt,
    stages: '| logfmt | duration > 100ms',
    needed: none,
    naive: (l) => isSlow(logfmtLabels(l).get('duration')),
  },
  {
    name: 'logfmt, all fields',
    page: logfmt,
    stages: '| logfmt | level = "error"',
    naive: (l) => logfmtLabels(l).get('level') === 'error',
  },
  {
    name: 'pattern, two fields',
    page: nginx,
    stages: '| pattern "<_> \\"<method> <path> <_>" | method = "POST"',
    naive: (l) => groupsOf(l, /^.*? "(?<method>.*?) (?<path>.*?) /)?.['method'] === 'POST',
  },
  {
    name: 'pattern, all fields',
    page: nginx,
    stages: `| pattern "${accessPattern}" | status >= 500`,
    naive: (l) => Number(groupsOf(l, access)?.['status']) >= 500,
  },
  {
    name: 'regexp, one group',
    page: nginx,
    stages: '| regexp "\\" (?P<status>\\\\d{3}) " | status >= 500',
    naive: (l) => Number(groupsOf(l, /" (?<status>\d{3}) /)?.['status']) >= 500,
  },
  {
    name: 'regexp, all groups',
    page: nginx,
    stages: `| regexp \`${accessRe2}\` | status >= 500`,
    naive: (l) => Number(groupsOf(l, access)?.['status']) >= 500,
  },
  {
    name: 'line_format, labels',
    page: json,
    stages: '| json | line_format "{{.level}} {{.msg}}"',
    naive: (l) => {
      const labels = jsonLabels(l)
      return `${labels.get('level')} ${labels.get('msg')}` !== ''
    },
  },
  {
    name: 'line_format, functions',
    page: json,
    stages: '| json | line_format "{{ .level | upper }} {{ if gt (int .status) 499 }}!{{ end }} {{ trunc 10 .msg }}"',
    naive: (l) => {
      const labels = jsonLabels(l)
      return (
        `${labels.get('level')?.toUpperCase()} ${Number(labels.get('status')) > 499 ? '!' : ''} ${labels.get('msg')?.slice(0, 10)}` !==
        ''
      )
    },
  },
  {
    name: 'label_format, keep',
    page: logfmt,
    stages: '| logfmt | label_format l=level, m="{{.msg}}!" | keep l, m',
    naive: (l) => {
      const labels = logfmtLabels(l)
      return (
        new Map([
          ['l', labels.get('level')],
          ['m', `${labels.get('msg')}!`],
        ]).size === 2
      )
    },
  },
  {
    name: 'decolorize',
    page: mixed,
    stages: '| decolorize',
    naive: (l) => l.replaceAll(/\p{Cc}\[[\d;]*[A-Za-z]/gu, '') !== '',
  },
]

function pipelineRun({ page, stages, needed }: Case): () => number {
  const pipeline = pipelineOf(stages, needed)
  const all = Uint32Array.from({ length: page.rowCount }, (_, i) => i)
  const chosen = new Uint32Array(page.rowCount)
  const entry = { page, row: 0, day: 0, streamLabels: [['app', 'a'] as const] }
  pipeline.begin(0n, () => undefined)
  return () => {
    chosen.set(all)
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
}

function cpuMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

/** MB/s of the fastest round. */
function rateOf(page: LogPage, run: () => number): number {
  let best = Infinity
  for (const end = cpuMs() + MIN_MS; cpuMs() < end;) {
    const start = cpuMs()
    run()
    best = Math.min(best, cpuMs() - start)
  }
  return page.lines.length / 1e3 / best
}

type Contest = {
  readonly name: string
  readonly page: LogPage
  readonly run: () => number
  readonly naive: () => number
}

const contests: readonly Contest[] = [
  ...cases.map((each) => ({ ...each, run: pipelineRun(each), naive: () => countLines(each.page, each.naive) })),
  { name: 'json, unwrap, quantile', page: json, run: scanQuantile(json), naive: () => naiveQuantile(json) },
]

console.log(`${'stage'.padEnd(32)} ${'MB/s'.padStart(7)} ${'naive'.padStart(7)} ${'ratio'.padStart(6)}  lines`)
for (const { name, page, run, naive } of contests) {
  if (!name.includes(wanted)) continue
  const [passed, expected] = [run(), naive()]
  const [rate, naiveRate] = [rateOf(page, run), rateOf(page, naive)]
  const rates = [
    rate.toFixed(0).padStart(7),
    naiveRate.toFixed(0).padStart(7),
    (rate / naiveRate).toFixed(1).padStart(6),
  ]
  const wrong = passed === expected ? '' : `, but ${expected} the naive way`
  console.log(`${name.padEnd(32)} ${rates.join(' ')}  ${passed} of ${page.rowCount}${wrong}`)
}
