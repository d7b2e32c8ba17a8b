/** What the benchmark asks, each with a check of the answer against the truth about the data, and with the bar for it. */
import { foldedWord, largestUsers, quantileOf, rareWord, type Truth } from '../tools/data-truth.ts'

export type Answer = {
  readonly resultType: string
  readonly result: readonly {
    readonly metric?: Readonly<Record<string, string>>
    readonly value?: readonly [number, string]
    readonly values?: readonly (readonly [string | number, string])[]
  }[]
}

export type Window = { readonly startNs: bigint; readonly endNs: bigint }

/** What a query is about: the data, and which of the many texts that mean the same is to be used. */
export type Asked = {
  readonly truth: Truth
  readonly window: Window
  /** Another number, another text: no cache of results knows it. */
  readonly variant: number
}

export type BenchQuery = {
  readonly name: string
  readonly path: (asked: Asked) => string
  /** What the answer must be. */
  readonly expected: (truth: Truth) => string | number
  /** The same of an answer, parsed. */
  readonly found: (answer: unknown, truth: Truth) => string | number
  /** Most CPU over 600 MB, warm. `scan`: as much again for as much data again; otherwise small sets get no less. */
  readonly mustCpuMs?: number
  readonly scan: boolean
  /** Most time of an answer, of sets with 100,000 streams. */
  readonly mustWallMs?: number
  /** Whether more lines mean a larger answer, so that it can be checked while lines come in. */
  readonly grows: boolean
  /** Whether the data have what is asked for. */
  readonly applies?: (truth: Truth) => boolean
}

/** A selector of the same streams for every variant. */
const streams = (matchers: string, variant: number): string => `{${matchers}, cluster!="none-${variant}"}`
const all = 'cluster="prod"'

const lineCount = (answer: unknown): number =>
  dataOf(answer).result.reduce((sum, { values }) => sum + (values?.length ?? 0), 0)
const samplesOf = (answer: unknown): number[] =>
  dataOf(answer).result.flatMap(({ value, values }) =>
    (values ?? (value ? [value] : [])).map(([, text]) => Number(text)),
  )
/** Sum of all samples: of an instant vector, or of ranges that touch without overlap. */
const total = (answer: unknown): number => Math.round(samplesOf(answer).reduce((sum, sample) => sum + sample, 0))
const dataOf = (answer: unknown): Answer => (answer as { data: Answer }).data

type Query = Omit<BenchQuery, 'path' | 'found'> & {
  readonly query: (asked: Asked) => string
  readonly parameters?: Readonly<Record<string, string>>
}

const parametersOf = (pairs: Readonly<Record<string, string>>): string => new URLSearchParams(pairs).toString()
const windowOf = ({ window: { startNs, endNs }, variant }: Asked): Record<string, string> => ({
  start: String(startNs - BigInt(variant)),
  end: String(endNs),
})

/** Newest lines. */
function lines({ query, parameters = {}, ...rest }: Query): BenchQuery {
  const path = (asked: Asked): string =>
    `/loki/api/v1/query_range?${parametersOf({ query: query(asked), limit: '100', ...windowOf(asked), ...parameters })}`
  return { ...rest, path, found: lineCount }
}

/** Samples over time, whose sum is what is checked. */
function range({ query, parameters = {}, ...rest }: Query): BenchQuery {
  const path = ({ window, ...asked }: Asked): string =>
    `/loki/api/v1/query_range?${parametersOf({ query: query({ window, ...asked }), ...windowOf({ window, truth: asked.truth, variant: 0 }), ...parameters })}`
  return { ...rest, path, found: total }
}

/** One moment, whose samples are summed unless `found` says otherwise. */
function instant({ query, found = total, ...rest }: Query & { found?: BenchQuery['found'] }): BenchQuery {
  const path = (asked: Asked): string =>
    `/loki/api/v1/query?${parametersOf({ query: query(asked), time: String(asked.window.endNs) })}`
  return { ...rest, path, found }
}

const counting = (pipeline: string, { variant }: Asked): string =>
  `sum(count_over_time(${streams(all, variant)}${pipeline}[25h]))`
const absent = (variant: number): string => `7c9e6679-7425-40de-944b-${(0xe07fc1f90ae7 + variant * 7919).toString(16)}`
const hasShop = (truth: Truth): boolean => truth.linesByApp['login'] !== undefined
const precise = (value: number): string => value.toPrecision(9)

const onLines: readonly BenchQuery[] = [
  lines({
    name: 'newest 100 lines of one service',
    query: ({ variant }) => streams('app="payments"', variant),
    expected: (truth) => Math.min(100, truth.linesByApp['payments'] ?? 0),
    mustCpuMs: 10,
    scan: false,
    grows: true,
  }),
  lines({
    name: 'absent UUID, all streams',
    query: ({ variant }) => `${streams(all, variant)} |= "${absent(variant)}"`,
    expected: () => 0,
    mustCpuMs: 12,
    scan: false,
    grows: true,
  }),
  lines({
    name: 'word in 0.01 % of lines, newest 100',
    query: ({ variant }) => `${streams(all, variant)} |= "${rareWord}"`,
    expected: (truth) => Math.min(100, truth.linesWith[rareWord] ?? 0),
    mustCpuMs: 200,
    scan: true,
    grows: true,
  }),
]

