import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { isFoundInCutText } from './cut-text.ts'
import { ENCODING_LINE_SLOTS, ENCODING_LINE_TEMPLATES } from './encoding.ts'
import { tryHex } from './hex-text.ts'
import { encodeLineSlots } from './line-slots.ts'
import type { LinesToCut } from './line-slots.ts'
import { decodePackedU32 } from './packed-u32.ts'
import { decodeCutTexts, type CutTexts } from './line-texts.ts'
import { decodeLineSlots, decodeSomeLines } from './read-line-slots.ts'
import { ScratchBuffers } from './scratch-buffers.ts'
import { unsealColumn } from './sealed.ts'
import type { HexValues } from './text-values.ts'
import { ByteReader } from '#/kernel/byte-reader.ts'
import { Corruption } from '#/kernel/errors.ts'

const origin = { file: 'f', offset: 1000 }
const NS_PER_MS = 1e6

type PlainRow = { readonly time: number; readonly line: Buffer; readonly ids: readonly (string | undefined)[] }

const hexDigits = (digits: number): fc.Arbitrary<string> =>
  fc
    .array(
      fc.nat(15).map((digit) => digit.toString(16)),
      { minLength: digits, maxLength: digits },
    )
    .map((letters) => letters.join(''))

/** `<clock>`, `<id0>` and so on stand for what other columns of the row have. */
const piece = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.constantFrom(' ', '=', ':', '.', ',', '"', '-', '/', '_', 'T', 'user', 'level=info', 'x'),
  },
  { weight: 4, arbitrary: fc.nat(1e6).map(String) },
  fc.constantFrom(
    '0',
    '00',
    '007',
    '1234567890',
    '000000000000',
    '99999999999999999999',
    'deadbeef',
    'beef',
    'a1',
    '12ab',
  ),
  fc.constantFrom(
    '<clock>',
    '<clock>.<ms>',
    '<clock>,<ms>',
    '<clock>.<ms>7',
    '23:59:59',
    '23:59:59.999',
    '<id0>',
    '<id1>',
  ),
  fc.integer({ min: 3, max: 140 }).chain(hexDigits),
  fc.constantFrom('\0', '\u0001', '\b', '\t', '\n', '\u0007\u0080', 'µs', '日本', '\u001b[31m', 'É1'),
  fc.string({ unit: 'binary', maxLength: 8 }),
)

const row = fc.record({
  ms: fc.integer({ min: 0, max: 86_399_999 }),
  pieces: fc.array(piece, { maxLength: 24 }),
  id0: fc.option(hexDigits(32), { nil: undefined }),
  id1: hexDigits(16),
})

type Shape = {
  readonly ms: number
  readonly pieces: readonly string[]
  readonly id0: string | undefined
  readonly id1: string
}

function toRow({ ms, pieces, id0, id1 }: Shape): PlainRow {
  const iso = new Date(ms).toISOString()
  const text = pieces
    .join('')
    .replaceAll('<clock>', iso.slice(11, 19))
    .replaceAll('<ms>', iso.slice(20, 23))
    .replaceAll('<id0>', id0 ?? '-')
    .replaceAll('<id1>', id1)
  return { time: ms * NS_PER_MS + (ms % 1000), line: Buffer.from(text), ids: [id0, id1] }
}

/** Enough of them to be worth it: a page of lines like these. */
const rowsOf = fc
  .array(row.map(toRow), { minLength: 1, maxLength: 30 })
  .map((rows) => Array.from({ length: 40 }, () => rows).flat())

function valuesOf(rows: readonly PlainRow[], id: number): HexValues | undefined {
  const present = rows.flatMap(({ ids }, i) => (ids[id] === undefined ? [] : [{ i, text: ids[id] }]))
  const source = Buffer.from(present.map(({ text }) => text).join(''))
  const digits = present[0]?.text.length ?? 0
  const starts = Uint32Array.from(present, (_, i) => i * digits)
  const ends = starts.map((start) => start + digits)
  const rowNumbers = Uint32Array.from(present, ({ i }) => i)
  return tryHex({ rowCount: rows.length, count: present.length, source, rows: rowNumbers, starts, ends })
}

function inputOf(rows: readonly PlainRow[]): LinesToCut {
  const values = ['id0', 'id1'].flatMap((name, i) => {
    const hex = valuesOf(rows, i)
    return hex === undefined ? [] : [{ name, hex }]
  })
  return {
    lines: Buffer.concat(rows.map(({ line }) => line)),
    lengths: Uint32Array.from(rows, ({ line }) => line.length),
    times: Float64Array.from(rows, ({ time }) => time),
    values,
  }
}

