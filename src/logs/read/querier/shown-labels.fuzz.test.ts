import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatLabels, sortLabels } from '#/logs/model/labels.ts'
import { LabelSetBuilder, labelsOfSet } from '#/logs/read/scan/label-sets.ts'
import type { Label } from '#/storage/index/label-index.ts'
import { ShownLabels } from './shown-labels.ts'

const text = fc.oneof(
  fc.constantFrom('a', 'b', 'c.d', '\u{1f600}', '\uff5e', 'q"'),
  fc.string({ minLength: 1, maxLength: 3 }),
)
const category = fc.constantFrom('stream', 'metadata', 'parsed')
const set = fc.uniqueArray(fc.tuple(text, text, category), { selector: ([name]) => name, maxLength: 6 })

test('labels of a set and their texts are those of the labels one by one', () => {
  fc.assert(
    fc.property(fc.array(set, { maxLength: 40 }), (sets) => {
      const builder = new LabelSetBuilder()
      const numbers = sets.map((own) =>
        builder.add({
          forEachLabel: (visit: (...label: (typeof own)[number]) => void) => own.forEach((label) => visit(...label)),
        } as unknown as Parameters<LabelSetBuilder['add']>[0]),
      )
      const table = builder.finish()
      const shown = new ShownLabels(table)
      for (const number of numbers) {
        const of = shown.of(number)
        const pick = (wanted?: string): Label[] =>
          sortLabels(
            labelsOfSet(table, number)
              .filter((label) => wanted === undefined || label.category === wanted)
              .map(({ name, value }): Label => [name, value]),
          )
        assert.deepEqual(
          [of.all, of.stream, of.structuredMetadata, of.parsed],
          [pick(), pick('stream'), pick('metadata'), pick('parsed')],
        )
        assert.deepEqual([of.allText, of.streamText], [formatLabels(pick()), formatLabels(pick('stream'))])
      }
    }),
  )
})
