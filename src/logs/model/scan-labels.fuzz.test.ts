/** The scanner of the index and the parser of label sets must agree about every text. */
import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { formatLabels, parseLabels } from './labels.ts'
import { asDataView } from '#/kernel/byte-reader.ts'
import type { Labels } from '#/storage/index/label-index.ts'
import { LabelIndexBuilder } from '#/storage/index/label-index-builder.ts'
import { labelRanges, scanLabels } from '#/storage/index/scan-labels.ts'
import { hashText } from '#/storage/index/text-hash.ts'

const name = fc.oneof(fc.stringMatching(/^[a-zA-Z_][a-zA-Z0-9_]{0,3}$/), fc.constantFrom('a.b', 'ü', 'a'))
const value = fc.oneof(
  fc.string({ minLength: 1, maxLength: 4, unit: 'binary' }),
  fc.constantFrom('x"y', 'a\\b', '\n', '}', ', b="c"'),
)
const canonical = fc
  .uniqueArray(fc.tuple(name, value), { minLength: 1, maxLength: 90, selector: ([own]) => own })
  .map((labels) => formatLabels(labels.map(([own, text]) => [own, text.toWellFormed()] as const)))
/** Nearly canonical: something is left out, put in or exchanged. */
const broken = fc
  .tuple(canonical, fc.nat(), fc.constantFrom('', ' ', '"', ',', '}', '{', '=', 'a', '\\', 'z="1", a="2"'), fc.nat(2))
  .map(([text, at, put, cut]) => text.slice(0, at % text.length) + put + text.slice((at % text.length) + cut))
  .map((text) => text.toWellFormed())

function scanned(text: string): Labels | undefined {
  const bytes = Buffer.from(`??${text}!`)
  const count = scanLabels(bytes, 2, bytes.length - 1)
  if (count < 0) return undefined
  const ranges = labelRanges().slice(0, count * 4)
  const cut = (i: number): string => bytes.toString('utf8', ranges[i], ranges[i + 1])
  return Array.from({ length: count }, (_, i) => [cut(i * 4), cut(i * 4 + 2)])
}

test('what the scanner reads is what the parser reads', () => {
  fc.assert(
    fc.property(fc.oneof(canonical, broken), (text) => {
      const labels = scanned(text)
      if (labels === undefined) return
      assert.deepEqual(parseLabels(text), labels)
      assert.equal(formatLabels(labels), text, 'and the text is canonical')
    }),
    { numRuns: 1000 },
  )
})

test('the usual form is read without the parser', () => {
  assert.deepEqual(scanned('{app="x", pod="x-1 ü"}'), [
    ['app', 'x'],
    ['pod', 'x-1 ü'],
  ])
  for (const text of [
    '{}',
    '{app="x",pod="y"}',
    '{pod="x", app="y"}',
    '{app=""}',
    '{app="x"',
    '{app="x", }',
    '{"a.b"="x"}',
    'app',
  ]) {
    assert.equal(scanned(text), undefined, text)
  }
})

test('an index that is given bytes is the one that is given labels', () => {
  fc.assert(
    fc.property(fc.uniqueArray(canonical, { maxLength: 20 }), (texts) => {
      const byBytes = new LabelIndexBuilder()
      const byLabels = new LabelIndexBuilder()
      for (const [ordinal, text] of texts.entries()) {
        const bytes = Buffer.from(`..${text}`)
        const view = asDataView(bytes)
        const hash = hashText(view, 2, bytes.length)
        assert.equal(byBytes.findBytes(hash, view, 2, bytes.length), -1)
        assert.equal(byBytes.addBytes(hash, { bytes, view }, 2, bytes.length, parseLabels), ordinal)
        assert.equal(byBytes.findBytes(hash, view, 2, bytes.length), ordinal)
        byLabels.add(text, parseLabels(text))
        assert.equal(byBytes.text(ordinal), text)
        assert.deepEqual(byBytes.labels(ordinal), parseLabels(text))
      }
      assert.deepEqual(byBytes.coded(), byLabels.coded())
      assert.deepEqual(byBytes.sharedTexts(), byLabels.sharedTexts())
    }),
  )
})
