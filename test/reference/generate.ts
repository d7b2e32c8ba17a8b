/** Random entries and queries, small enough that windows, ties, duplicates and errors all happen often. */
import fc from 'fast-check'
import type { Entry } from './sources.ts'

/** 2023-11-14 23:59:50 UTC: ten seconds before midnight, so that data lies on both sides of it. */
export const BASE_NS = 1_700_006_390n * 1_000_000_000n
const SECOND = 1_000_000_000n

const streams = [
  '{app="api", env="dev"}',
  '{app="api", env="prod"}',
  '{app="web"}',
  '{app="web", level="x"}',
  '{env="prod", level="y", zone="a \\"b\\""}',
]
const words = ['error', 'ok', 'GET /a', 'timeout', 'é', 'id=7', 'ab', '']

const line = fc.oneof(
  fc.array(fc.constantFrom(...words), { maxLength: 4 }).map((parts) => parts.join(' ')),
  fc
    .record(
      { status: fc.constantFrom<string | number>(200, 404, 503, 'bad'), app: fc.constantFrom('z', 'api') },
      { requiredKeys: [] },
    )
    .map((object) => JSON.stringify(object)),
  fc
    .record({ status: fc.constantFrom('200', '503', 'bad'), user: fc.constantFrom('u1', 'u2') }, { requiredKeys: [] })
    .map((object) =>
      Object.entries(object)
        .map(([key, value]) => `${key}=${value}`)
        .join(' '),
    ),
)

const metadata = fc.record(
  { level: fc.constantFrom('info', 'error'), trace: fc.constantFrom('t1', 't2', 't3') },
  { requiredKeys: [] },
)

/** Whole seconds most of the time, so that entries meet the borders of windows; single nanoseconds else. */
const timeNs = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 0, max: 20 }).map((seconds) => BASE_NS + BigInt(seconds) * SECOND) },
  { weight: 2, arbitrary: fc.bigInt({ min: 0n, max: 20n * SECOND }).map((offset) => BASE_NS + offset) },
  { weight: 1, arbitrary: fc.integer({ min: -1, max: 1 }).map((nanos) => BASE_NS + 10n * SECOND + BigInt(nanos)) },
)

export const entry: fc.Arbitrary<Entry> = fc.record({ stream: fc.constantFrom(...streams), timeNs, line, metadata })

const selector = fc.constantFrom(
  '{app="api"}',
  '{app=~".+"}',
  '{app=~"api|web", env!="dev"}',
  '{env="prod"}',
  '{app="web", level=""}',
  '{app="none"}',
)

const stage = fc.constantFrom(
  '|= "error"',
  '!= "ok"',
  '|~ "t.meout|é"',
  '!~ "^GET"',
  '|= "error" or "ok"',
  '| level="error"',
  '| trace=~"t[12]"',
  '| level!="info" or trace="t3"',
  '| json',
  '| json | status >= 404',
  '| json | __error__=""',
  '| logfmt',
  '| logfmt | status > 200 and user="u1"',
  '| status="503"',
)

const pipeline = fc.array(stage, { maxLength: 3 }).map((stages) => stages.join(' '))

export const logQuery = fc.tuple(selector, pipeline).map(([labels, stages]) => `${labels} ${stages}`)

const range = fc.constantFrom('[1s]', '[5s]', '[7s]', '[1m]', '[3s] offset 2s', '[2s] offset -3s')
const rangeOp = fc.constantFrom('rate', 'count_over_time', 'bytes_rate', 'bytes_over_time')
const rangeExpr = fc.tuple(rangeOp, logQuery, range).map(([op, log, window]) => `${op}(${log} ${window})`)
const absent = fc.tuple(logQuery, range).map(([log, window]) => `absent_over_time(${log} ${window})`)

const grouping = fc.constantFrom(
  '',
  'by (app)',
  'by (level)',
  'by (status, env)',
  'by (level_extracted, trace)',
  'by (__error__, app)',
  'without (app, trace)',
  'by ()',
  'without ()',
)
const vectorOp = fc.constantFrom('sum', 'sum', 'sum', 'min', 'max', 'avg', 'count', 'stdvar')
const vectorExpr = fc.tuple(vectorOp, grouping, rangeExpr).map(([op, group, inner]) => `${op} ${group} (${inner})`)

const scalarOp = fc.constantFrom('* 2', '/ 0', '% 3', '> 1', '>= bool 2', '== 1', '- 1', '^ 2', '!= 3')

export const metricQuery = fc.oneof(
  rangeExpr,
  absent,
  vectorExpr,
  vectorExpr,
  fc.tuple(vectorExpr, scalarOp).map(([inner, op]) => `${inner} ${op}`),
  vectorExpr.map((inner) => `100 / ${inner}`),
  vectorExpr.map((inner) => `${inner} or vector(0)`),
  fc.tuple(rangeExpr, rangeExpr, fc.constantFrom('and', 'unless', 'or')).map(([a, b, op]) => `${a} ${op} ${b}`),
  fc.tuple(rangeExpr, fc.constantFrom('+', '/', '>')).map(([a, op]) => `${a} ${op} ${a}`),
  vectorExpr.map((inner) => `max(${inner})`),
)
