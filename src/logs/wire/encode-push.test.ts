import assert from 'node:assert/strict'
import { test } from 'node:test'
import { uncompressSync } from 'snappy'
import { encodePush, encodePushJson, encodePushProtobuf } from './encode-push.ts'

test('the protobuf of a push, byte by byte', () => {
  const message = encodePushProtobuf([
    {
      labels: '{a="b"}',
      entries: [
        { timeNs: 1_000_000_002n, line: 'x', metadata: [['k', 'v']] },
        { timeNs: -1n, line: Buffer.from([0xff]) },
        { timeNs: 0n, line: '' },
      ],
    },
  ])
  const expected = [
    '0a3a',
    '0a07 7b613d2262227d',
    '1211 0a04 0801 1002 1201 78 1a06 0a01 6b 1201 76',
    '1216 0a11 08ffffffffffffffffff01 10ff93ebdc03 1201 ff',
    '1204 0a00 1200',
  ]
  assert.equal(message.toString('hex'), expected.join('').replaceAll(' ', ''))
  assert.deepEqual(encodePushProtobuf([]), Buffer.alloc(0))
})

test('lengths of every size', () => {
  for (const length of [0, 1, 127, 128, 16_383, 16_384, 2_097_152]) {
    const line = 'é'.repeat(length)
    const asText = encodePushProtobuf([{ labels: '{}', entries: [{ timeNs: 1n, line }] }])
    const asBytes = encodePushProtobuf([{ labels: '{}', entries: [{ timeNs: 1n, line: Buffer.from(line) }] }])
    assert.ok(asText.equals(asBytes))
    assert.ok(asText.subarray(-2 * length || asText.length).equals(Buffer.from(line)))
  }
})

test('the body is one snappy block', () => {
  const streams = [{ labels: '{a="b"}', entries: [{ timeNs: 5n, line: 'x' }] }]
  assert.deepEqual(uncompressSync(encodePush(streams)), encodePushProtobuf(streams))
})

test('the JSON of a push', () => {
  const body = encodePushJson([
    {
      labels: [['a', 'b']],
      entries: [
        { timeNs: 1n, line: 'x"' },
        { timeNs: 2n, line: Buffer.from('y'), metadata: [['k', 'v']] },
      ],
    },
  ])
  assert.equal(body.toString(), '{"streams":[{"stream":{"a":"b"},"values":[["1","x\\""],["2","y",{"k":"v"}]]}]}')
})
