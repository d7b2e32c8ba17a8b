import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { bitWidth, packBits, packedBytes, unpackBits } from './bit-pack.ts'
import { decodeDeltaF64, encodeDeltaF64 } from './delta-f64.ts'
import { ENCODING_BYTES, ENCODING_ZSTD_FLAG, encodingName } from './encoding.ts'
import { sealF64, sealRunsU32, sealU32, unsealBytes, unsealF64, unsealU32 } from './number-columns.ts'
import { decodePackedU32, encodePackedU32, PackedU32 } from './packed-u32.ts'
import { PresenceRanks } from './presence.ts'
import { RowRanks } from './row-ranks.ts'
import { sealColumn, unsealColumn } from './sealed.ts'
import { decodeTextColumn, encodeTextColumn } from './text-column.ts'
import type { TextColumn, TextRanges } from './text-values.ts'
import { ByteReader } from '#/kernel/byte-reader.ts'
import { ByteWriter } from '#/kernel/byte-writer.ts'
import { Corruption } from '#/kernel/errors.ts'

const origin = { file: 'f', offset: 1000 }
const u32 = fc.oneof(fc.nat(0xffff_ffff), fc.nat(300), fc.constantFrom(0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff))
const u32s = fc.array(u32, { maxLength: 400 }).map((values) => Uint32Array.from(values))

test('bits of every width come back', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 32 }), fc.array(fc.nat(0xffff_ffff), { maxLength: 200 }), (width, raw) => {
      const values = Uint32Array.from(raw, (value) => (width === 0 ? 0 : value >>> (32 - width)))
      const out = new ByteWriter(1)
      packBits(values, values.length, width, out)
      assert.equal(out.size, packedBytes(values.length, width))
      const target = new Uint32Array(values.length + 2).fill(9)
      unpackBits(out.written, width, target, { at: 1, count: values.length })
      assert.deepEqual(target, Uint32Array.from([9, ...values, 9]))
      assert.equal(bitWidth(values.reduce((a, b) => Math.max(a, b), 0)) <= width, true)
    }),
  )
})

test('packed integers come back', () => {
  fc.assert(
    fc.property(u32s, (values) => {
      const out = new ByteWriter()
      encodePackedU32(values, out)
      const reader = new ByteReader(out.written, origin)
      assert.deepEqual(decodePackedU32(reader, values.length), values)
      reader.end()
      const again = new ByteReader(out.written, origin)
      const packed = new PackedU32(again, values.length)
      again.end()
      for (const [i, value] of values.entries()) assert.equal(packed.at(i), value)
      assert.deepEqual(packed.all(), values)
      assert.deepEqual(unsealU32(sealU32(values), values.length, origin), values)
    }),
  )
})

test('ranks of rows are what counting finds, in whatever order they are asked for', () => {
  const cases = fc.record({
    rows: fc.array(fc.boolean(), { minLength: 1, maxLength: 1500 }),
    asked: fc.array(fc.nat(1499), { maxLength: 60 }),
  })
  fc.assert(
    fc.property(cases, ({ rows, asked }) => {
      const presence = new Uint8Array(Math.ceil(rows.length / 8)).fill(0xff)
      for (const [row, isThere] of rows.entries()) if (!isThere) presence[row >> 3]! &= ~(1 << (row & 7))
      const present = Uint32Array.from([...rows.keys()].filter((row) => rows[row]))
      const ofBits = new PresenceRanks(presence, rows.length)
      const ofRows = new RowRanks(present)
      assert.equal(ofBits.count, present.length)
      for (const row of [...rows.keys(), ...asked]) {
        const rank = present.findIndex((other) => other >= row)
        if (row < rows.length) assert.equal(ofBits.rankOf(row), rank < 0 ? present.length : rank)
        assert.equal(ofRows.of(row), rank >= 0 && present[rank] === row ? rank : -1)
      }
    }),
    { numRuns: 40 },
  )
})

