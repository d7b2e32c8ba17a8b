import assert from 'node:assert/strict'
import { test } from 'node:test'

import type { LogPage } from '#/logs/store/log-page.ts'
import { divideSizes } from './divide-sizes.ts'
import type { ScanPage, SizesJob } from './scan-job.ts'

const time = Float64Array.of(5, 10, 10, 19, 20, 35, 3, 4, 40)
const lengths = [1, 2, 4, 8, 16, 32, 64, 128, 256]
const lineStart = Uint32Array.from([0, ...lengths.map((_, i) => lengths.slice(0, i + 1).reduce((a, b) => a + b, 0))])
const page = { rowCount: 9, time, lineStart, release: () => undefined } as unknown as LogPage

/** Two runs: rows 0 to 5 with 7 bytes of metadata, rows 6 to 8 with none. */
function divide(job: Partial<SizesJob>, own = {}): [run: number, bucket: number, bytes: number][] {
  const runs = {
    page: {} as ScanPage,
    firstRow: Uint32Array.of(0, 6),
    rowCount: Uint32Array.of(6, 3),
    rawBytes: Uint32Array.of(63 + 7, 448),
    ...own,
  }
  const buckets = { first: 3, originTime: 0, step: 10 }
  const { run, bucket, bytes, rowCount } = divideSizes(
    { kind: 'sizes', from: 0, to: 100, buckets, pages: [runs], ...job },
    () => page,
    () => undefined,
  )
  assert.equal(rowCount, 9)
  return [...run].map((one, i) => [one, bucket[i]!, bytes[i]!])
}

test('lines count in the bucket of their times, metadata evenly, and all of it once', () => {
  const cells = divide({})
  assert.deepEqual(cells, [
    [0, 3, 1 + 1],
    [0, 4, 14 + 4],
    [0, 5, 16 + 1],
    [0, 6, 32 + 1],
    [1, 3, 192],
    [1, 7, 256],
  ])
  assert.equal(
    cells.reduce((sum, [, , bytes]) => sum + bytes, 0),
    63 + 7 + 448,
  )
})

test('rows outside of the window do not count', () => {
  assert.deepEqual(
    divide({ from: 10, to: 20 }).map(([run, bucket, bytes]) => [run, bucket, bytes]),
    [[0, 4, 14 + 4]],
  )
  assert.deepEqual(divide({ from: 41, to: 50 }), [])
})

test('one bucket takes all', () => {
  assert.deepEqual(divide({ buckets: { first: 0, originTime: 0, step: Infinity } }), [
    [0, 0, 70],
    [1, 0, 448],
  ])
})

test('rows that are dropped do not count, nor does their metadata', () => {
  const dropped = new Uint8Array(new SharedArrayBuffer(2))
  dropped[0] = 0b1000_0010
  const rawBytes = Uint32Array.of(61 + 5, 320)
  assert.deepEqual(divide({ to: 40 }, { page: { dropped } as ScanPage, rawBytes }), [
    [0, 3, 1 + 1],
    [0, 4, 4 + 1],
    [0, 4, 8 + 1],
    [0, 5, 16 + 1],
    [0, 6, 32 + 1],
    [1, 3, 64],
  ])
})
