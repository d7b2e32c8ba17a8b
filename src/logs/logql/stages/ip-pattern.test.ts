import assert from 'node:assert/strict'
import test from 'node:test'
import { ipPatternProblem, parseIpAddress, parseIpPattern } from './ip-pattern.ts'

test('addresses, blocks and ranges', () => {
  const range = (text: string): [bigint, bigint] | undefined => {
    const found = parseIpPattern(text)
    return found && [found.first, found.last]
  }
  assert.deepEqual(range('10.0.0.1'), [0x0a000001n, 0x0a000001n])
  assert.deepEqual(range('10.1.2.3/8'), [0x0a000000n, 0x0affffffn])
  assert.deepEqual(range('0.0.0.0/0'), [0n, 0xffffffffn])
  assert.deepEqual(range('10.0.0.1/32'), [0x0a000001n, 0x0a000001n])
  assert.deepEqual(range('10.0.0.1-10.0.0.9'), [0x0a000001n, 0x0a000009n])
  assert.deepEqual(range('10.0.0.1 - 10.0.1.0'), [0x0a000001n, 0x0a000100n])
  assert.deepEqual(range('::1'), [1n, 1n])
  assert.deepEqual(range('::'), [0n, 0n])
  assert.deepEqual(range('2001:db8::/32'), [0x20010db8n << 96n, (0x20010db9n << 96n) - 1n])
  assert.deepEqual(range('::ffff:10.0.0.1'), [0xffff_0a00_0001n, 0xffff_0a00_0001n])
  assert.deepEqual(range('1:2:3:4:5:6:7:8-1:2:3:4:5:6:7:9')?.[1], 0x0001_0002_0003_0004_0005_0006_0007_0009n)
})

test('what is no pattern', () => {
  const bad = [
    '',
    'x',
    '10.0.0',
    '10.0.0.256',
    '10.0.0.01',
    '10.0.0.1/33',
    '10.0.0.1/',
    '10.0.0.1/-1',
    '10.0.0.1/08',
    '/8',
    '10.0.0.9-10.0.0.1',
    '10.0.0.1-::2',
    '10.0.0.1-10.0.0.2-10.0.0.3',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1::2::3',
    '::/129',
    '12345::',
    '::g',
    ':1',
    '1:',
    '10.0.0.1:80',
    '::10.0.0.1:1',
    '1:2:3:4:5:6:7::8',
    'fe80::1%eth0',
  ]
  for (const text of bad) {
    assert.equal(parseIpPattern(text), undefined, text)
    assert.equal(ipPatternProblem(text), `ip: invalid pattern: ${JSON.stringify(text)}`)
  }
  assert.equal(ipPatternProblem('10.0.0.0/8'), undefined)
})

test('zeros of IPv6 may be cut anywhere', () => {
  for (const text of ['1:0:0:0:0:0:0:8', '1::8', '1:0::8', '1::0:8', '0001:0000::0008']) {
    assert.deepEqual(parseIpAddress(text), { bits: 128, value: (1n << 112n) | 8n }, text)
  }
})