const times = fc.oneof(
  fc.array(
    fc.maxSafeNat().map((time) => time % 86_400e9),
    { maxLength: 400 },
  ),
  fc.array(
    fc.nat(86_399_999).map((ms) => ms * 1e6),
    { maxLength: 400 },
  ),
  fc.array(
    fc.nat(86_399).map((seconds) => seconds * 1e9),
    { maxLength: 300 },
  ),
  // runs of streams: each ascends, the next begins anew
  fc
    .array(
      fc
        .array(fc.nat(5e9), { maxLength: 60 })
        .map((steps) => steps.map((_, i) => steps.slice(0, i).reduce((a, b) => a + b, 8e13))),
      {
        maxLength: 8,
      },
    )
    .map((runs) => runs.flat()),
  fc.array(fc.integer({ min: -(10 ** 15) + 1, max: 10 ** 15 - 1 }), { maxLength: 300 }),
)

test('times and other integers come back to the nanosecond, in any order', () => {
  fc.assert(
    fc.property(times, (plain) => {
      const values = Float64Array.from(plain)
      const out = new ByteWriter()
      encodeDeltaF64(values, out)
      const reader = new ByteReader(out.written, origin)
      assert.deepEqual(decodeDeltaF64(reader, values.length), values)
      reader.end()
      assert.deepEqual(unsealF64(sealF64(values), values.length, origin), values)
    }),
    { numRuns: 300 },
  )
})

test('times at an even distance take next to nothing, millisecond times no bits for their zeros', () => {
  const even = Float64Array.from({ length: 65_536 }, (_, i) => i * 1_000_003)
  assert.ok(sealF64(even).bytes.length < 200, `${sealF64(even).bytes.length} bytes`)
  let at = 0
  const millis = Float64Array.from({ length: 65_536 }, (_, i) => (at += ((i * 7919) % 256) * 1e6))
  assert.ok(sealF64(millis).bytes.length < 65_536 * 1.2, `${sealF64(millis).bytes.length} bytes`)
})

test('small and large steps back in one group come back', () => {
  let at = 1e15
  const step = (i: number): number => (i % 100 === 7 ? -7e13 : i % 100 === 9 ? -3 : 1000)
  const values = Float64Array.from({ length: 300 }, (_, i) => (at += step(i)))
  assert.deepEqual(unsealF64(sealF64(values), values.length, origin), values)
})

test('runs of equal values come back', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ value: u32, length: fc.integer({ min: 1, max: 300 }) }), { maxLength: 50 }),
      (runs) => {
        const values = Uint32Array.from(runs.flatMap(({ value, length }) => new Array<number>(length).fill(value)))
        const sealed = sealRunsU32(
          Uint32Array.from(runs, (run) => run.value),
          Uint32Array.from(runs, (run) => run.length),
        )
        assert.deepEqual(unsealU32(sealed, values.length, origin), values)
        assert.throws(() => unsealU32(sealed, values.length + 1, origin), Corruption)
      },
    ),
  )
})

test('bytes come back, compressed when that pays', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 500 }), fc.boolean(), (bytes, isRepeated) => {
      const raw = isRepeated ? Buffer.concat([bytes, bytes, bytes, bytes]) : Buffer.from(bytes)
      const sealed = sealColumn(ENCODING_BYTES, raw)
      assert.ok(sealed.bytes.length <= raw.length)
      assert.deepEqual(Buffer.from(unsealBytes(sealed, origin)), raw)
    }),
  )
  assert.notEqual(sealColumn(ENCODING_BYTES, Buffer.alloc(1000)).encoding & ENCODING_ZSTD_FLAG, 0)
})

/** Values of rows; undefined for absent. */
function rangesOf(values: readonly (string | undefined)[]): TextRanges {
  const source = Buffer.from(`__${values.map((value) => value ?? '').join('')}__`)
  const rows: number[] = []
  const starts: number[] = []
  const ends: number[] = []
  let at = 2
  for (const [row, value] of values.entries()) {
    if (value === undefined) continue
    rows.push(row)
    starts.push(at)
    ends.push((at += Buffer.byteLength(value)))
  }
  const [rowArray, startArray, endArray] = [rows, starts, ends].map((array) => Uint32Array.from([...array, 77])) as [
    Uint32Array,
    Uint32Array,
    Uint32Array,
  ]
  return { rowCount: values.length, count: rows.length, source, rows: rowArray, starts: startArray, ends: endArray }
}