const onSeries: readonly BenchQuery[] = [
  instant({
    name: 'one trace id in structured metadata',
    query: (asked) => counting(` | trace_id="${asked.truth.traceId}" `, asked),
    expected: (truth) => truth.traceIdLines,
    mustCpuMs: 20,
    scan: false,
    grows: true,
    applies: ({ traceIdLines }) => traceIdLines > 0,
  }),
  range({
    name: 'volume by level per minute, all streams',
    query: ({ variant }) => `sum by (detected_level) (count_over_time(${streams(all, variant)}[1m]))`,
    parameters: { step: '1m' },
    expected: (truth) => truth.lines,
    mustCpuMs: 100,
    scan: true,
    grows: true,
  }),
  instant({
    name: 'bytes by application, all streams',
    query: ({ variant }) => `sum by (app) (bytes_over_time(${streams(all, variant)}[25h]))`,
    expected: (truth) => truth.bytes,
    mustCpuMs: 5,
    scan: false,
    grows: true,
  }),
  range({
    name: 'filtered rate in one namespace',
    query: ({ variant }) => `sum(rate(${streams('namespace="identity"', variant)} |= "denied" [5m])) * 300`,
    parameters: { step: '5m' },
    expected: (truth) => truth.identityDenied,
    mustCpuMs: 60,
    scan: true,
    grows: true,
    applies: hasShop,
  }),
  instant({
    name: 'json, status >= 500, rate by status',
    query: ({ variant }) =>
      `sum by (status) (rate(${streams('app="payments"', variant)} | json | status >= 500 [25h])) * 90000`,
    expected: ({ paymentsByStatus }) =>
      Object.entries(paymentsByStatus).reduce((sum, [status, count]) => sum + (Number(status) >= 500 ? count : 0), 0),
    mustCpuMs: 500,
    scan: true,
    grows: true,
    applies: ({ paymentsLatencyMs }) => paymentsLatencyMs.length > 0,
  }),
  instant({
    name: 'p99 of a number inside json',
    query: ({ variant }) =>
      `quantile_over_time(0.99, ${streams('app="payments"', variant)} | json | unwrap latency_ms [25h]) by (app)`,
    expected: ({ paymentsLatencyMs }) => precise(quantileOf(paymentsLatencyMs, 0.99)),
    found: (answer) => samplesOf(answer).map(precise).join(),
    mustCpuMs: 800,
    scan: true,
    grows: false,
    applies: ({ paymentsLatencyMs }) => paymentsLatencyMs.length > 0,
  }),
  instant({
    name: 'top 10 of a million users, 24 h',
    query: ({ variant }) => `topk(10, sum by (user_id) (count_over_time(${streams(all, variant)}[24h])))`,
    expected: (truth) => largestUsers(truth, 10).join(),
    found: (answer) =>
      samplesOf(answer)
        .toSorted((a, b) => b - a)
        .join(),
    mustCpuMs: 300,
    scan: true,
    grows: false,
    applies: ({ linesByUser }) => linesByUser.size > 0,
  }),
]

const count = (name: string, pipeline: string, mustCpuMs: number, expected: BenchQuery['expected']): BenchQuery =>
  instant({ name, query: (asked) => counting(pipeline, asked), expected, mustCpuMs, scan: true, grows: true })

const onWords: readonly BenchQuery[] = [
  count('count of a word in 1 %', ' |= "timeout" ', 800, ({ linesWith }) => linesWith['timeout'] ?? 0),
  count('count of a substring inside words', ' |= "uthori" ', 800, ({ linesWith }) => linesWith['uthori'] ?? 0),
  count('count of a case-insensitive word', ` |~ "(?i)${foldedWord}" `, 800, (truth) => truth.linesWithFolded),
  count(
    'regular expression over everything, count',
    ' |~ "dead[a-z]+ne" ',
    1000,
    ({ linesWith }) => linesWith['deadline'] ?? 0,
  ),
]

type Metadata = Pick<BenchQuery, 'name' | 'expected' | 'found'> & {
  readonly endpoint: string
  readonly more?: (asked: Asked) => Readonly<Record<string, string>>
}

/** Questions that indexes answer. */
const metadata = ({ name, endpoint, more = () => ({}), expected, found }: Metadata): BenchQuery => ({
  name,
  path: (asked) => `/loki/api/v1/${endpoint}?${parametersOf({ ...windowOf(asked), ...more(asked) })}`,
  expected,
  found,
  scan: false,
  mustWallMs: 50,
  grows: false,
})

const listOf = (answer: unknown): readonly unknown[] => (answer as { data: unknown[] }).data
const labelNames = ['app', 'cluster', 'container', 'namespace', 'pod']

const onIndexes: readonly BenchQuery[] = [
  metadata({
    name: 'names of labels',
    endpoint: 'labels',
    expected: () => labelNames.join(),
    found: (answer) => labelNames.filter((label) => listOf(answer).includes(label)).join(),
  }),
  metadata({
    name: 'values of a label with a matcher',
    endpoint: 'label/app/values',
    more: ({ variant }) => ({ query: streams(all, variant) }),
    expected: ({ linesByApp }) => Object.keys(linesByApp).toSorted().join(),
    found: (answer) => listOf(answer).map(String).toSorted().join(),
  }),
  metadata({
    name: 'series of one application',
    endpoint: 'series',
    more: ({ variant }) => ({ 'match[]': streams('app="payments"', variant) }),
    expected: ({ streamsByApp }) => streamsByApp['payments'] ?? 0,
    found: (answer) => listOf(answer).length,
  }),
  metadata({
    name: 'detected fields of one application',
    endpoint: 'detected_fields',
    more: ({ variant }) => ({ query: streams('app="payments"', variant) }),
    expected: ({ paymentsLatencyMs }) => (paymentsLatencyMs.length > 0 ? 'latency_ms,status' : ''),
    found: (answer) =>
      (answer as { fields: { label: string }[] | null }).fields
        ?.map(({ label }) => label)
        .filter((label) => label === 'latency_ms' || label === 'status')
        .toSorted()
        .join() ?? '',
  }),
]

export const queries: readonly BenchQuery[] = [...onLines, ...onSeries, ...onWords, ...onIndexes]
