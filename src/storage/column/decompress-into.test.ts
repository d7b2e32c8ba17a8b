import assert from 'node:assert/strict'
import test from 'node:test'
import { constants, zstdCompressSync } from 'node:zlib'
import fc from 'fast-check'
import { decompressAndCopy, decompressInto } from './decompress-into.ts'
import { ScratchBuffers } from './scratch-buffers.ts'

const compress = (raw: Uint8Array): Buffer =>
  zstdCompressSync(raw, { params: { [constants.ZSTD_c_compressionLevel]: 1 } })
const text = (size: number): Buffer =>
  Buffer.from('level=info msg="a line of a log" n=17 '.repeat(size / 30 + 1)).subarray(0, size)

for (const decompress of [decompressInto, decompressAndCopy]) {
  test(`${decompress.name} fills the front of the target`, () => {
    for (const size of [0, 1, 100, 70_000, 3_000_000]) {
      const target = Buffer.alloc(size + 10, 7)
      assert.equal(decompress(compress(text(size)), target), size)
      assert.ok(target.subarray(0, size).equals(text(size)))
      assert.deepEqual([...target.subarray(size)], Array<number>(10).fill(7))
    }
  })

  test(`${decompress.name} refuses what is not one frame that fits, and works again afterwards`, () => {
    const frame = compress(text(70_000))
    const target = Buffer.alloc(70_001)
    for (const bad of [
      frame.subarray(0, frame.length - 5),
      frame.subarray(4),
      Buffer.concat([frame, Buffer.from('more')]),
      Buffer.from('not zstd at all'),
      compress(text(70_001)),
      compress(text(90_000)),
    ]) {
      let size = -1
      try {
        size = decompress(bad, target)
      } catch {
        size = -1
      }
      // a truncated frame may give its beginning, and Node's own call overlooks bytes behind a frame: never other bytes
      if (size === 70_000) assert.ok(decompress === decompressAndCopy && target.subarray(0, size).equals(text(size)))
      assert.equal(decompress(frame, target), 70_000)
      assert.ok(target.subarray(0, 70_000).equals(text(70_000)))
    }
  })
}

test('flipped bytes never give the expected size and other bytes, or throw', () => {
  const raw = text(5000)
  const frame = compress(raw)
  fc.assert(
    fc.property(fc.nat(frame.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
      const bad = Buffer.from(frame)
      bad[at]! ^= flip
      const target = Buffer.alloc(5001)
      try {
        decompressInto(bad, target)
      } catch {
        // refused
      }
      assert.equal(decompressInto(frame, target), 5000)
      assert.ok(target.subarray(0, 5000).equals(raw))
    }),
  )
})

test('memory that is given back is used again, up to a limit', () => {
  const memory = new ScratchBuffers(1024 * 1024)
  const first = memory.take(300_000)
  assert.equal(first.length, 512 * 1024)
  memory.giveBack(first)
  assert.equal(memory.take(500_000), first)
  memory.giveBack(first)
  assert.notEqual(memory.take(600_000), first)
  memory.giveBack(memory.take(600_000))
  assert.equal(memory.idleBytes, 512 * 1024)
})
