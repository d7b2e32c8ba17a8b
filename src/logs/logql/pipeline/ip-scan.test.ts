import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseIpPattern } from '#/logs/logql/stages/ip-pattern.ts'
import { compileIpScan } from './ip-scan.ts'

function found(pattern: string, texts: readonly string[]): string[] {
  const scan = compileIpScan(parseIpPattern(pattern)!)
  return texts.filter((text) => {
    // neighbours of the line must not be read
    const bytes = Buffer.from(`1.${text}.1`)
    return scan(bytes, 2, bytes.length - 2)
  })
}

test('IPv4: addresses, blocks and ranges, wherever they stand in the text', () => {
  const texts = ['10.0.0.1', 'x10.0.0.1y', '(10.0.0.1:80)', 'a 9.9.9.9 b 10.0.0.1', '10.0.0.2', '10.0.1.0', '']
  assert.deepEqual(found('10.0.0.1', texts), texts.slice(0, 4))
  assert.deepEqual(found('10.0.0.0/24', texts), texts.slice(0, 5))
  assert.deepEqual(found('10.0.0.2-10.0.1.0', texts), ['10.0.0.2', '10.0.1.0'])
  assert.deepEqual(found('0.0.0.0/0', ['0.0.0.0', '255.255.255.255', '1.2.3']), ['0.0.0.0', '255.255.255.255'])
})

test('IPv4: what is none', () => {
  const none = ['10.0.0.256', '10.0.0', '10.0.0.01', '10.0.0.1.', '10.0.0.1.5', '10..0.1', '1000.0.0', '10.0.0.1000']
  assert.deepEqual(found('0.0.0.0/0', none), [])
})

test('IPv4: an address begins where at most three digits stand before a point', () => {
  assert.deepEqual(found('234.5.6.7', ['1234.5.6.7', '.234.5.6.7', '12345.234.5.6.7']), ['1234.5.6.7', '.234.5.6.7'])
})

test('IPv6', () => {
  const texts = [
    '2001:db8::1',
    '[2001:db8::1]:80',
    'at 2001:db8:0:0:0:0:0:1 now',
    '2001:db8::2',
    '::ffff:1.2.3.4',
    'a:b',
    '1.2.3.4',
  ]
  assert.deepEqual(found('2001:db8::1', texts), [texts[0], texts[1], texts[2]])
  assert.deepEqual(found('2001:db8::/32', texts), texts.slice(0, 4))
  assert.deepEqual(found('::ffff:0.0.0.0/96', texts), ['::ffff:1.2.3.4'])
  assert.deepEqual(found('2001:db8::1', ['dead.2001:db8::1', 'x::2001:db8::1']), ['dead.2001:db8::1'])
})
