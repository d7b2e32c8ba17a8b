import assert from 'node:assert/strict'
import { test } from 'node:test'

import { decodeCursor, encodeCursor } from './cursor.ts'

const paged = {
  tenant: 'a',
  query: '{app="x"} |= "é"',
  direction: 'backward',
  intervalNs: 0n,
  startNs: 5n,
  endNs: 1_700_000_000_000_000_001n,
} as const
const after = { timeNs: 1_700_000_000_000_000_000n, stream: 2 ** 53 - 1, count: 3, identity: 17 }
const text = encodeCursor(after, paged)

test('a cursor comes back as it was, with its range', () => {
  assert.match(text, /^[\w-]+$/)
  assert.deepEqual(decodeCursor(text, paged), { after, startNs: paged.startNs, endNs: paged.endNs })
})

test('a cursor of another query, tenant, interval or direction is refused', () => {
  for (const other of [{ query: '{app="y"}' }, { tenant: 'b' }, { intervalNs: 1n }]) {
    assert.throws(() => decodeCursor(text, { ...paged, ...other }), /^BadRequest: the cursor belongs to another query$/)
  }
  assert.throws(() => decodeCursor(text, { ...paged, direction: 'forward' }), /belongs to the other direction$/)
})

test('what is no cursor is refused', () => {
  const fields = JSON.parse(Buffer.from(text, 'base64url').toString()) as unknown[]
  const withField = (at: number, value: unknown): string =>
    Buffer.from(JSON.stringify(fields.with(at, value))).toString('base64url')
  const texts = ['x', '', '%', 'a'.repeat(600), Buffer.from('{}').toString('base64url'), text.slice(0, -4)]
  const changed = [
    withField(0, 2),
    withField(3, 5),
    withField(4, '1e3'),
    withField(5, '4'),
    withField(7, 0),
    withField(6, -1),
  ]
  for (const bad of [...texts, ...changed]) {
    assert.throws(() => decodeCursor(bad, paged), /^BadRequest: the cursor is not valid/, bad)
  }
})
