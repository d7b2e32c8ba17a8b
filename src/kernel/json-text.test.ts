import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { unescapeJson, unescapeLogfmt } from './json-text.ts'
import { testSeed } from './fixture/test-seed.ts'

test(`what JSON.stringify escapes comes back (seed ${testSeed})`, () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      assert.equal(unescapeJson(JSON.stringify(text).slice(1, -1)), text)
      const everything = Array.from(text, (char) =>
        Array.from({ length: char.length }, (_, i) => `\\u${char.charCodeAt(i).toString(16).padStart(4, '0')}`).join(
          '',
        ),
      )
      assert.equal(unescapeJson(everything.join('')), text)
    }),
    { seed: testSeed, numRuns: 300 },
  )
})

test('wrong escapes are no text; lone surrogates are replaced', () => {
  for (const raw of ['\\', '\\x', '\\u12', '\\u12g4', 'a\\']) assert.equal(unescapeJson(raw), undefined, raw)
  assert.equal(unescapeJson('\\ud800x'), '\ufffdx')
  assert.equal(unescapeJson('\\/'), '/')
  assert.equal(unescapeJson("\\'"), undefined)
  assert.equal(unescapeLogfmt("it\\'s \\\\'"), "it's \\'")
})
