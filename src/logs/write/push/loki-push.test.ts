import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeLegacyJson } from './legacy-json.ts'
import { decodeLokiJson } from './loki-json.ts'
import { decodeLokiProtobuf } from './loki-protobuf.ts'
import { maxRowsPerPush, type PushColumns } from './push-columns.ts'
import { BadRequest, TooLarge } from '#/kernel/errors.ts'
import { absoluteNs } from '#/logs/model/day.ts'
import { encodePushProtobuf } from '#/logs/wire/encode-push.ts'

type PlainRow = { readonly stream: string; readonly ns: bigint; readonly line: string; readonly meta: string }

/** Columns as plain rows. */
function plain(columns: PushColumns): PlainRow[] {
  const { bytes, pairBytes, pairs } = columns
  return Array.from({ length: columns.rowCount }, (_, row) => {
    const start = columns.lineStart[row]!
    const at = columns.stream[row]!
    const meta = Array.from({ length: columns.pairCount[row]! }, (_unused, index) => {
      const [nameStart, nameLength, valueStart, valueLength] = pairs.subarray((columns.pairStart[row]! + index) * 4)
      const name = pairBytes.toString('utf8', nameStart, nameStart! + nameLength!)
      return `${name}=${pairBytes.toString('utf8', valueStart, valueStart! + valueLength!)}`
    })
    return {
      stream: columns.streams.bytes.toString('utf8', columns.streams.start[at], columns.streams.end[at]),
      ns: absoluteNs(columns.day[row]!, columns.time[row]!),
      line: bytes.toString('utf8', start, start + columns.lineLength[row]!),
      meta: meta.join(','),
    }
  })
}

const json = (text: string): PlainRow[] => plain(decodeLokiJson(Buffer.from(text)))
const legacy = (text: string): PlainRow[] => plain(decodeLegacyJson(Buffer.from(text)))
const row = (stream: string, ns: bigint, line: string, meta = ''): PlainRow => ({ stream, ns, line, meta })

test('JSON, in the forms that clients send', () => {
  assert.deepEqual(
    json(`{"streams":[
      {"stream":{"job":"a"},"values":[["1712000000000000000","line"],["1712000000000000001","li\\"ne\\n2",{"trace_id":"a\\u00e9","x":""}]]},
      {"values":[["5","before its labels"]],"stream":{"n":1,"b":true}},
      {"stream":{"job":"ö"},"values":null,"other":[1,{"a":[]}]},
      {"stream":null,"values":[null,["0","x",{},"more",{"ignored":[1]}]]},
      null
    ],"unknown":{"deep":[[[]]]}}`),
    [
      row('{"job":"a"}', 1712000000000000000n, 'line'),
      row('{"job":"a"}', 1712000000000000001n, 'li"ne\n2', 'trace_id=aé,x='),
      row('{"n":1,"b":true}', 5n, 'before its labels'),
      row('{}', 0n, 'x'),
    ],
  )
  for (const empty of ['{}', '{"streams":null}', '{"streams":[]}', ' {"a":1} '])
    assert.deepEqual(json(empty), [], empty)
})

test('JSON times are exact int64', () => {
  const table: readonly (readonly [string, bigint])[] = [
    ['0', 0n],
    ['-1', -1n],
    ['+7', 7n],
    ['999999999', 999999999n],
    ['-1000000000', -1000000000n],
    ['-1000000001', -1000000001n],
    ['1790000000123456789', 1790000000123456789n],
    ['0000000000000000000000000012', 12n],
    ['9223372036854775807', 2n ** 63n - 1n],
    ['-9223372036854775808', -(2n ** 63n)],
  ]
  for (const [text, ns] of table) assert.equal(json(`{"streams":[{"values":[["${text}","x"]]}]}`)[0]?.ns, ns, text)
  for (const text of [
    '',
    '-',
    '1.5',
    '1e3',
    '0x1',
    ' 1',
    '9223372036854775808',
    '-9223372036854775809',
    '9'.repeat(400),
  ]) {
    assert.throws(() => json(`{"streams":[{"values":[["${text}","x"]]}]}`), BadRequest, text)
  }
})

test('JSON that is not a push is a bad request', () => {
  const entries = [
    '5',
    '["1"]',
    '[]',
    '[1,"x"]',
    '["1",2]',
    '["1",null]',
    '["1","x",null]',
    '["1","x",[]]',
    '["1","x",{"a":1}]',
    '{"a":1}',
    '"x"',
  ]
  for (const entry of entries)
    assert.throws(() => json(`{"streams":[{"stream":{},"values":[${entry}]}]}`), BadRequest, entry)
  const bodies = [
    '',
    'x',
    '[]',
    '"x"',
    '{"streams":{}}',
    '{"streams":[[]]}',
    '{"streams":[{"stream":[]}]}',
    '{"streams":[{"values":{}}]}',
  ]
  const cut = ['{"streams":[', '{"streams":[{"values":[["1","x', '{"streams":[]}}', '{"streams":[]} {}']
  for (const body of [...bodies, ...cut]) assert.throws(() => json(body), BadRequest, body)
  const deep = '['.repeat(10_000)
  assert.throws(() => json(`{"a":${deep}`), /nested deeper than 512/)
  assert.throws(() => json(`{"streams":[{"stream":{"a":${deep}`), /nested deeper than 512/)
  assert.throws(() => json(`{"streams":[{"values":[["1","x",{},${deep}`), /nested deeper than 512/)
})

