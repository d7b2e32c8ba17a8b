import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { BadRequest } from './errors.ts'
import { ProtobufCursor } from './protobuf-cursor.ts'

function varint(value: bigint): Buffer {
  const bytes: number[] = []
  let rest = BigInt.asUintN(64, value)
  for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80)
  return Buffer.from([...bytes, Number(rest)])
}

test('reads every int64 that a double holds', () => {
  fc.assert(
    fc.property(fc.maxSafeInteger(), (value) => {
      assert.equal(new ProtobufCursor(varint(BigInt(value))).int64(), value)
    }),
  )
  assert.equal(new ProtobufCursor(varint(2n ** 63n - 1n)).int64(), 2 ** 63)
  assert.equal(new ProtobufCursor(varint(-(2n ** 63n))).int64(), -(2 ** 63))
})

test('reads every uint32, also in more bytes than it needs', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 32 - 1 }), (value) => {
      assert.equal(new ProtobufCursor(varint(BigInt(value))).uint(), value)
    }),
  )
  assert.equal(new ProtobufCursor(Buffer.from([0x85, 0x80, 0x80, 0x00])).uint(), 5)
})

test('a length beyond the message is refused, however it is written', () => {
  for (const length of [1n, 2n ** 31n, 2n ** 32n, 2n ** 32n + 1n, 2n ** 63n, 2n ** 64n - 1n]) {
    assert.throws(() => new ProtobufCursor(varint(length)).enter(), BadRequest, String(length))
  }
  const inner = new ProtobufCursor(Buffer.from([0x03, 1, 2, 3]), 0, 3)
  assert.throws(() => inner.enter(), BadRequest)
})

test('skips every type of field, and groups as a whole', () => {
  const fields = Buffer.from(['08ff01', '110102030405060708', '1a02ffff', '2501020304', '2b330801342c'].join(''), 'hex')
  const cursor = new ProtobufCursor(fields)
  let count = 0
  for (; cursor.at < cursor.end; count++) cursor.skip(cursor.tag())
  assert.equal(count, 5)
  assert.equal(cursor.at, fields.length)
})

test('refuses what is no protobuf', () => {
  const bad = [[0x00], [0x07], [0x0c], [0x0b], [0x09, 1], [0x0d, 1], [0x0a, 5, 1], [0x08], [0x08, 0x80]]
  const long = [Buffer.alloc(11, 0xff), Buffer.alloc(100, 0x0b)]
  for (const bytes of [...bad.map((one) => Buffer.from(one)), ...long]) {
    const cursor = new ProtobufCursor(bytes)
    assert.throws(() => cursor.skip(cursor.tag()), BadRequest, bytes.toString('hex'))
  }
})

test('random bytes end in BadRequest or at the end', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      const cursor = new ProtobufCursor(bytes)
      try {
        while (cursor.at < cursor.end) cursor.skip(cursor.tag())
        assert.equal(cursor.at, cursor.end)
      } catch (error) {
        assert.ok(error instanceof BadRequest)
        assert.ok(cursor.at <= cursor.end)
      }
    }),
    { numRuns: 3000 },
  )
})