const integerText = fc.oneof(
  fc.integer().map(String),
  fc.constantFrom(
    '0',
    '-0',
    '00',
    '-',
    '',
    '1e3',
    '+1',
    '999999999999999',
    '9999999999999999',
    '-999999999999999',
    ' 1',
    '1.0',
  ),
)
const valuesArbitrary = fc.oneof(
  fc.array(fc.option(fc.string({ unit: 'grapheme' }), { nil: undefined }), { maxLength: 300 }),
  fc.array(fc.option(fc.constantFrom('info', 'warn'), { nil: undefined }), { maxLength: 300 }),
  fc.array(fc.option(fc.constant('same'), { nil: undefined }), { maxLength: 300 }),
  fc.array(fc.option(fc.integer().map(String), { nil: undefined }), { maxLength: 300 }),
  fc.array(integerText, { maxLength: 300 }),
  fc.array(fc.option(fc.uuid(), { nil: undefined, freq: 100 }), { minLength: 100, maxLength: 300 }),
  fc.array(fc.option(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(hexText), { nil: undefined, freq: 9 }), {
    minLength: 100,
    maxLength: 300,
  }),
)

function hexText(value: bigint): string {
  return value.toString(16).padStart(16, '0')
}

function checkTexts(values: readonly (string | undefined)[], encoding?: string): void {
  const { column, constant, range } = encodeTextColumn(rangesOf(values))
  if (encoding !== undefined) assert.equal(encodingName(column.encoding & ~ENCODING_ZSTD_FLAG), encoding)
  const decoded = decodeTextColumn(column, values.length, origin)
  const found = values.map((_, row) => decoded.valueOf(row))
  assert.deepEqual(found, values)
  const backwards = decodeTextColumn(column, values.length, origin)
  assert.deepEqual(
    values.map((_, i) => backwards.valueOf(values.length - 1 - i)),
    values.toReversed(),
  )
  for (const value of values) {
    if (value === undefined) continue
    if (constant !== undefined) assert.equal(value, constant)
    if (range !== undefined) assert.ok(Number(value) >= range.min && Number(value) <= range.max)
  }
  if (decoded.constant === undefined && decoded.dictionary === undefined) checkBytes(decoded, values)
  if (decoded.dictionary === undefined) return
  const { codes, values: distinct } = decoded.dictionary
  assert.deepEqual(
    Array.from(codes, (code) => (code === 0 ? undefined : distinct[code - 1])),
    values,
  )
}

/** The same values as bytes, and found by their bytes. */
function checkBytes(decoded: TextColumn, values: readonly (string | undefined)[]): void {
  const { rowCount, count, source, rows, starts, ends } = decoded.ranges!
  assert.equal(rowCount, values.length)
  const found = new Array<string | undefined>(rowCount).fill(undefined)
  for (let i = 0; i < count; i++) found[rows[i]!] = source.toString('utf8', starts[i], ends[i])
  assert.deepEqual(found, values)
  for (const wanted of new Set([values[0], values.at(-1), values[values.length >> 1], '', '0', 'no such', '00ff'])) {
    if (wanted === undefined) continue
    const expected = [...values.keys()].filter((row) => values[row] === wanted)
    assert.deepEqual([...decoded.rowsWith!(Buffer.from(wanted))], expected, wanted)
  }
}

test('texts come back as they were, absent ones absent', () => {
  fc.assert(
    fc.property(
      valuesArbitrary.filter((values) => values.some((value) => value !== undefined)),
      (values) => checkTexts(values),
    ),
    { numRuns: 300 },
  )
})

test('each kind of values gets the encoding that was made for it', () => {
  const rows = Array.from({ length: 2000 }, (_, row) => row)
  checkTexts(
    rows.map(() => 'one'),
    'constant-text',
  )
  checkTexts(
    rows.map((row) => (row % 2 === 0 ? 'one' : undefined)),
    'constant-text',
  )
  checkTexts(
    rows.map((row) => `v${row % 9}`),
    'dictionary-text',
  )
  checkTexts(
    rows.map((row) => String(row * 31 - 500)),
    'number-text',
  )
  checkTexts(
    rows.map((row) => (row % 3 === 0 ? undefined : String(row * 31))),
    'number-text',
  )
  checkTexts(
    rows.map((row) => `id-${row * 31}`),
    'plain-text',
  )
  checkTexts(
    rows.map((row) => (row === 1999 ? String(row) : undefined)),
    'sparse-text',
  )
})

