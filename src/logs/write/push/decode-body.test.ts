import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deflateRawSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { compressFrameSync } from 'lz4-napi'
import { compressSync } from 'snappy'
import { decompress, decompressSnappy, type Compression } from './decode-body.ts'
import { BadRequest, TooLarge } from '#/kernel/errors.ts'

const limits = { maxCompressedBytes: 1_000_000, maxDecompressedBytes: 1_000_000 }
const small = Buffer.from('some text that repeats, some text that repeats')
/** Does not compress, so that it takes the way of large bodies. */
const large = Buffer.from(Array.from({ length: 100_000 }, (_, index) => (Math.imul(index, 2654435761) >>> 13) & 255))
const compressors: Readonly<Record<Compression, (data: Buffer) => Buffer>> = {
  none: (data) => data,
  gzip: (data) => gzipSync(data),
  deflate: (data) => deflateRawSync(data),
  zstd: (data) => zstdCompressSync(data),
  lz4: (data) => compressFrameSync(data),
}

for (const [name, compress] of Object.entries(compressors)) {
  const compression = name as Compression
  test(`${name}: what was compressed comes out again`, async () => {
    assert.deepEqual(await decompress(compress(small), compression, limits), small)
    assert.deepEqual(await decompress(compress(large), compression, limits), large)
  })

  test(`${name}: a bomb stops at the limit`, async () => {
    const bomb = compress(Buffer.alloc(5_000_000))
    const expected = (error: unknown): boolean =>
      error instanceof TooLarge &&
      /^request body too large: (decompressed )?message size too large than max \(\d+ vs 1000000\)$/.test(error.message)
    await assert.rejects(decompress(bomb, compression, limits), expected)
  })

  if (compression === 'none') continue
  test(`${name}: what was cut off or is something else is a bad request`, async () => {
    for (const data of [small, large]) {
      const body = compress(data)
      await assert.rejects(decompress(body.subarray(0, body.length - 12), compression, limits), BadRequest)
    }
    await assert.rejects(decompress(Buffer.from('not compressed at all'), compression, limits), BadRequest)
  })
}

test('a body beyond the limit is refused as it comes', async () => {
  await assert.rejects(
    decompress(Buffer.alloc(11), 'none', { maxCompressedBytes: 10, maxDecompressedBytes: 10 }),
    new TooLarge('request body too large: message size too large than max (11 vs 10)'),
  )
})

test('snappy', async () => {
  assert.deepEqual(await decompressSnappy(compressSync(small), limits), small)
  assert.deepEqual(await decompressSnappy(compressSync(Buffer.alloc(0)), limits), Buffer.alloc(0))
  const big = { maxCompressedBytes: 1e9, maxDecompressedBytes: 1e9 }
  assert.equal((await decompressSnappy(compressSync(Buffer.alloc(5_000_000)), big)).length, 5_000_000)
  await assert.rejects(
    decompressSnappy(compressSync(Buffer.alloc(5_000_000)), limits),
    new TooLarge('request body too large: decompressed message size too large than max (5000000 vs 1000000)'),
  )
})

test('snappy that lies or is cut off is a bad request, before anything is allocated', async () => {
  const whole = compressSync(large)
  const bad = [
    Buffer.alloc(0),
    Buffer.from([0x80]),
    Buffer.from([0xff, 0xff, 0xff, 0xff, 0x0f, 0x00]),
    Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0x01]),
    Buffer.from([0x05, 0x00]),
    Buffer.from('{"streams":[]}'),
    whole.subarray(0, whole.length - 1),
    whole.subarray(0, 10),
  ]
  for (const body of bad) {
    await assert.rejects(
      decompressSnappy(body, { ...limits, maxDecompressedBytes: 1e12 }),
      BadRequest,
      body.toString('hex', 0, 20),
    )
  }
})

test('lz4 frames are bounded by their headers', async () => {
  const frame = compressFrameSync(Buffer.alloc(500_000))
  assert.equal((await decompress(frame, 'lz4', limits)).length, 500_000)
  const bad = ['04224d18', '04224d180440', '04224d1864', '04224d1864b0a700000080', '04224d18c4b0a7']
  for (const hex of bad) await assert.rejects(decompress(Buffer.from(hex, 'hex'), 'lz4', limits), BadRequest, hex)
})
