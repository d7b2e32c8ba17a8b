import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { LabelCategory } from '#/logs/logql/pipeline/row.ts'
import { MetaView } from '#/logs/logql/pipeline/stream-view.ts'
import { LabelSetBuilder, labelsOfSet, type SetLabel } from '#/logs/read/scan/label-sets.ts'
import type { RowsResult } from '#/logs/read/scan/scan-job.ts'
import type { LogPage } from '#/logs/store/log-page.ts'
import { completeRows } from './complete-rows.ts'
import type { Source } from './source.ts'
import type { FoundRow } from './top-rows.ts'

type Values = Readonly<Record<string, string>>

const name = fc.constantFrom('a', 'b', 'a_extracted', 'b_extracted', 'a_extracted_extracted')
const value = fc.constantFrom('1', '2', '3')
const values = fc.dictionary(name, value, { maxKeys: 4, noNullPrototype: true })
const row = fc.record({
  stream: fc.integer({ min: 0, max: 2 }),
  source: fc.boolean(),
  meta: values,
  parsed: fc.boolean(),
})

type OneRow = { readonly stream: number; readonly source: boolean; readonly meta: Values; readonly parsed: boolean }

/** What a scan says that knows the labels of the stream. */
function shown(stream: Values, { meta, parsed }: OneRow): string[] {
  const labels: string[] = []
  const add = (label: string, text: string, category: LabelCategory): void =>
    void labels.push(`${category} ${label} ${text}`)
  for (const [label, text] of Object.entries(stream)) add(label, text, 'stream')
  const page = { metaNames: Object.keys(meta), meta: (one: string) => ({ valueOf: () => meta[one] }) }
  const view = new MetaView()
  view.enter(page as unknown as LogPage)
  view.forEach(0, new Map(Object.entries(stream)), (label, text) => add(label, text, 'metadata'))
  if (parsed) add('__error__', 'x', 'parsed')
  return labels.sort()
}

function resultOf(rows: readonly OneRow[]): RowsResult {
  const sets = new LabelSetBuilder()
  const labelSet = Uint32Array.from(rows, ({ meta, parsed }) =>
    sets.add({
      forEachLabel: (visit: (label: string, text: string, category: LabelCategory) => void) => {
        for (const [label, text] of Object.entries(meta)) visit(label, text, 'metadata')
        if (parsed) visit('__error__', 'x', 'parsed')
      },
    } as Parameters<LabelSetBuilder['add']>[0]),
  )
  return {
    kind: 'rows',
    counts: { rows: 0, lineBytes: 0, metadataBytes: 0, passedRows: 0, filteredPages: 0 },
    rowCount: rows.length,
    time: Float64Array.from(rows.keys()),
    order: Uint32Array.from(rows, ({ source }) => Number(source)),
    row: Uint32Array.from(rows.keys()),
    lineStart: new Uint32Array(rows.length + 1),
    lines: new Uint8Array(0),
    labelSet,
    streams: Uint32Array.from(rows, ({ stream }) => stream),
    labelSets: sets.finish(),
  }
}

test('rows that are completed show what a scan shows that knows their streams', () => {
  const streamsOf = fc.tuple(values, values, values)
  fc.assert(
    fc.property(fc.tuple(streamsOf, streamsOf), fc.array(row, { maxLength: 12 }), (streams, rows) => {
      const sources = streams.map(
        (own) => ({ index: { labels: (ordinal: number) => Object.entries(own[ordinal]!) } }) as unknown as Source,
      )
      const result = resultOf(rows)
      // every second one is left out of the answer, the others stand the other way round
      const found: FoundRow[] = [...rows.keys()].filter((at) => at % 2 === 0).map((at) => ({ day: 0, result, at }))
      const completed = completeRows(found.toReversed(), ({ at }) => sources[Number(rows[at]!.source)]!)
      const texts = (set: readonly SetLabel[]): string[] =>
        set.map((label) => `${label.category} ${label.name} ${label.value}`).sort()
      assert.deepEqual(
        completed.rows.map(({ result: { labelSet, labelSets }, at }) => texts(labelsOfSet(labelSets, labelSet[at]!))),
        found.toReversed().map(({ at }) => shown(streams[Number(rows[at]!.source)]![rows[at]!.stream]!, rows[at]!)),
      )
      assert.ok(completed.rows.every(({ result: { streams: left } }) => left === undefined))
    }),
  )
})
