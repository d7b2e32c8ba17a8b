import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ByteTable, hashBytes } from './byte-table.ts'

const word = fc.oneof(
  fc.uint8Array({ maxLength: 12 }),
  fc.nat(3000).map((n) => Buffer.from(`u-${n}`)),
)

test('equal strings have one number, in order of arrival, and come back to the byte', () => {
  const table = new ByteTable()
  const property = fc.property(fc.array(word, { maxLength: 4000 }), (words) => {
    table.clear()
    const known = new Map<string, number>()
    for (const one of words) {
      const text = Buffer.from(one).toString('latin1')
      if (!known.has(text)) known.set(text, known.size)
      // somewhere in a larger buffer
      const source = Buffer.concat([Buffer.from('xyz'), one, Buffer.from('z')])
      assert.equal(table.codeOf(source, 3, 3 + one.length), known.get(text))
    }
    assert.equal(table.count, known.size)
    for (const [text, code] of known) {
      assert.equal(Buffer.from(table.bytes.subarray(table.startOf(code), table.endOf(code))).toString('latin1'), text)
      assert.equal(table.hashOf(code), hashBytes(Buffer.from(text, 'latin1'), 0, text.length))
    }
  })
  fc.assert(property, { numRuns: 30 })
})

test('hashes of like strings are spread over high and low bits', () => {
  const [high, low] = [new Set<number>(), new Set<number>()]
  for (let i = 0; i < 4096; i++) {
    const hash = hashBytes(Buffer.from(`user-${i}`), 0, 5 + String(i).length)
    high.add(hash >>> 20)
    low.add(hash & 4095)
  }
  // of 4096 places, chance leaves 63 % in use
  for (const places of [high, low]) assert.ok(places.size > 2400, `${places.size} places`)
})

test('what it holds is what it says', () => {
  const table = new ByteTable()
  const before = table.sizeBytes
  for (let i = 0; i < 100_000; i++) table.codeOf(Buffer.from(String(i)), 0, String(i).length)
  assert.ok(table.sizeBytes > before)
  assert.ok(table.sizeBytes < 100_000 * 40, `${table.sizeBytes} bytes`)
})
