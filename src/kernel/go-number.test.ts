import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseGoFloat, parseHumanBytes } from './go-number.ts'

test('numbers as strconv.ParseFloat reads them', () => {
  for (const [text, value] of Object.entries({
    '1': 1,
    '-1.5e3': -1500,
    '.5': 0.5,
    '5.': 5,
    '+Inf': Infinity,
    '-infinity': -Infinity,
    NaN: Number.NaN,
    '0x1p4': 16,
    '-0x.8p1': -1,
  })) {
    assert.equal(parseGoFloat(text), value, text)
  }
})

test('what is no number says why', () => {
  for (const text of ['', ' 1', '1 ', '1_000', '0x10', '.', 'e5', '1,5', '--1', '+NaN']) {
    assert.equal(parseGoFloat(text), `strconv.ParseFloat: parsing ${JSON.stringify(text)}: invalid syntax`)
  }
  assert.match(String(parseGoFloat('1e999')), /value out of range/)
})

test('sizes as people write them', () => {
  for (const [text, value] of Object.entries({
    '42': 42,
    '1kB': 1000,
    '1 KB': 1000,
    '1k': 1000,
    '1KiB': 1024,
    '1.5 MiB': 1_572_864,
    '1,024B': 1024,
    '2Gi': 2_147_483_648,
    '1.5B': 1,
  })) {
    assert.equal(parseHumanBytes(text), value, text)
  }
  assert.equal(parseHumanBytes('5x'), 'unhandled size name: x')
  assert.match(String(parseHumanBytes('kB')), /invalid syntax/)
})
