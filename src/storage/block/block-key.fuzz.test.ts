import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { formatBlockKey, formatKeyDay, parseBlockKey, parseKeyDay } from './block-key.ts'

const ulid = '01ARZ3NDEKTSV4RRFFQ69G5FAV'

test('a key is the name that the format describes', () => {
  const name = { tenant: 'fake', signal: 'logs', day: 19_000, minTime: 17, maxTime: 86_400e9 - 1, level: 0, ulid }
  assert.equal(formatBlockKey(name), `fake/logs/2022-01-08/00000000000017-86399999999999-L0-${ulid}.edda`)
})

test('keys come back, for days before 1970 and far away too', () => {
  const time = fc.maxSafeNat().map((value) => value % 86_400e9)
  fc.assert(
    fc.property(fc.integer({ min: -800_000, max: 4_000_000 }), time, time, fc.nat(99), (day, one, other, level) => {
      const [minTime, maxTime] = [Math.min(one, other), Math.max(one, other)]
      const name = { tenant: 'a-b', signal: 'logs', day, minTime, maxTime, level, ulid }
      assert.deepEqual(parseBlockKey(formatBlockKey(name)), name)
      assert.equal(formatKeyDay(day), new Date(day * 86_400_000).toISOString().split('T')[0])
      assert.equal(parseKeyDay(formatKeyDay(day)), day)
    }),
  )
})

test('what is not the name of a block is not taken for one', () => {
  const good = `fake/logs/2022-01-08/00000000000017-86399999999999-L0-${ulid}.edda`
  assert.notEqual(parseBlockKey(good), undefined)
  for (const bad of [
    '',
    good.slice(1, -1),
    `x/${good}`,
    good.replace('2022-01-08', '2022-02-30'),
    good.replace('2022-01-08', '2022-1-8'),
    good.replace('-L0-', '-L00-'),
    good.replace(ulid, ulid.replace('0', 'U')),
    good.replace('fake', ''),
    'fake/logs/2022-01-08/catalog.json',
  ]) {
    assert.equal(parseBlockKey(bad), undefined, bad)
  }
})

test('impossible names are bugs', () => {
  const name = { tenant: 'fake', signal: 'logs', day: 0, minTime: 0, maxTime: 1, level: 0, ulid }
  for (const wrong of [
    { tenant: 'a/b' },
    { tenant: '' },
    { minTime: 2 },
    { maxTime: 86_400e9 },
    { level: 100 },
    { ulid: 'x' },
  ]) {
    assert.throws(() => formatBlockKey({ ...name, ...wrong }), /assertion failed/, JSON.stringify(wrong))
  }
})
