import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'
import { compressSync, uncompressSync } from 'snappy'

import { decompressSnappyBlock, MAX_SNAPPY_BYTES } from './snappy-block.ts'

/** The size that a block claims, and how many bytes say so. */
function headOf(block: Uint8Array): { readonly size: number; readonly headBytes: number } {
  let size = 0
  for (let i = 0; i < 5 && i < block.length; i++) {
    size += (block[i]! & 127) * 2 ** (7 * i)
    if (block[i]! < 128) return { size, headBytes: i + 1 }
  }
  return { size: -1, headBytes: 0 }
}

function decompressed(block: Uint8Array): Buffer | undefined {
  const { size, headBytes } = headOf(block)
  if (size < 0 || size > MAX_SNAPPY_BYTES) return undefined
  // what was there before must not show through
  const content = Buffer.alloc(size, 0xee)
  return decompressSnappyBlock(block, headBytes, content) ? content : undefined
}

function native(block: Uint8Array): Buffer | undefined {
  try {
    return uncompressSync(Buffer.from(block)) as Buffer
  } catch {
    return undefined
  }
}

/** Repeats near and far, runs of one byte, and noise. */
const pieces = fc.array(
  fc.oneof(
    fc.uint8Array({ maxLength: 90 }),
    fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 9 }), fc.nat(300)).map(([unit, times]) => {
      const out = new Uint8Array(unit.length * times)
      for (let i = 0; i < times; i++) out.set(unit, i * unit.length)
      return out
    }),
    fc.constantFrom(
      ...['level=info msg="request done" status=200 ', '{"a":', 'GET /api/v1/items '].map((text) => Buffer.from(text)),
    ),
  ),
  { maxLength: 60 },
)

test('what the native library compresses comes back', () => {
  fc.assert(
    fc.property(pieces, (parts) => {
      const content = Buffer.concat(parts)
      assert.deepEqual(decompressed(compressSync(content) as Buffer), content)
    }),
    { numRuns: 2000 },
  )
})

test('the largest block, of noise and of one byte', () => {
  for (const content of [
    Buffer.alloc(MAX_SNAPPY_BYTES, 'a'),
    Buffer.from(Uint8Array.from({ length: MAX_SNAPPY_BYTES - 70_000 }, (_, i) => Math.imul(i, 2654435761) >>> 13)),
  ]) {
    const block = compressSync(content) as Buffer
    assert.ok(block.length <= MAX_SNAPPY_BYTES)
    assert.ok(decompressed(block)!.equals(content))
  }
})

test('damaged blocks are refused where the native library refuses them, and read as it reads them', () => {
  const damage = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 3 })
  fc.assert(
    fc.property(pieces, damage, fc.nat(20), (parts, changes, cut) => {
      const block = Buffer.from(compressSync(Buffer.concat(parts)) as Buffer)
      for (const [position, byte] of changes) block[position % block.length] = byte
      const damaged = block.subarray(0, Math.max(1, block.length - cut))
      if (headOf(damaged).size > MAX_SNAPPY_BYTES) return
      assert.deepEqual(decompressed(damaged), native(damaged))
    }),
    { numRuns: 3000 },
  )
})

test('tags by hand: lengths of 1 to 4 bytes, all kinds of copies, and what lies beyond the ends', () => {
  const literal = Buffer.from('abcdefgh')
  const block = (size: number, ...bytes: readonly number[]): number[] => [size, ...bytes]
  const plain = [7 << 2, ...literal]
  const cases: readonly (readonly [number[], string | undefined])[] = [
    [block(8, ...plain), 'abcdefgh'],
    [block(8, 60 << 2, 7, ...literal), 'abcdefgh'],
    [block(8, 61 << 2, 7, 0, ...literal), 'abcdefgh'],
    [block(8, 62 << 2, 7, 0, 0, ...literal), 'abcdefgh'],
    [block(8, 63 << 2, 7, 0, 0, 0, ...literal), 'abcdefgh'],
    [block(8, 63 << 2, 7, 0, 0, 255, ...literal), undefined],
    [block(12, ...plain, 1, 8), 'abcdefghabcd'],
    [block(12, ...plain, (3 << 2) | 2, 1, 0), 'abcdefghhhhh'],
    [block(12, ...plain, (3 << 2) | 3, 3, 0, 0, 0), 'abcdefghfghf'],
    [block(12, ...plain, 1, 9), undefined],
    [block(12, ...plain, 1, 0), undefined],
    [block(12, ...plain, (3 << 2) | 3, 3, 0, 0), undefined],
    [block(12, ...plain, (3 << 2) | 3, 0, 0, 0, 128), undefined],
    [block(11, ...plain, 1, 8), undefined],
    [block(13, ...plain, 1, 8), undefined],
    [block(0), ''],
    [block(1), undefined],
  ]
  for (const [bytes, expected] of cases) {
    const found = decompressed(Buffer.from(bytes))?.toString()
    assert.equal(found, expected, bytes.join(' '))
    assert.equal(native(Buffer.from(bytes))?.toString(), expected, `native: ${bytes.join(' ')}`)
  }
})