test('JSON lines stay bytes', () => {
  const body = Buffer.concat([
    Buffer.from('{"streams":[{"values":[["1","a'),
    Buffer.from([0xff, 0xfe]),
    Buffer.from('b\\t"]]}]}'),
  ])
  const columns = decodeLokiJson(body)
  const start = columns.lineStart[0]!
  assert.deepEqual([...columns.bytes.subarray(start, start + columns.lineLength[0]!)], [0x61, 0xff, 0xfe, 0x62, 0x09])
})

test('legacy JSON', () => {
  assert.deepEqual(
    legacy(`{"streams":[{"labels":"{a=\\"b\\"}","entries":[
      {"ts":"2024-04-01T19:33:20.123456789Z","line":"x\\ty"},
      {"line":"offset","ts":"2024-04-01T21:33:20+02:00","structuredMetadata":[{"name":"k","value":"v\\n"}]},
      {"ts":"2024-04-01T19:33:20.5Z","line":"o","structuredMetadata":{"m":"w"},"x":[1]},
      {"ts":"0001-01-01T00:00:00Z"},null]},{"labels":null,"entries":null}]}`),
    [
      row('{a="b"}', 1712000000123456789n, 'x\ty'),
      row('{a="b"}', 1712000000000000000n, 'offset', 'k=v\n'),
      row('{a="b"}', 1712000000500000000n, 'o', 'm=w'),
      row('{a="b"}', -62135596800000000000n, ''),
    ],
  )
  for (const ts of [
    '',
    'x',
    '5',
    '2024-13-01T00:00:00Z',
    '2024-04-01',
    '10000-01-01T00:00:00Z',
    '2024-04-01T00:00:00',
  ]) {
    assert.throws(() => legacy(`{"streams":[{"entries":[{"ts":"${ts}"}]}]}`), BadRequest, ts)
  }
  assert.throws(() => legacy('{"streams":[{"labels":{"a":"b"}}]}'), BadRequest)
})

const protobuf = (hex: string): PlainRow[] => plain(decodeLokiProtobuf(Buffer.from(hex.replaceAll(' ', ''), 'hex')))

test('protobuf fields come in any order, unknown ones are passed over', () => {
  // entry { line "x", unknown 15, timestamp { nanos 7, seconds 1 }, pair { value "v", name "k" } } before labels
  const pair = '1a06 1201 76 0a01 6b'
  const entry = `1213 1201 78 7801 0a04 1007 0801 ${pair}`
  assert.deepEqual(protobuf(`0a1a ${entry} 1805 0a01 7b`), [row('{', 1_000_000_007n, 'x', 'k=v')])
  assert.deepEqual(protobuf('1204 6c6f6b69'), [])
  assert.deepEqual(protobuf('0a02 1200'), [row('', 0n, '')])
  assert.deepEqual(protobuf('0a0a 1208 1201 61 1203 626364'), [row('', 0n, 'bcd')], 'the last of two lines counts')
})

test('protobuf that is broken is a bad request', () => {
  const bad = [
    '0a',
    '0a05',
    '0a0112',
    '0a021205',
    '0a0412020a05',
    '0a04 1202 1a05',
    '00',
    '0f',
    'ff'.repeat(12),
    '0a03 1201 0a',
  ]
  for (const hex of bad) assert.throws(() => protobuf(hex), BadRequest, hex)
})

test('protobuf times beyond the years 1 to 9999 are a bad request', () => {
  const push = (timeNs: bigint): PlainRow[] =>
    plain(decodeLokiProtobuf(encodePushProtobuf([{ labels: '{}', entries: [{ timeNs, line: '' }] }])))
  const first = -62_135_596_800_000_000_000n
  const last = 253_402_300_799_999_999_999n
  for (const ns of [first, last, 0n, -1n, 999_999_999n]) assert.equal(push(ns)[0]?.ns, ns)
  assert.throws(
    () => push(first - 1n),
    /^BadRequest: timestamp: seconds:-62135596801 nanos:999999999 before 0001-01-01$/,
  )
  assert.throws(() => push(last + 1n), /after 10000-01-01$/)
  assert.throws(() => protobuf('0a0a 1208 0a06 10 8094ebdc03'), /nanos not in range \[0, 1e9\)$/)
  assert.throws(() => protobuf('0a0f 120d 0a0b 10 ffffffffffffffffff01'), /nanos not in range/)
})

test('a line of 100 MB is a range like any other', () => {
  const line = Buffer.alloc(100_000_000, 0x61)
  const columns = decodeLokiProtobuf(encodePushProtobuf([{ labels: '{a="b"}', entries: [{ timeNs: 1n, line }] }]))
  assert.equal(columns.lineLength[0], line.length)
  assert.equal(columns.bytes.length, columns.lineStart[0]! + line.length)
})

test('a body of nothing but empty entries does not take all memory', () => {
  const entries = Buffer.alloc((maxRowsPerPush + 1) * 2)
  for (let at = 0; at < entries.length; at += 2) entries[at] = 0x12
  const length = entries.length
  const header = Buffer.from([
    0x0a,
    (length & 0x7f) | 0x80,
    ((length >> 7) & 0x7f) | 0x80,
    ((length >> 14) & 0x7f) | 0x80,
    length >> 21,
  ])
  assert.throws(() => decodeLokiProtobuf(Buffer.concat([header, entries])), TooLarge)
  const streams = Buffer.alloc(2 * (1024 * 1024 + 1))
  for (let at = 0; at < streams.length; at += 2) streams[at] = 0x0a
  assert.throws(() => decodeLokiProtobuf(streams), TooLarge)
})

test('labels of more than 16 MB are too large', () => {
  const labels = `{a="${'x'.repeat(16 * 1024 * 1024)}"}`
  assert.throws(() => decodeLokiProtobuf(encodePushProtobuf([{ labels, entries: [] }])), TooLarge)
})
