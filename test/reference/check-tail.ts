/** Whether the answer to a log query with `distinct` or `sort` is one that the reference allows. */
import assert from 'node:assert/strict'
import type { DistinctNode, SortNode, StageNode } from '#/logs/logql/ast/stage-nodes.ts'
import { formatLabels } from '#/logs/model/labels.ts'
import type { Direction, ResultStream } from '#/logs/wire/query.ts'
import { rowText, textOf, type ExpectedRow } from './log-rows.ts'
import { toNumber } from './evaluate/conversions.ts'

export type Tail = {
  readonly distinct: DistinctNode | undefined
  readonly sort: SortNode | undefined
  readonly limit: number | undefined
}

export function tailOf(stages: readonly StageNode[]): Tail {
  return {
    distinct: stages.find((stage) => stage.kind === 'distinct'),
    sort: stages.find((stage) => stage.kind === 'sort'),
    limit: stages.find((stage) => stage.kind === 'limit')?.count,
  }
}

type Asked = Tail & { readonly direction: Direction; readonly limit: number }

/**
 * `ordered` are all rows in the direction of the query. Where several rows of one time could stand for a combination of values, or
 * be the last ones before the limit, any of them may.
 * @throws AssertionError
 */
export function checkTail(
  streams: readonly ResultStream[],
  ordered: readonly ExpectedRow[],
  asked: Asked,
): 'rows' | 'empty' | 'undecided' {
  const keyOf = ({ fields }: ExpectedRow): string =>
    JSON.stringify((asked.distinct?.labels ?? []).map((name) => fields[name] ?? ''))
  const groups = asked.distinct ? [...Map.groupBy(ordered, keyOf).values()] : ordered.map((row) => [row])
  const candidates = groups.map((rows) => rows.filter(({ timeNs }) => timeNs === rows[0]!.timeNs))
  const rankOf = (row: ExpectedRow): SortRank => sortRank(asked.sort, row.fields)
  if (candidates.some((rows) => rows.some((row) => compareRanks(rankOf(row), rankOf(rows[0]!), asked) !== 0)))
    return 'undecided'
  const wanted = candidates
    .map((rows) => rows[0]!)
    .toSorted((a, b) => compareRows(a, b, asked))
    .slice(0, asked.limit)
  const byText = Map.groupBy(candidates.flat(), rowText)
  const found = streams.map(({ labels, entries }) =>
    entries.map(({ timeNs, line }) => {
      const row = byText.get(rowText({ timeNs, labels: textOf(labels), line: line.toString() }))?.[0]
      assert(row, `${formatLabels(labels)} ${line.toString()} is a row that could be chosen`)
      return row
    }),
  )
  const place = (row: ExpectedRow): string => JSON.stringify([rankOf(row), String(row.timeNs)])
  assert.deepEqual(found.flat().map(place).toSorted(), wanted.map(place).toSorted(), 'places of the rows')
  if (asked.distinct) assert.equal(new Set(found.flat().map(keyOf)).size, found.flat().length, 'distinct rows')
  for (const rows of found)
    assert(
      isSorted(rows, (a, b) => compareRows(a, b, asked)),
      'order within a stream',
    )
  const isStreamOrder = asked.sort
    ? isSorted(
        found.map((rows) => rows[0]!),
        (a, b) => compareRows(a, b, asked),
      )
    : isSorted(
        streams.map(({ labels }) => formatLabels(labels)),
        (a, b) => Buffer.from(a).compare(Buffer.from(b)),
      )
  assert(isStreamOrder, 'order of the streams')
  return wanted.length > 0 ? 'rows' : 'empty'
}

function isSorted<T>(items: readonly T[], compare: (a: T, b: T) => number): boolean {
  return items.every((item, at) => at === 0 || compare(items[at - 1]!, item) <= 0)
}

/** Numbers, then NaN, then other texts, then nothing; each with what orders it among its kind. */
type SortRank = readonly [kind: number, value: number, text: string]

function sortRank(sort: SortNode | undefined, fields: ExpectedRow['fields']): SortRank {
  const text = sort === undefined ? '' : (fields[sort.label] ?? '')
  if (text === '') return [3, 0, '']
  const number = toNumber(text)
  if (number === undefined) return [2, 0, text]
  return Number.isNaN(number) ? [1, 0, ''] : [0, number, '']
}

function compareRanks(a: SortRank, b: SortRank, { sort }: Asked): number {
  if (a[0] !== b[0]) return a[0] - b[0]
  const order = a[1] < b[1] ? -1 : a[1] > b[1] ? 1 : Buffer.from(a[2]).compare(Buffer.from(b[2]))
  return sort?.descending ? -order : order
}

function compareRows(a: ExpectedRow, b: ExpectedRow, asked: Asked): number {
  const order = compareRanks(sortRank(asked.sort, a.fields), sortRank(asked.sort, b.fields), asked)
  const forward = a.timeNs < b.timeNs ? -1 : a.timeNs > b.timeNs ? 1 : 0
  return order || (asked.direction === 'forward' ? forward : -forward)
}