function decode(bytes: Uint8Array, { lengths, times, values }: LinesToCut, texts?: CutTexts): Buffer {
  const sources = {
    rowCount: lengths.length,
    times: () => times,
    values: (name: string) => values.find((one) => one.name === name)?.hex,
    texts,
  }
  return Buffer.from(decodeLineSlots({ encoding: ENCODING_LINE_TEMPLATES, bytes }, sources, origin))
}

/** The lines of `rows`, one by one, of a page of which only these were put together. */
function decodeSome(bytes: Uint8Array, { lengths, times, values }: LinesToCut, rows: Uint32Array): Buffer[] {
  const lineStart = new Uint32Array(lengths.length + 1)
  for (const [i, length] of lengths.entries()) lineStart[i + 1] = lineStart[i]! + length
  const sources = {
    rowCount: lengths.length,
    times: () => times,
    values: (name: string) => values.find((one) => one.name === name)?.hex,
  }
  const lines = decodeSomeLines({ encoding: ENCODING_LINE_TEMPLATES, bytes }, sources, { rows, lineStart }, origin)
  return [...rows].map((one) => Buffer.from(lines.subarray(lineStart[one], lineStart[one + 1])))
}

test('some lines of a page are what they are among all', () => {
  let cut = 0
  const shares = fc.array(fc.boolean(), { minLength: 1, maxLength: 50 })
  fc.assert(
    fc.property(rowsOf, shares, fc.boolean(), (rows, isChosen, isSparse) => {
      const input = inputOf(rows)
      const column = encodeLineSlots(input)
      if (column === undefined) return
      cut++
      const chosen = Uint32Array.from(rows.keys()).filter(
        (i) => isChosen[i % isChosen.length] && (!isSparse || i % 37 === 5),
      )
      assert.deepEqual(
        decodeSome(column.bytes, input, chosen),
        [...chosen].map((i) => rows[i]!.line),
      )
    }),
    { numRuns: 300 },
  )
  assert.ok(cut > 150, `${cut} of 300 pages were cut`)
})

test('lines that were cut come back to the byte', () => {
  let cut = 0
  fc.assert(
    fc.property(rowsOf, (rows) => {
      const input = inputOf(rows)
      const column = encodeLineSlots(input)
      if (column === undefined) return
      cut++
      assert.deepEqual(decode(column.bytes, input), input.lines)
    }),
    { numRuns: 400 },
  )
  assert.ok(cut > 200, `${cut} of 400 pages were cut`)
})

/** The format as docs/formats/block-v1.md describes it, value by value: what the kernel is compared with. */
function decodePlainly(bytes: Uint8Array, { lengths, times, values }: LinesToCut): Buffer {
  const reader = new ByteReader(bytes, origin)
  const part = (): Buffer => {
    const encoding = reader.u8()
    return unsealColumn(encoding, reader.bytes(reader.uvarint()), origin)
  }
  reader.uvarint()
  const names = Array.from({ length: reader.uvarint() }, () => reader.text())
  const textCount = reader.uvarint()
  const [allTexts, textsOfRows, hex, numbers] = [part(), part(), part(), new ByteReader(part(), origin)]
  const texts = [...splitTexts(allTexts)]
  assert.equal(texts.length, textCount)
  const steps = decodePackedU32(numbers, numbers.uvarint())
  const counts = decodePackedU32(numbers, steps.length)
  const columns = new Map<number, number[]>()
  let context = 0
  for (const [i, step] of steps.entries()) columns.set((context += step), [...decodePackedU32(numbers, counts[i]!)])
  const nextNumber = (text: Buffer, at: number): string => {
    const before = Buffer.concat([Buffer.alloc(8), text]).subarray(at, at + 8)
    const near = Math.imul(before.readInt32LE(4), 0x9e37_79b1)
    return String(columns.get((near ^ Math.imul(before.readInt32LE(0), 0x85eb_ca77)) >>> 22)?.shift())
  }
  const out: Buffer[] = []
  let hexAt = 0
  for (const row of lengths.keys()) {
    const text = texts[textOfRow(textsOfRows, row, { rowCount: lengths.length, textCount })]!
    const clock = new Date(Math.floor(times[row]! / NS_PER_MS)).toISOString().slice(11, 23)
    for (let at = 0; at < text.length; at++) {
      const operation = text[at]!
      const operand = text[at + 1]! - 128
      if (operation > 8) out.push(text.subarray(at, at + 1))
      else if (operation === 0) out.push(Buffer.from([operand]))
      else if (operation === 1) out.push(Buffer.from(nextNumber(text, at)))
      else if (operation === 2) out.push(Buffer.from(nextNumber(text, at).padStart(operand, '0')))
      else if (operation === 3) {
        const end = hexAt + ((operand + 1) >> 1)
        out.push(Buffer.from(hex.toString('hex', hexAt, end).slice(0, operand)))
        hexAt = end
      } else if (operation === 4) out.push(Buffer.from(clock.slice(0, 8)))
      else if (operation <= 6) out.push(Buffer.from(operation === 5 ? clock : clock.replace('.', ',')))
      else if (operation === 7) {
        out.push(Buffer.from(idOf(values.find(({ name }) => name === names[operand])!.hex, row)))
      }
      if (operation === 0 || operation === 2 || operation === 3 || operation === 7) at++
    }
  }
  return Buffer.concat(out)
}

