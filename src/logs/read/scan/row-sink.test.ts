import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { pageOf, pipelineOf, type FixtureEntry } from '#/logs/logql/pipeline/page-fixture.ts'
import { parseLabels } from '#/logs/model/labels.ts'
import type { LogPage } from '#/logs/store/log-page.ts'
import type { Direction } from '#/logs/wire/query.ts'
import { LabelIndexBuilder } from '#/storage/index/label-index-builder.ts'
import { RowSink } from './row-sink.ts'
import type { TailOrder } from './row-tail.ts'
import type { RowsResult, ScanCounts, ValuesResult } from './scan-job.ts'
import { StreamLabels } from './stream-labels.ts'
import { ValueSink } from './value-sink.ts'

type TestRow = FixtureEntry & { readonly stream: string; readonly time: number }

const counts: ScanCounts = { rows: 0, lineBytes: 0, metadataBytes: 0, passedRows: 0, filteredPages: 0 }

function pageFor(rows: readonly TestRow[]): { readonly page: LogPage; readonly labels: StreamLabels } {
  const index = new LabelIndexBuilder()
  const stream = Uint32Array.from(rows, (row) => index.add(row.stream, parseLabels(row.stream)))
  const page = { ...pageOf(rows), stream, time: Float64Array.from(rows, ({ time }) => time) }
  return { page, labels: new StreamLabels(index.coded()) }
}

type Options = { readonly stages?: string; readonly direction?: Direction; readonly limit?: number }

/** Lines that are kept, of one page for each list. */
function kept(pages: readonly (readonly TestRow[])[], tail: TailOrder, options: Options = {}): string[] {
  const { stages = '', direction = 'forward', limit = 10 } = options
  const sink = new RowSink({ kind: 'rows', limit, direction, tail })
  const pipeline = pipelineOf(stages)
  for (const [order, rows] of pages.entries()) {
    const { page, labels } = pageFor(rows)
    const entry = { page, row: 0, day: 0, streamLabels: [] }
    const all = Uint32Array.from(rows, (_, i) => i)
    sink.addPage({ page, labels, order, pipeline, entry }, all)
    if (!sink.keeps(order)) Object.assign(page, { lines: Buffer.alloc(0), stream: undefined })
  }
  return linesOf(sink.finish(pipeline, 0, counts))
}

const linesOf = ({ lines, lineStart, rowCount }: RowsResult): string[] =>
  Array.from({ length: rowCount }, (_, i) => Buffer.from(lines.subarray(lineStart[i], lineStart[i + 1])).toString())

const row = (time: number, line: string, stream = '{app="a"}', meta?: Record<string, string>): TestRow => ({
  time,
  line,
  stream,
  ...(meta && { meta }),
})

const byApp: TailOrder = { distinct: ['app'], sort: undefined }

test('one row stands for its stream, wherever in the page the first one in time is', () => {
  const page = [
    row(5, 'a5'),
    row(3, 'a3 first'),
    row(3, 'a3 second'),
    row(9, 'a9 first'),
    row(9, 'a9 second'),
    row(4, 'b4', '{app="b"}'),
    row(2, 'a2 of another pod', '{app="a", pod="x"}'),
  ]
  assert.deepEqual(kept([page], byApp), ['a2 of another pod', 'b4'])
  assert.deepEqual(kept([page.slice(0, 6)], byApp), ['a3 first', 'b4'])
  assert.deepEqual(kept([page], byApp, { direction: 'backward' }), ['a9 second', 'b4'])
  assert.deepEqual(kept([page], byApp, { limit: 1 }), ['a2 of another pod'])
})

test('metadata may tell the rows of a stream apart, also in conflict with a label of the stream', () => {
  const page = [
    row(1, 'first', '{app="a"}', { id: '1' }),
    row(2, 'second', '{app="a"}', { id: '2', app: 'other' }),
    row(3, 'third', '{app="a"}', { id: '1' }),
  ]
  assert.deepEqual(kept([page], { distinct: ['id'], sort: undefined }), ['first', 'second'])
  assert.deepEqual(kept([page], { distinct: ['app_extracted'], sort: undefined }), ['first', 'second'])
  assert.deepEqual(kept([page], byApp), ['first'])
})

