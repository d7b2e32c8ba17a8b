import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseGoFloat } from './go-number.ts'
import { readDecimal } from './read-decimal.ts'

const read = (text: string): number => readDecimal(Buffer.from(`<${text}>`), 1, 1 + Buffer.byteLength(text))

test('decimals are read as exactly as from text', () => {
  for (const text of [
    '0',
    '-0',
    '12',
    '-3.25',
    '.5',
    '7.',
    '0.1',
    '123456789012345',
    '0.00000000000001',
    '99999999999.9999',
  ]) {
    assert(Object.is(read(text), Number(text)), text)
  }
  fc.assert(
    fc.property(fc.maxSafeNat(), fc.nat({ max: 16 }), fc.boolean(), (digits, point, isNegative) => {
      const text = String(digits)
      const all = `${isNegative ? '-' : ''}${text.slice(0, point)}.${text.slice(point)}`
      const value = read(all)
      if (text.length > 15) assert(Number.isNaN(value), all)
      else assert(Object.is(value, Number(all)), `${all} is not ${value}`)
    }),
  )
})

test('what is read is what the slow way reads; everything else is left to it', () => {
  const text = fc.string({ unit: fc.constantFrom('0', '1', '5', '9', '.', '-', '+', 'e', '_', ' ', 'x'), maxLength: 8 })
  fc.assert(
    fc.property(text, (one) => {
      const value = read(one)
      if (!Number.isNaN(value)) assert(Object.is(value, parseGoFloat(one)), one)
    }),
    { numRuns: 2000 },
  )
  for (const other of ['', '-', '.', '-.', '1.2.3', '1e3', '+1', ' 1', '1 ', '0x1', '1234567890123456']) {
    assert(Number.isNaN(read(other)), other)
  }
})