/** Each ends with the byte 8. */
function* splitTexts(all: Buffer): Iterable<Buffer> {
  for (let from = 0; from < all.length;) {
    const end = all.indexOf(8, from) + 1
    yield all.subarray(from, end)
    from = end
  }
}

function textOfRow(bytes: Buffer, row: number, of: { readonly rowCount: number; readonly textCount: number }): number {
  if (of.textCount === 1) return 0
  return of.textCount <= 256 ? bytes[row]! : bytes[row]! + 256 * bytes[of.rowCount + row]!
}

function idOf({ bytes, bytesPerValue, presence }: HexValues, row: number): string {
  let rank = 0
  for (let before = 0; before < row; before++) {
    if (presence === undefined || ((presence[before >> 3]! >> (before & 7)) & 1) === 1) rank++
  }
  return Buffer.from(bytes).toString('hex', rank * bytesPerValue, (rank + 1) * bytesPerValue)
}

test('a decoder that goes value by value reads the same lines', () => {
  fc.assert(
    fc.property(rowsOf, (rows) => {
      const input = inputOf(rows)
      const column = encodeLineSlots(input)
      if (column !== undefined) assert.deepEqual(decodePlainly(column.bytes, input), input.lines)
    }),
    { numRuns: 60 },
  )
})

test('the cut text has the rows, finds what it says it finds, and makes the same lines', () => {
  const share = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true })
  let probed = 0
  fc.assert(
    fc.property(
      rowsOf,
      fc.array(fc.record({ at: share, from: share, size: fc.integer({ min: 1, max: 12 }) })),
      (rows, probes) => {
        const input = inputOf(rows)
        const column = encodeLineSlots(input)
        if (column === undefined) return
        const { texts } = decodeCutTexts(column, rows.length, origin, new ScratchBuffers(0))
        const { text, textStart, textOfRow } = texts
        assert.deepEqual(decode(column.bytes, input, texts), input.lines)
        for (const { at, from, size } of probes) {
          const { line } = rows[Math.floor(at * rows.length)]!
          const start = Math.floor(from * line.length)
          const needle = line.subarray(start, start + size)
          if (!isFoundInCutText(needle)) continue
          probed++
          const found = rows.map((_, i) => {
            const its = textOfRow![i]!
            return text.subarray(textStart[its]!, textStart[its + 1]).includes(needle)
          })
          assert.deepEqual(
            found,
            rows.map((one) => one.line.includes(needle)),
            JSON.stringify(needle.toString()),
          )
        }
      },
    ),
    { numRuns: 300 },
  )
  assert.ok(probed > 100, `${probed} needles could be looked for`)
})

test('what may begin or end in a cut piece is not looked for in the text', () => {
  for (const text of ['timeout', 'deadline', 'ord', 'Failed password', 'add_', 'level=info', '=', 'x: ']) {
    assert.equal(isFoundInCutText(Buffer.from(text)), true, text)
  }
  for (const text of ['', 'a1', 'dead', ' face', 'ad: no', 'x=e', ':', '.', ',', '17', 'µ', '\u0001x', ' a']) {
    assert.equal(isFoundInCutText(Buffer.from(text)), false, text)
  }
})

test('damaged lines are corruption, or lines of the same size', () => {
  const rows: PlainRow[] = Array.from({ length: 60 }, (_, i) => ({
    time: 1e9 * (i * 37) + i,
    line: Buffer.from(
      `${new Date(i * 37_000).toISOString()} id=${i * 7919} took ${i % 7}.0${i} ms trace=${String(i).padStart(31, 'a')}7 \u0001`,
    ),
    ids: [`${String(i).padStart(31, 'a')}7`, 'beefbeefbeefbe11'],
  }))
  const input = inputOf(rows)
  const column = encodeLineSlots(input)
  assert.ok(column)
  const some = Uint32Array.of(7, 8, 40)
  for (let at = 0; at < column.bytes.length; at++) {
    for (let bit = 0; bit < 8; bit++) {
      const bytes = Uint8Array.from(column.bytes)
      bytes[at]! ^= 1 << bit
      for (const read of [() => decode(bytes, input), () => decodeSome(bytes, input, some)]) {
        try {
          read()
        } catch (error) {
          assert.ok(error instanceof Corruption, `byte ${at}: ${String(error)}`)
          assert.equal(error.file, 'f')
        }
      }
    }
  }
  for (let size = 0; size < column.bytes.length; size++) {
    assert.throws(() => decode(column.bytes.subarray(0, size), input), Corruption)
    assert.throws(() => decodeSome(column.bytes.subarray(0, size), input, some), Corruption)
  }
  assert.throws(() => decode(column.bytes, { ...input, values: [] }), Corruption)
  assert.throws(() => decode(column.bytes, inputOf(rows.slice(1))), Corruption)
  assert.deepEqual(
    decodeSome(column.bytes, input, some),
    [...some].map((row) => rows[row]!.line),
  )
  assert.deepEqual(decode(column.bytes, input), input.lines, 'damage of one page does not touch the next')
})

