import assert from 'node:assert/strict'
import { isUtf8 } from 'node:buffer'
import { test } from 'node:test'
import fc from 'fast-check'
import { compareUtf8, replaceInvalidUtf8, writeCodePoint } from './utf8.ts'

test('compares as the bytes do', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', 'é', '\ufb01', '\uffff', '😀', '𐀀') })
  fc.assert(
    fc.property(text, text, (left, right) => {
      assert.equal(Math.sign(compareUtf8(left, right)), Buffer.compare(Buffer.from(left), Buffer.from(right)))
    }),
  )
})

test('writes code points as Buffer does', () => {
  const points = [0, 0x41, 0x7f, 0x80, 0x7ff, 0x800, 0xd7ff, 0xe000, 0xffff, 0x10000, 0x10ffff]
  for (const point of points) {
    const target = Buffer.alloc(8)
    const end = writeCodePoint(target, 1, point)
    assert.deepEqual(target.subarray(1, end), Buffer.from(String.fromCodePoint(point)))
  }
  for (const point of [0xd800, 0xdfff, 0x110000]) {
    const target = Buffer.alloc(4)
    assert.equal(target.toString('utf8', 0, writeCodePoint(target, 0, point)), '\ufffd')
  }
})

test('overwrites exactly the invalid bytes', () => {
  const table: readonly (readonly [readonly number[], string])[] = [
    [[0x61, 0xff, 0x62], 'a b'],
    [[0xc0, 0x80], '  '],
    [[0xe2, 0x82], '  '],
    [[0xe2, 0x82, 0xac, 0xe2], '€ '],
    [[0xed, 0xa0, 0x80], '   '],
    [[0xf4, 0x90, 0x80, 0x80], '    '],
    [[0xf0, 0x9f, 0x98, 0x80], '😀'],
    [[0x80, 0x61], ' a'],
  ]
  for (const [bytes, text] of table) {
    const buffer = Buffer.from(bytes)
    replaceInvalidUtf8(buffer, 0, buffer.length, 0x20)
    assert.equal(buffer.toString(), text)
  }
})

test('the result is valid and a valid text stays as it is', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 24 }), fc.string({ unit: 'binary' }), (random, text) => {
      const bytes = Buffer.from(random)
      replaceInvalidUtf8(bytes, 0, bytes.length, 0x20)
      assert.ok(isUtf8(bytes))
      const valid = Buffer.from(text)
      const copy = Buffer.from(valid)
      replaceInvalidUtf8(valid, 0, valid.length, 0x20)
      assert.deepEqual(valid, copy)
    }),
    { numRuns: 1000 },
  )
})
