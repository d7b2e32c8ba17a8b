import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { BadRequest } from '#/kernel/errors.ts'
import type { Label } from '#/storage/index/label-index.ts'
import { duplicateName, formatLabels, isLabelName, parseLabelPairs, parseLabels } from './labels.ts'

test('one set has one canonical text, however it was written', () => {
  const texts = [
    '{job="a", app="b c"}',
    '{app="b c",job="a"}',
    " { app = 'b c' , job = `a` , } ",
    '{app="b\\x20c",\n\tjob="\\u0061", gone=""}',
    '{"job"="a", "app"="b c"}',
  ]
  for (const text of texts) {
    assert.deepEqual(parseLabels(text), [
      ['app', 'b c'],
      ['job', 'a'],
    ])
    assert.equal(formatLabels(parseLabels(text)), '{app="b c", job="a"}')
  }
  assert.deepEqual(parseLabels('{}'), [])
  assert.equal(formatLabels([]), '{}')
})

test('names beyond the classic grammar are quoted in both directions', () => {
  assert.deepEqual(parseLabels('{"my.name"="x"}'), [['my.name', 'x']])
  assert.equal(formatLabels([['my.name', 'x']]), '{"my.name"="x"}')
  assert.ok(isLabelName('_a9') && !isLabelName('9a') && !isLabelName('a-b') && !isLabelName(''))
})

test('names sort by their bytes', () => {
  assert.equal(
    formatLabels([
      ['b', '1'],
      ['_', '2'],
      ['B', '3'],
      ['a', '4'],
    ]),
    '{B="3", _="2", a="4", b="1"}',
  )
  assert.equal(
    formatLabels([
      ['😀', '1'],
      ['\ufb01', '2'],
    ]),
    '{"\ufb01"="2", "😀"="1"}',
  )
})

test('errors say where and what', () => {
  const table: readonly (readonly [string, string])[] = [
    ['', '1:1: parse error: unexpected end of input in label set, expected "{"'],
    ['app="x"', '1:1: parse error: unexpected identifier "app" in label set, expected "{"'],
    ['{app=}', '1:6: parse error: unexpected "}" in label set, expected string'],
    ['{app}', '1:5: parse error: unexpected "}" in label set, expected "="'],
    ['{app-x="1"}', '1:5: parse error: unexpected "-" in label set, expected "="'],
    ['{9a="1"}', '1:2: parse error: unexpected "9" in label set, expected identifier or "}"'],
    ['{a="1" b="2"}', '1:8: parse error: unexpected identifier "b" in label set, expected "," or "}"'],
    ['{a="1",,}', '1:8: parse error: unexpected "," in label set, expected identifier or "}"'],
    ['{a="1"', '1:7: parse error: unexpected end of input in label set, expected "," or "}"'],
    ['{a="1}', '1:4: parse error: unexpected unterminated string in label set, expected string'],
    ['{a="\\q"}', '1:4: parse error: unexpected "\\"" in label set, expected a string with valid escapes'],
    ['{\n a=~"x"}', '2:4: parse error: unexpected "~" in label set, expected string'],
    ['{a="1"} x', '1:9: parse error: unexpected identifier "x" in label set, expected end of input'],
    ['{""="1"}', '1:4: parse error: unexpected "=" in label set, expected a label name that is not empty'],
    ['{a="1", a="2"}', "duplicate label name: 'a'"],
  ]
  for (const [text, message] of table) {
    assert.throws(
      () => parseLabels(text),
      (error) => error instanceof BadRequest && (assert.equal(error.message, message), true),
    )
  }
})

test('pairs keep duplicates, in the order given', () => {
  const pairs = parseLabelPairs('{b="1", a="2", b="3"}')
  assert.deepEqual(pairs, [
    ['a', '2'],
    ['b', '1'],
    ['b', '3'],
  ])
  assert.equal(duplicateName(pairs), 'b')
})

test('format and parse are inverse', () => {
  const name = fc.oneof(
    fc.stringMatching(/^[a-zA-Z_][a-zA-Z0-9_]{0,10}$/),
    fc.string({ unit: 'grapheme', minLength: 1 }),
  )
  const set = fc.uniqueArray(fc.tuple(name, fc.string({ unit: 'grapheme', minLength: 1 })), {
    selector: ([key]) => key,
  })
  fc.assert(
    fc.property(set, (labels) => {
      const text = formatLabels(labels as Label[])
      assert.equal(formatLabels(parseLabels(text)), text)
      assert.deepEqual(new Map(parseLabels(text)), new Map(labels))
    }),
  )
})

test('random text is parsed or refused, never anything else', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...Array.from('{}ab="\'`\\,x1- \n')) }), (text) => {
      try {
        parseLabels(text)
      } catch (error) {
        assert.ok(error instanceof BadRequest)
      }
    }),
    { numRuns: 2000 },
  )
})

test('a value of many megabytes is read', () => {
  const value = 'x\\n'.repeat(3_000_000)
  assert.equal(parseLabels(`{a="${value}"}`)[0]?.[1].length, 6_000_000)
})

test('the usual form is read as every other one', () => {
  const name = fc.stringMatching(/^[a-zA-Z_][a-zA-Z0-9_]{0,3}$/)
  const value = fc.oneof(fc.string(), fc.stringMatching(/^[ -!#-[\]-~]{0,8}$/))
  fc.assert(
    fc.property(fc.array(fc.tuple(name, value)), fc.constantFrom(', ', ','), (labels, comma) => {
      const text = `{${labels.map(([key, text]) => `${key}="${text.replaceAll(/["\\\n]/g, '')}"`).join(comma)}}`
      // a tab before a name is not usual
      assert.deepEqual(parseLabelPairs(text), parseLabelPairs(text.replace('{', '{\t')))
    }),
  )
})
