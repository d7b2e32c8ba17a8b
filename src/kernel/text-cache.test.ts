import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { TextCache } from './text-cache.ts'
import { testSeed } from './fixture/test-seed.ts'

test(`every range comes out as its own text, whatever was asked before (seed ${testSeed})`, () => {
  const cache = new TextCache()
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 20 }), fc.nat(3), (text, margin) => {
      const bytes = Buffer.from(`${'<'.repeat(margin)}${text}>`)
      assert.equal(cache.get(bytes, margin, bytes.length - 1), text)
    }),
    { seed: testSeed, numRuns: 2000 },
  )
})

test('many different texts push each other out and stay right', () => {
  const cache = new TextCache()
  const bytes = Buffer.from(Array.from({ length: 20_000 }, (_, i) => String(i).padStart(6, '0')).join(''))
  for (let round = 0; round < 2; round++) {
    for (let i = 0; i < 20_000; i++) assert.equal(cache.get(bytes, i * 6, i * 6 + 6), String(i).padStart(6, '0'))
  }
})

test('long texts, empty ones and bytes that are no UTF-8', () => {
  const cache = new TextCache()
  const long = 'x'.repeat(1000)
  assert.equal(cache.get(Buffer.from(long), 0, 1000), long)
  assert.equal(cache.get(Buffer.from('a'), 1, 1), '')
  assert.equal(cache.get(Buffer.from([0xff, 0x61]), 0, 2), '\ufffda')
})
