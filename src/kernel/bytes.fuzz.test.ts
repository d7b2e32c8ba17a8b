import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { ByteDictionary, DICTIONARY_FULL } from './byte-dictionary.ts'
import { ByteReader } from './byte-reader.ts'
import { ByteWriter } from './byte-writer.ts'
import { crc32 } from './crc32.ts'
import { Corruption } from './errors.ts'
import { uvarintSize } from './varint.ts'

const origin = { file: 'f', offset: 100 }
const integers = fc.oneof(
  fc.maxSafeNat(),
  fc.nat(300),
  fc.constantFrom(0, 127, 128, 2 ** 31, 2 ** 32, Number.MAX_SAFE_INTEGER),
)

test('whatever is written is read, in order', () => {
  const item = fc.oneof(
    fc.record({ kind: fc.constant('uvarint' as const), value: integers }),
    fc.record({ kind: fc.constant('u64' as const), value: integers }),
    fc.record({ kind: fc.constant('svarint' as const), value: fc.integer({ min: -(2 ** 52) + 1, max: 2 ** 52 - 1 }) }),
    fc.record({ kind: fc.constant('u8' as const), value: fc.nat(255) }),
    fc.record({ kind: fc.constant('u16' as const), value: fc.nat(65_535) }),
    fc.record({ kind: fc.constant('u32' as const), value: fc.nat(0xffff_ffff) }),
    fc.record({ kind: fc.constant('f64' as const), value: fc.double() }),
    fc.record({ kind: fc.constant('text' as const), value: fc.string({ unit: 'grapheme' }) }),
  )
  fc.assert(
    fc.property(fc.array(item), (items) => {
      const out = new ByteWriter(1)
      for (const { kind, value } of items) (out[kind] as (value: unknown) => void)(value)
      assert.equal(out.written.length, out.size)
      const reader = new ByteReader(out.copy(), origin)
      for (const { kind, value } of items) assert.deepEqual(reader[kind](), value, kind)
      reader.end()
    }),
  )
})

test('a uvarint has the size that is told beforehand', () => {
  fc.assert(
    fc.property(integers, (value) => {
      const out = new ByteWriter()
      out.uvarint(value)
      assert.equal(out.size, uvarintSize(value))
    }),
  )
})

test('reading beyond the end, or a number beyond 2^53, is corruption at that place', () => {
  const reader = new ByteReader(Buffer.of(1, 2, 3), origin)
  reader.u8()
  assert.throws(
    () => reader.u32(),
    (error) => error instanceof Corruption && error.file === 'f' && error.offset === 101,
  )
  assert.throws(() => reader.end(), /2 bytes too many/)
  assert.throws(() => new ByteReader(Buffer.alloc(9, 0xff), origin).uvarint(), Corruption)
  assert.throws(() => new ByteReader(Buffer.alloc(8, 0xff), origin).u64(), Corruption)
  assert.throws(() => new ByteReader(Buffer.of(0xff), origin).uvarint(), Corruption)
  assert.throws(() => new ByteReader(Buffer.of(9), origin).count(8, 'things'), /things 9 exceeds 8/)
})

test('crc32 is the IEEE one, and can be taken in parts', () => {
  assert.equal(crc32(Buffer.from('123456789')), 0xcbf43926)
  assert.equal(crc32(Buffer.from('6789'), crc32(Buffer.from('12345'))), 0xcbf43926)
})

test('a byte dictionary numbers distinct values in order of arrival', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ maxLength: 3 })), (texts) => {
      const dictionary = new ByteDictionary({ maxCount: 1000, maxBytes: 10_000 })
      const distinct = [...new Set(texts)]
      for (const text of texts) {
        const source = Buffer.from(`<${text}>`)
        assert.equal(dictionary.codeOf(source, 1, source.length - 1), distinct.indexOf(text))
      }
      assert.equal(dictionary.count, distinct.length)
      for (const [code, text] of distinct.entries()) assert.equal(dictionary.valueAt(code).toString(), text)
      assert.equal(dictionary.bytes.toString(), distinct.join(''))
    }),
  )
})

test('a full byte dictionary still knows what it has, and is empty after clear', () => {
  const dictionary = new ByteDictionary({ maxCount: 2, maxBytes: 5 })
  const source = Buffer.from('aaabbbcc')
  assert.equal(dictionary.codeOf(source, 0, 3), 0)
  assert.equal(dictionary.codeOf(source, 3, 6), DICTIONARY_FULL, 'no room for the bytes')
  assert.equal(dictionary.codeOf(source, 6, 8), 1)
  assert.equal(dictionary.codeOf(source, 0, 1), DICTIONARY_FULL, 'no room for a third')
  assert.equal(dictionary.codeOf(source, 0, 3), 0)
  dictionary.clear()
  assert.equal(dictionary.count, 0)
  assert.equal(dictionary.codeOf(source, 6, 8), 0)
})
