/** The queries of the benchmark, each with a check of its answer against the truth about the data. */
import { rareWord, type Truth } from '../tools/gen-data.ts'

export type Answer = {
  readonly resultType: string
  readonly result: readonly {
    readonly metric?: Readonly<Record<string, string>>
    readonly value?: readonly [number, string]
    readonly values?: readonly (readonly [string | number, string])[]
  }[]
}

export type BenchQuery = {
  readonly name: string
  readonly query: string
  readonly kind: 'range' | 'instant'
  readonly parameters?: Readonly<Record<string, string>>
  /** What the answer must be, as one number. */
  readonly expected: (truth: Truth) => number
  readonly found: (answer: Answer) => number
}

const all = '{cluster="prod"}'
const absent = '7c9e6679-7425-40de-944b-e07fc1f90ae7'

const lineCount = ({ result }: Answer): number => result.reduce((sum, { values }) => sum + (values?.length ?? 0), 0)
/** Sum of all samples: of an instant vector, or of ranges that touch without overlap. */
const total = ({ result }: Answer): number =>
  result.reduce(
    (sum, { value, values }) =>
      sum + (values ?? (value ? [value] : [])).reduce((part, [, text]) => part + Number(text), 0),
    0,
  )

const countOf = (name: string, pipeline: string, expected: (truth: Truth) => number): BenchQuery => ({
  name,
  query: `sum(count_over_time(${all}${pipeline}[25h]))`,
  kind: 'instant',
  expected,
  found: total,
})

export const queries: readonly BenchQuery[] = [
  {
    name: 'newest 100 lines of one service',
    query: '{app="payments"}',
    kind: 'range',
    parameters: { limit: '100' },
    expected: (truth) => Math.min(100, truth.linesByApp['payments'] ?? 0),
    found: lineCount,
  },
  {
    name: 'absent UUID, all streams',
    query: `${all} |= "${absent}"`,
    kind: 'range',
    parameters: { limit: '100' },
    expected: () => 0,
    found: lineCount,
  },
  {
    name: 'word in 0.01 % of lines, newest 100',
    query: `${all} |= "${rareWord}"`,
    kind: 'range',
    parameters: { limit: '100' },
    expected: (truth) => Math.min(100, truth.linesWith[rareWord] ?? 0),
    found: lineCount,
  },
  {
    name: 'one trace id in structured metadata',
    query: '',
    kind: 'instant',
    expected: (truth) => truth.traceIdLines,
    found: total,
  },
  {
    name: 'volume by level per 5 minutes, all streams',
    query: `sum by (detected_level) (count_over_time(${all}[5m]))`,
    kind: 'range',
    parameters: { step: '5m' },
    expected: (truth) => truth.lines,
    found: total,
  },
  {
    name: 'rate by level in one namespace',
    query: 'sum by (detected_level) (rate({namespace="shop"}[5m])) * 300',
    kind: 'range',
    parameters: { step: '5m' },
    expected: ({ linesByApp }) =>
      ['checkout', 'payments', 'catalog', 'orders'].reduce((sum, app) => sum + (linesByApp[app] ?? 0), 0),
    found: (answer) => Math.round(total(answer)),
  },
  {
    name: 'bytes by application, all streams',
    query: `sum by (app) (bytes_over_time(${all}[25h]))`,
    kind: 'instant',
    expected: (truth) => truth.bytes,
    found: total,
  },
  {
    name: 'json, status >= 500, by status',
    query: 'sum by (status) (count_over_time({app="payments"} | json | status >= 500 [25h]))',
    kind: 'instant',
    expected: ({ paymentsByStatus }) =>
      Object.entries(paymentsByStatus).reduce((sum, [status, count]) => sum + (Number(status) >= 500 ? count : 0), 0),
    found: total,
  },
  countOf('count of a word in 1 %', ' |= "timeout" ', (truth) => truth.linesWith['timeout'] ?? 0),
  countOf('count of a substring inside words', ' |= "ord" ', (truth) => truth.linesWith['ord'] ?? 0),
  countOf(
    'regular expression over everything, count',
    ' |~ "dead[a-z]+ne" ',
    (truth) => truth.linesWith['deadline'] ?? 0,
  ),
]

/** The text of a query; one of them needs to know the data. */
export function textOf({ name, query }: BenchQuery, truth: Truth): string {
  if (!name.startsWith('one trace id')) return query
  return `sum(count_over_time(${all} | trace_id="${truth.traceId}" [25h]))`
}
