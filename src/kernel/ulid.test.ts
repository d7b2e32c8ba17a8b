import assert from 'node:assert/strict'
import { test } from 'node:test'

import { isUlid, makeUlid } from './ulid.ts'

test('a ULID is time and chance in 26 characters', () => {
  assert.equal(makeUlid(1_469_918_176_385, Buffer.alloc(10)), '01ARYZ6S410000000000000000')
  assert.equal(makeUlid(0, Buffer.alloc(10, 0xff)), '0000000000ZZZZZZZZZZZZZZZZ')
  assert.equal(makeUlid(2 ** 48 - 1, Buffer.alloc(10)), '7ZZZZZZZZZ0000000000000000')
  assert.equal(makeUlid(0, Buffer.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 1)).at(-1), '1')
  assert.throws(() => makeUlid(-1, Buffer.alloc(10)))
  assert.throws(() => makeUlid(0, Buffer.alloc(9)))
})

test('ULIDs sort by time', () => {
  const early = makeUlid(1000, Buffer.alloc(10, 0xff))
  assert.ok(early < makeUlid(1001, Buffer.alloc(10)))
  assert.ok(isUlid(early))
  for (const bad of ['', early.slice(1), `${early}0`, early.toLowerCase().replace('0', 'i'), `8${early.slice(1)}`]) {
    assert.equal(isUlid(bad), false, bad)
  }
})