test('lines that gain nothing are left alone', () => {
  const pageOf = (line: string, count: number, time = 0): LinesToCut =>
    inputOf(Array.from({ length: count }, () => ({ time, line: Buffer.from(line), ids: [] })))
  const words = Array.from({ length: 1000 }, (_, i) => i.toString(2).replaceAll('0', 'x').replaceAll('1', 'y'))
  assert.equal(
    encodeLineSlots(inputOf(words.map((line) => ({ time: 0, line: Buffer.from(`${line} no numbers`), ids: [] })))),
    undefined,
  )
  assert.equal(encodeLineSlots(pageOf('12345678', 10)), undefined)
  assert.equal(encodeLineSlots(pageOf('12345678 '.repeat(600_000), 1)), undefined)
  assert.equal(encodeLineSlots(pageOf('1 2 3 4 12345678', 1000, -1)), undefined)
})

/** Written when each row still had a text of its own; the lines begin with a number now and then, whose context is the row before. */
const oldColumn = `5CkBA2lkMIROnRMotS/9YJ0IFQIABAMChS0Cgi0CglQFWiBpZD0BIHRvb2sgAS4CgiBtcyB0cmFjZT0HgCAAgQgBgzAxMDEEAEmAHzsCFRYAla2QqUoPBACExAKjAyi1L/1gowDFCQBUEAsJAAAuHBm1WkKAGCNoVAIAAAAGAcADAru+P8CjAQAAAACyDwABEgAAALx74N1DMxe8e6xqoplLIjZ495xZZFVTEVU0c41IJhFbAHTw7n036Mxi75Ksam4mqohq3rFo5l4VbERyzdAkYk8ELgB6vO/g3QMAAAEDAIjGGtFYIxprRGONaKwRjTWisUY01ogGABSyDwAwdQCmDgCQXwBMHQDwSQIA8itQNAMAmDqwHgQAPkkQCQUA5Fdw84pm0N0GMHUwyAfWg5CyCAYAQCAMRGEcSKIsTOM8UCRNVGVdWKZtXOd9YCiOZGmeaKqubOu+cCzPdG3feK7vAQABAAESz/kPMgAAABYA8VlybpUV0ByQBs6B1oA4cJvMaeCcijnQTmU5IE4lHDinYjll42F6pCwMZFAInBQ=`

test('lines of encoding 11 stay readable', () => {
  const rows: PlainRow[] = Array.from({ length: 60 }, (_, i) => {
    const id = `${String(i).padStart(31, 'a')}7`
    const iso = new Date(i * 37_000).toISOString()
    const line = `${i % 3 === 0 ? i : ''}${iso} id=${i * 7919} took ${i % 7}.0${i} ms trace=${id} \u0001`
    return { time: 1e9 * (i * 37) + i, line: Buffer.from(line), ids: [id] }
  })
  const { lengths, times, values, lines } = inputOf(rows)
  const column = { encoding: ENCODING_LINE_SLOTS, bytes: Buffer.from(oldColumn, 'base64') }
  const sources = { rowCount: rows.length, times: () => times, values: () => values[0]?.hex }
  assert.deepEqual(Buffer.from(decodeLineSlots(column, sources, origin)), lines)
  const { texts } = decodeCutTexts(column, rows.length, origin, new ScratchBuffers(0))
  assert.equal(texts.textOfRow, undefined)
  assert.equal(texts.textStart.length, rows.length + 1)
  assert.deepEqual(Buffer.from(decodeLineSlots(column, { ...sources, texts }, origin)), lines)
  const lineStart = new Uint32Array(rows.length + 1)
  for (const [i, length] of lengths.entries()) lineStart[i + 1] = lineStart[i]! + length
  const chosen = { rows: Uint32Array.of(0, 1, 30, 59), lineStart }
  const some = decodeSomeLines(column, sources, chosen, origin)
  for (const row of chosen.rows) {
    assert.deepEqual(Buffer.from(some.subarray(lineStart[row], lineStart[row + 1])), rows[row]!.line)
  }
})
