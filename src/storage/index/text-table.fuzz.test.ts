import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { sortTexts } from './sort-texts.ts'
import { hashText, isSameText } from './text-hash.ts'
import { copyTexts, hashesOf, hashTexts, TextList, TextTable, textAt, textsOf, textStart } from './text-table.ts'
import { asDataView } from '#/kernel/byte-reader.ts'
import { compareUtf8 } from '#/kernel/utf8.ts'
import { WorkMemoryPool } from '#/platform/memory/work-memory.ts'

/** Many texts begin alike, and some with all of another. */
const text = fc
  .tuple(
    fc.constantFrom('', 'a', '{app="x", pod="', '{app="x", pod="checkout-'),
    fc.string({ maxLength: 9, unit: 'binary' }),
  )
  .map((parts) => parts.join('').toWellFormed())
const texts = fc.array(text, { maxLength: 200 })

test('a table gives each text one number and finds no other, as a map of strings would', () => {
  fc.assert(
    fc.property(texts, fc.boolean(), (all, isShared) => {
      const table = new TextTable({ texts: 1, bytes: 1, isShared })
      const numbers = new Map<string, number>()
      const sent = hashTexts(all)
      for (const [i, one] of all.entries()) {
        const [hash, from, to] = [sent.hashes[i]!, textStart(sent, i), sent.ends[i]!]
        assert.equal(table.find(hash, sent.view, from, to), numbers.get(one) ?? -1)
        if (!numbers.has(one)) numbers.set(one, table.add(hash, sent.view, from, to))
      }
      assert.deepEqual(textsOf(table.texts), [...numbers.keys()])
      const likely = table.fetch(sent.hashes, 0, all.length)
      for (const [i, one] of all.entries()) assert.ok(likely[i] === 0 || textAt(table.texts, likely[i]! - 1) === one)
      for (const [one, number] of numbers) assert.equal(table.findText(one), number)
    }),
  )
})

test('a copy of texts keeps them when their memory is used again', () => {
  const pool = new WorkMemoryPool(1e6)
  const memory = pool.lease()
  const list = new TextList({ texts: 1, bytes: 1, memory })
  for (const one of ['one', '', 'three']) list.addText(one)
  const copy = copyTexts(list)
  memory.release()
  pool.lease().bytes(1000).fill(1)
  assert.deepEqual(textsOf(copy), ['one', '', 'three'])
  assert.deepEqual(copy.hashes, hashTexts(['one', '', 'three']).hashes.subarray(0, 3))
})

test('texts whose hashes agree are told apart', () => {
  const table = new TextTable()
  const sent = hashTexts(['one', 'two', 'three'])
  const place = (i: number): readonly [number, DataView, number, number] => [
    7,
    sent.view,
    textStart(sent, i),
    sent.ends[i]!,
  ]
  assert.deepEqual([table.add(...place(0)), table.add(...place(1))], [0, 1])
  assert.deepEqual([table.find(...place(0)), table.find(...place(1)), table.find(...place(2))], [0, 1, -1])
})

test('a hash depends on the bytes alone, wherever they stand, and on each of them', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), fc.nat(9), fc.nat(), (bytes, shift, at) => {
      const moved = Buffer.concat([Buffer.alloc(shift, 1), bytes, Buffer.alloc(3, 1)])
      const hash = hashText(asDataView(bytes), 0, bytes.length)
      assert.equal(hashText(asDataView(moved), shift, shift + bytes.length), hash)
      assert.ok(isSameText(asDataView(bytes), 0, asDataView(moved), shift, bytes.length))
      assert.ok(Number.isSafeInteger(hash) && hash >= 0)
      if (bytes.length === 0) return
      const other = bytes.with(at % bytes.length, bytes[at % bytes.length]! ^ 0x40)
      assert.notEqual(hashText(asDataView(other), 0, other.length), hash)
      assert.ok(!isSameText(asDataView(other), 0, asDataView(moved), shift, bytes.length))
    }),
  )
})

test('hashes of many like texts are different', () => {
  const all = Array.from(
    { length: 100_000 },
    (_, i) => `{app="checkout", cluster="prod", pod="checkout-${i.toString(16)}"}`,
  )
  assert.equal(new Set(hashTexts(all).hashes.subarray(0, all.length)).size, all.length)
})

test('what was taken from a list in shared memory stays as it was when the list grows', () => {
  const list = new TextList({ texts: 1, bytes: 4, isShared: true })
  list.addText('first')
  const { bytes, ends, view } = list
  for (let i = 0; i < 100; i++) list.addText(`${i}`)
  assert.equal(textAt({ bytes, ends }, 0), 'first')
  assert.deepEqual([...hashesOf(view, ends.slice(0, 1))], [list.hashes[0]])
})

test('texts are sorted by their bytes', () => {
  fc.assert(
    fc.property(texts, (all) => {
      const list = hashTexts(all)
      const order = Uint32Array.from(all, (_, i) => i)
      sortTexts(list, order)
      assert.deepEqual(
        Array.from(order, (number) => all[number]),
        all.toSorted(compareUtf8),
      )
      assert.equal(new Set(order).size, all.length)
    }),
  )
})

test('a part of many texts is sorted, those that go on behind the end of others included', () => {
  const all = Array.from(
    { length: 3000 },
    (_, i) => 'abcd'.repeat(i % 7) + 'z'.repeat(i % 5) + (i % 3 === 0 ? '\0' : '') + (i % 11),
  )
  const order = Uint32Array.from({ length: 1500 }, (_, i) => i * 2)
  sortTexts(hashTexts(all), order)
  const expected = Array.from({ length: 1500 }, (_, i) => all[i * 2]!).sort(compareUtf8)
  assert.deepEqual(
    Array.from(order, (number) => all[number]),
    expected,
  )
})
