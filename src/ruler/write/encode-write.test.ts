import assert from 'node:assert/strict'
import { test } from 'node:test'

import { uncompressSync } from 'snappy'

import { encodeWriteProtobuf, encodeWriteRequest } from './encode-write.ts'

const sample = {
  labels: [
    ['__name__', 'm'],
    ['a', 'é'],
  ],
  value: 1.5,
  timeMs: 300,
} as const

test('the bytes of a message', () => {
  const hex =
    // timeseries: two labels and a sample
    '0a26' + '0a0d0a085f5f6e616d655f5f12016d' + '0a070a01611202c3a9' + '120c' + '09000000000000f83f' + '10ac02'
  assert.equal(encodeWriteProtobuf([sample]).toString('hex'), hex)
})

test('the end of a series is a NaN of its own', () => {
  const bytes = encodeWriteProtobuf([{ ...sample, isStale: true }])
  assert.ok(bytes.toString('hex').includes('09020000000000f07f'))
})

test('several series, compressed', () => {
  const one = encodeWriteProtobuf([sample])
  assert.deepEqual(uncompressSync(encodeWriteRequest([sample, sample])), Buffer.concat([one, one]))
})