test('identifiers take half of their digits, and those that only look like them keep their bytes', () => {
  const ids = Array.from({ length: 300 }, (_, i) => hexText((BigInt(i + 1) * 0x9e37_79b9_7f4a_7c15n) % 2n ** 64n))
  checkTexts(ids, 'hex-text')
  checkTexts([undefined, ...ids, undefined], 'hex-text')
  assert.ok(encodeTextColumn(rangesOf(ids)).column.bytes.length <= 300 * 8 + 2)
  const uuids = ids.map(
    (id, i) => `${id.slice(0, 8)}-${id.slice(8, 12)}-4${id.slice(13)}-8000-${id.slice(0, 11)}${i % 10}`,
  )
  checkTexts(uuids, 'hex-text')
  checkTexts(
    uuids.flatMap((uuid) => [uuid, undefined]),
    'hex-text',
  )
  for (const odd of [
    '',
    'a',
    'ABCDEF0123456789',
    'abcdef012345678g',
    '0123456789abcde',
    '0123456789abcdef0',
    '0123456789abcde-',
  ]) {
    for (const at of [0, 150, 300]) checkTexts(ids.toSpliced(at, 0, odd), 'plain-text')
  }
  for (const odd of [
    '9e3779b9-7f4a-4c15-8000-9e3779b97f4',
    '9e3779b9-7f4a-4c15-80009-e3779b97f4a',
    '9e3779b97f4a4c1580009e3779b97f4a',
  ])
    checkTexts(uuids.toSpliced(9, 0, odd), 'plain-text')
})

test('texts that only look like numbers keep their bytes', () => {
  const numbers = Array.from({ length: 300 }, (_, i) => String(i * 1_000_003 - 9_000_000))
  for (const odd of ['-0', '00', '01', '-', '', '+1', '1e3', ' 1', '1.0', '9999999999999999', '٣']) {
    for (const at of [0, 150, 300]) checkTexts(numbers.toSpliced(at, 0, odd), 'plain-text')
  }
  for (const edge of ['0', '-1', '999999999999999', '-999999999999999']) {
    checkTexts(numbers.toSpliced(150, 0, edge), 'number-text')
    checkTexts([undefined, ...numbers.toSpliced(150, 0, edge), undefined], 'number-text')
  }
})

test('no bytes whatever make a decoder do anything but answer or report corruption', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 255 }),
      fc.uint8Array({ maxLength: 80 }),
      fc.nat(300),
      (encoding, bytes, count) => {
        for (const decode of [
          () => unsealU32({ encoding, bytes }, count, origin),
          () => unsealF64({ encoding, bytes }, count, origin),
          () => unsealBytes({ encoding, bytes }, origin),
          () => decodeTextColumn({ encoding, bytes }, count, origin),
        ]) {
          try {
            decode()
          } catch (error) {
            assert.ok(error instanceof Corruption, String(error))
            assert.equal(error.file, 'f')
            assert.ok(error.offset >= 1000)
          }
        }
      },
    ),
    { numRuns: 2000 },
  )
})

test('a frame that holds more or less than it says is refused, without making room for what it claims', () => {
  const { encoding, bytes } = sealColumn(ENCODING_BYTES, Buffer.alloc(100_000))
  const frame = bytes.subarray(3)
  for (const size of [0, 99_999, 100_001]) {
    const out = new ByteWriter()
    out.uvarint(size)
    out.bytes(frame)
    assert.throws(() => unsealColumn(encoding, out.written, origin), Corruption)
  }
  const out = new ByteWriter()
  out.uvarint(2 ** 40)
  assert.throws(() => unsealColumn(encoding, out.written, origin), /column size 1099511627776 exceeds/)
})
