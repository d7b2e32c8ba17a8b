import assert from 'node:assert/strict'
import { test } from 'node:test'

import { formatLabels } from '#/logs/model/labels.ts'
import { BlockResults } from '#/logs/read/cache/block-results.ts'
import { Caches } from '#/platform/memory/caches.ts'
import { MemoryBudget } from '#/platform/memory/memory-budget.ts'
import type { StreamRuns } from '#/storage/block/contents.ts'
import { LabelIndexEncoder } from '#/storage/index/label-index-format.ts'
import type { Labels } from '#/storage/index/label-index.ts'
import { openLabelIndex } from '#/storage/index/open-label-index.ts'
import { blockTotals, sumGroups, type BlockSource, type TotalsQuestion } from './block-totals.ts'

const streams: readonly Labels[] = [
  [
    ['app', 'a'],
    ['zone', 'x'],
  ],
  [
    ['app', 'b'],
    ['zone', 'x'],
  ],
  [
    ['app', 'a'],
    ['zone', 'y'],
  ],
  [['zone', 'x']],
]
const runs: StreamRuns = {
  pageEnds: Uint32Array.of(3, 6),
  stream: Uint32Array.of(0, 1, 3, 0, 2, 3),
  rowCount: Uint32Array.of(1, 2, 4, 8, 16, 32),
  rawBytes: Uint32Array.of(10, 20, 40, 80, 160, 320),
  lineBytes: Uint32Array.of(5, 6, 7, 8, 9, 4_000_000_000),
  minTime: new Float64Array(6),
  maxTime: new Float64Array(6),
}

function sourceOf(kept: StreamRuns): BlockSource {
  const encoder = new LabelIndexEncoder()
  for (const labels of streams) encoder.add(labels)
  const index = openLabelIndex(encoder.finish(), { origin: { file: 'f', offset: 0 }, formatText: formatLabels })
  return { id: 'block', showsTenant: false, index, data: { kind: 'block', block: { runs: kept } } } as never
}

function shown(found: ReturnType<typeof sumGroups>): Record<string, readonly (number | undefined)[]> {
  const texts = found!.labels.map((labels, i) => [formatLabels(labels), [found!.rows[i], found!.bytes?.[i]]] as const)
  return Object.fromEntries(texts)
}

const byApp: TotalsQuestion = { grouping: { kind: 'by', labels: ['app'] }, measure: 'line bytes' }

test('runs are added up by group', () => {
  assert.deepEqual(shown(sumGroups(sourceOf(runs), byApp, undefined)), {
    '{app="a"}': [25, 22],
    '{app="b"}': [2, 6],
    '{}': [36, 4_000_000_007],
  })
  const withoutApp: TotalsQuestion = { grouping: { kind: 'without', labels: ['app'] }, measure: 'raw bytes' }
  assert.deepEqual(shown(sumGroups(sourceOf(runs), withoutApp, undefined)), {
    '{zone="x"}': [47, 470],
    '{zone="y"}': [16, 160],
  })
  assert.deepEqual(shown(sumGroups(sourceOf(runs), { ...byApp, measure: 'rows' }, undefined))['{}'], [36, undefined])
})

test('those of streams that are wanted; a group without any is none', () => {
  assert.deepEqual(shown(sumGroups(sourceOf(runs), byApp, Uint8Array.of(0, 0, 1, 1))), {
    '{app="a"}': [16, 9],
    '{}': [36, 4_000_000_007],
  })
})

test('blocks that do not know the bytes of their lines do not tell', () => {
  const source = sourceOf({ ...runs, lineBytes: undefined })
  assert.equal(sumGroups(source, byApp, undefined), undefined)
  assert.equal(sumGroups(source, { ...byApp, measure: 'raw bytes' }, undefined)!.rows.length, 3)
})

test('totals of all streams are kept, each question on its own', () => {
  const results = new BlockResults(new Caches(new MemoryBudget(1e6)).part('results', 1e6))
  const questions = (['rows', 'line bytes', 'raw bytes'] as const).flatMap((measure) =>
    (['by', 'without'] as const).flatMap((kind) =>
      [['app'], ['app', 'zone'], ['zone'], []].map((labels) => ({ measure, grouping: { kind, labels } })),
    ),
  )
  const first = questions.map((question) => shown(blockTotals({ results }, sourceOf(runs), question)))
  const unread = new Proxy(runs, { get: () => assert.fail('runs are read once') })
  const again = questions.map((question) => shown(blockTotals({ results }, sourceOf(unread), question)))
  assert.deepEqual(again, first)
  assert.equal(new Set(first.map((totals) => JSON.stringify(totals))).size, 12)
  assert.throws(() => blockTotals({ results: undefined }, sourceOf(unread), byApp), /runs are read once/)
})
