/** Streams of sources with and without columns: those of blocks and of heads, and views of several tenants. */
import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { compareUtf8 } from '#/kernel/utf8.ts'
import { formatLabels } from '#/logs/model/labels.ts'
import { LabelIndexBuilder } from '#/storage/index/label-index-builder.ts'
import { LabelIndexEncoder } from '#/storage/index/label-index-format.ts'
import type { LabelIndex, Labels } from '#/storage/index/label-index.ts'
import { openLabelIndex } from '#/storage/index/open-label-index.ts'
import { SeenStreams } from './seen-streams.ts'
import { groupsOf } from './source-groups.ts'
import { withTenantLabel } from './tenant-labels.ts'

const value = fc.oneof(fc.constantFrom('a', 'ab', 'a"', 'é', '😀'), fc.string({ minLength: 1, maxLength: 3 }))
const sets = fc.uniqueArray(
  fc
    .dictionary(fc.constantFrom('app', 'pod', 'zone', 'ü', 'rare'), value)
    .map((labels): Labels => Object.entries(labels).sort(([a], [b]) => compareUtf8(a, b))),
  { maxLength: 40, selector: formatLabels },
)
const kinds = fc.constantFrom('head', 'block', 'tenant')

function indexOf(labels: readonly Labels[], kind: string): LabelIndex {
  if (kind === 'head') {
    const index = new LabelIndexBuilder()
    for (const one of labels) index.add(formatLabels(one), one)
    return index
  }
  const encoder = new LabelIndexEncoder()
  for (const one of labels) encoder.add(one)
  const sealed = openLabelIndex(encoder.finish(), { origin: { file: 'f', offset: 0 }, formatText: formatLabels })
  return kind === 'block' ? sealed : withTenantLabel(sealed, 'one')
}

/** Every second stream, or all of them. */
const someOf = (count: number, isAll: boolean): Uint32Array | undefined =>
  isAll ? undefined : Uint32Array.from({ length: count >> 1 }, (_, i) => i * 2)

test('of the streams of several sources each is kept once', () => {
  const source = fc.record({ labels: sets, kind: kinds, isAll: fc.boolean() })
  fc.assert(
    fc.property(fc.array(source, { maxLength: 4 }), (sources) => {
      const seen = new SeenStreams()
      const known: string[] = []
      for (const { labels, kind, isAll } of sources) {
        const index = indexOf(labels, kind)
        const ordinals = someOf(labels.length, isAll)
        seen.begin(index, ordinals)
        for (let i = 0; i < (ordinals?.length ?? labels.length); i++) {
          const text = index.text(ordinals?.[i] ?? i)
          assert.equal(seen.add(i), !known.includes(text))
          if (!known.includes(text)) known.push(text)
        }
      }
      assert.equal(seen.count, known.length)
      for (const [number, text] of known.entries()) assert.equal(formatLabels(seen.labelsOf(number)), text)
    }),
  )
})

test('a source with very many streams is no different', () => {
  const seen = new SeenStreams()
  const labels = Array.from({ length: 5000 }, (_, i): Labels => [['pod', `p${i}`]])
  for (const kind of ['head', 'block']) {
    seen.begin(indexOf(labels, kind), undefined)
    for (let stream = 0; stream < 5000; stream++) assert.equal(seen.add(stream), kind === 'head')
  }
  assert.equal(seen.count, 5000)
})

test('streams are of one group when they have the same of the labels that make groups', () => {
  const grouping = fc.record({
    kind: fc.constantFrom('by', 'without'),
    labels: fc.uniqueArray(fc.constantFrom('app', 'pod', 'zone', 'ü', 'rare', '__tenant_id__', 'absent')),
  })
  fc.assert(
    fc.property(sets, kinds, grouping, (labels, kind, { kind: by, labels: names }) => {
      const index = indexOf(labels, kind)
      const groups = groupsOf(index, { kind: by, labels: names })
      const expected = labels.map((_, stream) =>
        formatLabels(
          index.labels(stream).filter(([name]) => (names as readonly string[]).includes(name) === (by === 'by')),
        ),
      )
      assert.equal(groups.of.length, labels.length)
      for (const [stream, text] of expected.entries()) {
        assert(groups.of[stream]! < groups.count)
        assert.equal(formatLabels(groups.labelsOf(groups.of[stream]!)), text)
        // one number for each combination
        assert.equal(groups.of[stream], groups.of[expected.indexOf(text)])
      }
    }),
    { numRuns: 500 },
  )
})

test('groups of very many combinations of values', () => {
  const labels = Array.from({ length: 3000 }, (_, i): Labels => [
    ['a', `a${i % 60}`],
    ['b', `b${i >> 1}`],
    ['c', `c${i % 1500}`],
  ])
  const index = indexOf(labels, 'block')
  for (const [names, count] of [
    [['a', 'b'], 3000],
    [['a', 'c'], 1500],
    [['a', 'b', 'c'], 3000],
  ] as const) {
    const { of, labelsOf } = groupsOf(index, { kind: 'by', labels: names })
    assert.equal(new Set(of).size, count)
    for (const [stream, own] of labels.entries()) {
      assert.deepEqual(
        labelsOf(of[stream]!),
        own.filter(([name]) => (names as readonly string[]).includes(name)),
      )
    }
  }
})