test('pages in any order: a later page may have the earlier row of a combination', () => {
  const pages = [
    [row(5, 'id=1 late'), row(6, 'id=2')],
    [row(1, 'id=3'), row(2, 'id=1 early')],
  ]
  const byId: TailOrder = { distinct: ['id'], sort: undefined }
  assert.deepEqual(kept(pages, byId, { stages: '| logfmt' }), ['id=3', 'id=1 early', 'id=2'])
  assert.deepEqual(kept(pages, byId, { stages: '| logfmt', limit: 2 }), ['id=3', 'id=1 early'])
  assert.deepEqual(kept(pages, byId, { stages: '| logfmt', direction: 'backward' }), ['id=2', 'id=1 late', 'id=3'])
  const sorted: TailOrder = { distinct: undefined, sort: { label: 'id', descending: true } }
  assert.deepEqual(kept(pages, sorted, { stages: '| logfmt', limit: 3 }), ['id=3', 'id=2', 'id=1 early'])
})

test('the best rows of many pages, whether a page has few of them or many', () => {
  const page = fc.array(fc.tuple(fc.nat(50), fc.constantFrom('{app="a"}', '{app="b"}')), {
    minLength: 1,
    maxLength: 90,
  })
  const cases = fc.record({
    pages: fc.array(page, { maxLength: 5 }),
    limit: fc.constantFrom(1, 7, 40, 500),
    direction: fc.constantFrom<Direction>('forward', 'backward'),
    stages: fc.constantFrom('', '| logfmt | n!="3"'),
    step: fc.constantFrom(1, 3, 70),
  })
  const property = fc.property(cases, ({ pages, limit, direction, stages, step }) => {
    const sink = new RowSink({ kind: 'rows', limit, direction })
    const pipeline = pipelineOf(stages)
    const all: { readonly time: number; readonly place: number; readonly line: string }[] = []
    for (const [order, cells] of pages.entries()) {
      const rows = cells.map(([time, stream], i) => row(time, `n=${i % 5} order=${order} row=${i}`, stream))
      const wanted = Uint32Array.from(rows.keys()).filter((i) => i % step === 0)
      const { page: filled, labels } = pageFor(rows)
      sink.addPage(
        { page: filled, labels, order, pipeline, entry: { page: filled, row: 0, day: 0, streamLabels: [] } },
        wanted,
      )
      // another page has its memory now
      if (!sink.keeps(order)) Object.assign(filled, { lines: Buffer.alloc(0), stream: undefined, time: undefined })
      for (const i of wanted) {
        const passes = stages === '' || i % 5 !== 3
        if (passes) all.push({ time: rows[i]!.time, place: order * 1000 + i, line: String(rows[i]!.line) })
      }
    }
    const sign = direction === 'forward' ? 1 : -1
    const expected = all.toSorted((a, b) => sign * (a.time - b.time || a.place - b.place)).slice(0, limit)
    assert.deepEqual(
      linesOf(sink.finish(pipeline, 0, counts)),
      expected.map(({ line }) => line),
    )
  })
  fc.assert(property, { numRuns: 200 })
})

test('values: distinct, not empty, and no more than are asked for', () => {
  const rows = ['id=1', 'id=2', 'id=1', 'other=1', 'id=""', 'id=3', 'id=4 hidden=1'].map((line, i) => row(i, line))
  const found = (maxValues: number, maxBytes = 1000): ValuesResult & { isFull: boolean } => {
    const sink = new ValueSink({ kind: 'values', label: 'id', maxValues, maxBytes })
    const { page, labels } = pageFor(rows)
    const entry = { page, row: 0, day: 0, streamLabels: [] }
    const all = Uint32Array.from(rows, (_, i) => i)
    sink.addPage({ page, labels, pipeline: pipelineOf('| logfmt | hidden=""'), entry }, all)
    const result = sink.finish(counts)
    return { ...result, isFull: sink.isFull }
  }
  assert.deepEqual(found(10), { kind: 'values', counts, values: ['1', '2', '3'], isFull: false })
  assert.deepEqual(found(3), { kind: 'values', counts, values: ['1', '2', '3'], isFull: false })
  assert.deepEqual(found(1), { kind: 'values', counts, values: ['1', '2'], isFull: true })
  assert.deepEqual(found(10, 1), { kind: 'values', counts, values: ['1', '2'], isFull: true })
})
