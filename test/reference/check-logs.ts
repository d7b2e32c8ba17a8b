/** Whether the answer to a log query is one that the reference allows. */
import assert from 'node:assert/strict'
import type { LogExpr } from '#/logs/logql/ast/nodes.ts'
import { formatLabels } from '#/logs/model/labels.ts'
import type { ResultStream } from '#/logs/wire/query.ts'
import { referenceRows } from './evaluate/log-query.ts'
import { expectedRow, rowText, textOf, type ExpectedRow, type FlatRow } from './log-rows.ts'
import { checkTail, tailOf } from './check-tail.ts'
import type { Entry } from './sources.ts'
import type { LogQuestion } from './question.ts'

export type LogOutcome = 'empty' | 'rows' | 'undecided'

/** @throws AssertionError */
export function checkLogs(
  streams: readonly ResultStream[],
  {
    expr,
    entries,
    question,
  }: { readonly expr: LogExpr; readonly entries: readonly Entry[]; readonly question: LogQuestion },
): LogOutcome {
  const { direction, limit, intervalNs } = question
  const { startNs, endNs } = question
  const within = entries.filter(({ timeNs }) => timeNs >= startNs && timeNs < endNs)
  const rows = referenceRows(expr, within).map(expectedRow)
  const ordered = direction === 'forward' ? rows : rows.toReversed()
  const found = streams.flatMap(({ labels, entries: own }) =>
    own.map(({ timeNs, line }): FlatRow => ({ timeNs, labels: textOf(labels), line: line.toString() })),
  )
  const tail = tailOf(expr.stages)
  if (tail.distinct || tail.sort)
    return checkTail(streams, ordered, { ...tail, direction, limit: Math.min(limit, tail.limit ?? limit) })
  checkTimes(streams, direction)
  checkStreamOrder(streams)
  if (intervalNs > 0n) checkThinned(found, ordered, question)
  else {
    checkLimited(found, ordered, Math.min(limit, tail.limit ?? limit))
    checkTieOrder(streams, ordered)
  }
  return found.length === 0 ? 'empty' : 'rows'
}

function checkTimes(streams: readonly ResultStream[], direction: string): void {
  for (const { entries } of streams) {
    const times = entries.map(({ timeNs }) => timeNs)
    const sorted = times.toSorted((a, b) => Number(direction === 'forward' ? a - b : b - a))
    assert.deepEqual(times, sorted, 'entries of a stream in the order of time')
  }
}

function checkStreamOrder(streams: readonly ResultStream[]): void {
  const texts = streams.map(({ labels }) => formatLabels(labels))
  assert.deepEqual(
    texts,
    texts.toSorted((a, b) => Buffer.from(a).compare(Buffer.from(b))),
    'streams in the order of their labels',
  )
}

/** The first `limit` rows; which of the last time are cut off is open. */
function checkLimited(found: readonly FlatRow[], expected: readonly FlatRow[], limit: number): void {
  const lastNs = expected[limit - 1]?.timeNs
  const certain = (all: readonly FlatRow[]): string[] =>
    all
      .filter(({ timeNs }) => timeNs !== lastNs)
      .map(rowText)
      .toSorted()
  assert.deepEqual(certain(found), certain(expected.slice(0, limit)), 'rows before the cut')
  assert.equal(found.length, Math.min(limit, expected.length), 'number of rows')
  const ties = expected.filter(({ timeNs }) => timeNs === lastNs).map(rowText)
  for (const row of found.filter(({ timeNs }) => timeNs === lastNs)) {
    const at = ties.indexOf(rowText(row))
    assert(at >= 0, `${rowText(row)} is a row of the last time`)
    ties.splice(at, 1)
  }
}

/** In a result stream that stems from one stored stream, entries of one time keep the order of insertion, reversed when backward. */
function checkTieOrder(streams: readonly ResultStream[], ordered: readonly ExpectedRow[]): void {
  for (const { labels, entries } of streams) {
    const text = textOf(labels)
    const own = ordered.filter((row) => row.labels === text)
    const isOneStream = own.every(({ stored }) => stored === own[0]!.stored)
    // streams that differ in nothing but details of errors
    if (!isOneStream || streams.filter((stream) => textOf(stream.labels) === text).length > 1) continue
    const found = entries.map(({ timeNs, line }) => `${timeNs} ${line.toString()}`)
    const expected = own.slice(0, found.length).map(({ timeNs, line }) => `${timeNs} ${line}`)
    assert.deepEqual(found, expected, 'order within a stream')
  }
}

/** At each time that is at least the interval away from the one before, one of its rows. */
function checkThinned(
  found: readonly FlatRow[],
  ordered: readonly FlatRow[],
  { intervalNs, limit }: LogQuestion,
): void {
  const times: bigint[] = []
  for (const { timeNs } of ordered) {
    const last = times.at(-1)
    const distance = last === undefined ? intervalNs : timeNs > last ? timeNs - last : last - timeNs
    if (distance >= intervalNs && times.length < limit) times.push(timeNs)
  }
  assert.deepEqual(
    found.map(({ timeNs }) => timeNs).toSorted((a, b) => Number(a - b)),
    times.toSorted((a, b) => Number(a - b)),
    'times of thinned rows',
  )
  const all = new Set(ordered.map(rowText))
  for (const row of found) assert(all.has(rowText(row)), `${rowText(row)} is a row`)
}
