import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { BadRequest } from './errors.ts'
import { quoteGo, unquoteGo } from './go-quote.ts'

test('quotes as Go does', () => {
  const table: readonly (readonly [string, string])[] = [
    ['', '""'],
    ['plain text', '"plain text"'],
    ['say "hi" \\ bye', '"say \\"hi\\" \\\\ bye"'],
    ['\x07\b\f\n\r\t\v', '"\\a\\b\\f\\n\\r\\t\\v"'],
    ['\x00\x1f\x7f', '"\\x00\\x1f\\x7f"'],
    ['größe 世界 😀', '"größe 世界 😀"'],
    ['\u00a0\u200b\u2028\ufeff', '"\\u00a0\\u200b\\u2028\\ufeff"'],
    ['\u{e0001}', '"\\U000e0001"'],
    ['\ufffd', '"\ufffd"'],
    ['a\ud800b', '"a\ufffdb"'],
    ["it's `raw`", '"it\'s `raw`"'],
  ]
  for (const [text, quoted] of table) assert.equal(quoteGo(text), quoted)
})

test('unquotes every form and escape', () => {
  const table: readonly (readonly [string, string])[] = [
    ['""', ''],
    ["'single ones'", 'single ones'],
    ['`raw \\n "x" \n y`', 'raw \\n "x" \n y'],
    ['"\\a\\b\\f\\n\\r\\t\\v\\\\\\""', '\x07\b\f\n\r\t\v\\"'],
    ["'\\''", "'"],
    ['"\\x41\\101\\u00e9\\U0001F600"', 'AAé😀'],
    ['"\\xe4\\xb8\\x96"', '世'],
    ['"\\344\\270\\226!"', '世!'],
    ['"a\\xffb"', 'a\ufffdb'],
    ['"it\'s"', "it's"],
  ]
  for (const [literal, text] of table) assert.equal(unquoteGo(literal), text, literal)
})

test('refuses what is no literal', () => {
  const bad = [
    '',
    '"',
    'x',
    '"a',
    'a"',
    '"a\'',
    '"a"b"',
    '"a\nb"',
    '"\\q"',
    '"\\x4"',
    '"\\x4g"',
    '"\\u12"',
    '"\\ud800"',
  ]
  const more = ['"\\U00110000"', '"\\400"', '"\\8"', '"\\\'"', "'\\\"'", '`a`b`', '"\\"', '"\\12"']
  for (const literal of [...bad, ...more]) {
    assert.throws(
      () => unquoteGo(literal),
      (error) => error instanceof BadRequest && error.message === 'invalid syntax',
      literal,
    )
  }
})

test('unquote undoes quote', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      assert.equal(unquoteGo(quoteGo(text)), text.toWellFormed())
    }),
  )
})
