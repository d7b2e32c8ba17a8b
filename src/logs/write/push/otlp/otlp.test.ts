import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compileOtlpRules } from './attribute-rules.ts'
import { Fixed64Time } from './log-record.ts'
import { otlpJsonToProtobuf } from './otlp-json.ts'
import { decodeOtlp } from './otlp-protobuf.ts'
import { BadRequest } from '#/kernel/errors.ts'
import { dayOf, timeInDay } from '#/logs/model/day.ts'
import { defaultIndexLabelAttributes, defaultOtlpConfig, parseOtlpConfig } from '#/logs/model/otlp-rules.ts'
import { testDistributor, testNowNs, type TestRow } from '#/logs/write/distributor/testing-distributor.ts'

// a protobuf encoder, as plain as can be
const varint = (value: bigint | number): Buffer => {
  const bytes: number[] = []
  let rest = BigInt.asUintN(64, BigInt(value))
  for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80)
  return Buffer.from([...bytes, Number(rest)])
}
const message = (number: number, ...parts: readonly Buffer[]): Buffer => {
  const body = Buffer.concat(parts)
  return Buffer.concat([varint(number * 8 + 2), varint(body.length), body])
}
const text = (number: number, value: string): Buffer => message(number, Buffer.from(value))
const number = (field: number, value: bigint | number): Buffer => Buffer.concat([varint(field * 8), varint(value)])
const fixed64 = (field: number, value: bigint): Buffer => {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(value)
  return Buffer.concat([varint(field * 8 + 1), bytes])
}
const fixed32 = (field: number, value: number): Buffer =>
  Buffer.concat([varint(field * 8 + 5), Buffer.from(Uint32Array.of(value).buffer)])
const double = (field: number, value: number): Buffer =>
  Buffer.concat([varint(field * 8 + 1), Buffer.from(Float64Array.of(value).buffer)])
const attribute = (field: number, key: string, ...value: readonly Buffer[]): Buffer =>
  message(field, text(1, key), message(2, ...value))
const list = (...values: readonly Buffer[]): Buffer => message(5, ...values.map((value) => message(1, value)))
const map = (...entries: readonly (readonly [string, Buffer])[]): Buffer =>
  message(6, ...entries.map(([key, value]) => attribute(1, key, value)))

const hash = (size: number): Buffer => Buffer.from(Array.from({ length: size }, (_, index) => 0xa0 + index))

type Options = { readonly config?: unknown; readonly hasServiceName?: boolean }

async function rows(body: Buffer, { config, hasServiceName = true }: Options = {}): Promise<TestRow[]> {
  const harness = testDistributor({ discover_log_levels: false })
  const rules = compileOtlpRules(parseOtlpConfig(config), defaultIndexLabelAttributes)
  const columns = decodeOtlp(body, { rules, nowNs: testNowNs, hasServiceName })
  const reply = await harness.pushColumns(columns)
  assert.equal(reply.status, 204, reply.message)
  return harness.rows
}

async function one(body: Buffer, options?: Options): Promise<TestRow> {
  const all = await rows(body, options)
  assert.equal(all.length, 1)
  return all[0]!
}

/** A request with one record in one scope of one resource. */
const request = (record: readonly Buffer[], scope: readonly Buffer[] = [], resource: readonly Buffer[] = []): Buffer =>
  message(1, message(1, ...resource), message(2, message(1, ...scope), message(2, ...record)))
const body = (...value: readonly Buffer[]): Buffer => message(5, ...value)

const full = request(
  [
    fixed64(1, testNowNs - 5n),
    number(2, 17),
    text(3, 'Error'),
    body(text(1, 'hello')),
    attribute(6, 'http.status_code', number(3, 500)),
    attribute(6, 'event_name', text(1, 'attribute')),
    number(7, 3),
    fixed32(8, 1),
    message(9, hash(16)),
    message(10, hash(8)),
    fixed64(11, testNowNs - 4n),
    text(12, 'checkout'),
  ],
  [text(1, 'my.scope'), text(2, '1.2'), attribute(3, 'scope.attr', text(1, 's')), number(4, 2)],
  [
    attribute(1, 'service.name', text(1, 'shop')),
    attribute(1, 'k8s.pod.name', text(1, 'shop-1')),
    attribute(1, 'host.name', text(1, 'h1')),
  ],
)
const fullMeta = {
  http_status_code: '500',
  observed_timestamp: String(testNowNs - 4n),
  severity_number: '17',
  severity_text: 'Error',
  dropped_attributes_count: '3',
  flags: '1',
  trace_id: 'a0a1a2a3a4a5a6a7a8a9aaabacadaeaf',
  span_id: 'a0a1a2a3a4a5a6a7',
  event_name: 'checkout',
  host_name: 'h1',
  scope_name: 'my.scope',
  scope_version: '1.2',
  scope_attr: 's',
  scope_dropped_attributes_count: '2',
}

test('every field of a record finds its place', async () => {
  const row = await one(full)
  assert.equal(row.stream, '{k8s_pod_name="shop-1", service_name="shop"}')
  assert.equal(row.timeNs, testNowNs - 5n)
  assert.equal(row.line, 'hello')
  assert.deepEqual(Object.entries(row.meta), Object.entries(fullMeta), 'in this order')
})

test('JSON means the same as protobuf', async () => {
  const time = String(testNowNs - 5n)
  const json = `{"resourceLogs":[{
    "resource":{"attributes":[
      {"key":"service.name","value":{"stringValue":"shop"}},
      {"key":"k8s.pod.name","value":{"stringValue":"shop-1"}},
      {"key":"host.name","value":{"stringValue":"h1"}}],"droppedAttributesCount":0},
    "scopeLogs":[{"scope":{"name":"my.scope","version":"1.2","attributes":[{"key":"scope.attr","value":{"stringValue":"s"}}],"droppedAttributesCount":2},
      "logRecords":[{"timeUnixNano":"${time}","observedTimeUnixNano":${testNowNs - 4n},"severityNumber":17,"severityText":"Error",
        "body":{"stringValue":"hello"},"attributes":[
          {"key":"http.status_code","value":{"intValue":"500"}},
          {"key":"event_name","value":{"stringValue":"attribute"}}],
        "droppedAttributesCount":3,"flags":1,"traceId":"A0A1A2A3A4A5A6A7A8A9AAABACADAEAF","spanId":"a0a1a2a3a4a5a6a7","eventName":"checkout","unknown":[{}]}],
      "schemaUrl":"x"}]}]}`
  const snake = json.replaceAll(
    /"(resourceLogs|scopeLogs|logRecords|timeUnixNano|stringValue|severityNumber|droppedAttributesCount)"/g,
    (key) => key.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
  )
  for (const form of [json, snake, json.replace('"severityNumber":17', '"severityNumber":"SEVERITY_NUMBER_ERROR"')]) {
    const row = await one(otlpJsonToProtobuf(Buffer.from(form)))
    assert.deepEqual(row, await one(full))
  }
})

test('values of every type as text', async () => {
  const table: readonly (readonly [Buffer, string])[] = [
    [text(1, 'ü "x"'), 'ü "x"'],
    [text(1, ''), ''],
    [Buffer.alloc(0), ''],
    [number(2, 1), 'true'],
    [number(2, 0), 'false'],
    [number(3, -(2n ** 63n)), '-9223372036854775808'],
    [number(3, 9007199254740993n), '9007199254740993'],
    [double(4, 0.1), '0.1'],
    [double(4, 1e21), '1e+21'],
    [double(4, 3), '3'],
    [double(4, -0), '-0'],
    [double(4, Number.NaN), 'NaN'],
    [double(4, -Infinity), '-Inf'],
    [message(7, Buffer.from([0xff, 0, 1])), '/wAB'],
    [list(), '[]'],
    [
      list(text(1, 'a"'), number(3, 2), list(number(2, 1)), map(['k', double(4, 1.5)]), Buffer.alloc(0)),
      '["a\\"",2,[true],{"k":1.5},null]',
    ],
    [map(['b', text(1, 'x')], ['a', map(['c', number(3, 1)])]), '{"a":{"c":1},"b":"x"}'],
    [message(6), '{}'],
  ]
  for (const [value, line] of table) assert.equal((await one(request([body(value)]))).line, line)
})

test('JSON values of every type as text', async () => {
  const table: readonly (readonly [string, string])[] = [
    ['{"stringValue":"a\\u00e9"}', 'aé'],
    ['{"boolValue":true}', 'true'],
    ['{"intValue":"-9223372036854775808"}', '-9223372036854775808'],
    ['{"intValue":12}', '12'],
    ['{"intValue":1e3}', '1000'],
    ['{"doubleValue":2.5}', '2.5'],
    ['{"doubleValue":"NaN"}', 'NaN'],
    ['{"bytesValue":"/wAB"}', '/wAB'],
    ['{"arrayValue":{"values":[{"intValue":1},null,{"stringValue":"x"}]}}', '[1,"x"]'],
    ['{"kvlistValue":{"values":[{"key":"k","value":{"boolValue":false}}]}}', '{"k":false}'],
    ['{}', ''],
    ['null', ''],
  ]
  for (const [value, line] of table) {
    const json = `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":${value}}]}]}]}`
    assert.equal((await one(otlpJsonToProtobuf(Buffer.from(json)))).line, line, value)
  }
})

test('times: own, else observed, else now', async () => {
  const line = body(text(1, 'x'))
  const own = await one(request([fixed64(1, 7n + testNowNs - 100n), line]))
  assert.deepEqual([own.timeNs, own.meta], [testNowNs - 93n, {}])
  const observed = await one(request([fixed64(11, testNowNs - 3n), line]))
  assert.deepEqual([observed.timeNs, observed.meta], [testNowNs - 3n, {}])
  assert.equal((await one(request([line]))).timeNs, testNowNs)
})

test('64-bit times are split into days exactly', () => {
  const time = new Fixed64Time()
  const day = 86_400_000_000_000n
  for (const ns of [
    0n,
    1n,
    day - 1n,
    day,
    day + 1n,
    2n ** 63n - 1n,
    2n ** 63n,
    2n ** 64n - 1n,
    213_503n * day,
    213_503n * day - 1n,
    testNowNs,
  ]) {
    time.low = Number(ns & 0xffff_ffffn)
    time.high = Number(ns >> 32n)
    assert.deepEqual([time.day, time.timeInDay, time.toString()], [dayOf(ns), timeInDay(ns), String(ns)])
  }
})

test('maps are flattened into names', async () => {
  const nested = map(['b.c', map(['d', number(3, 1)], ['e', list(number(3, 2))])], ['f', text(1, 'x')])
  const row = await one(
    request(
      [body(text(1, 'x')), attribute(6, 'a', nested)],
      [],
      [attribute(1, 'service.name', map(['x', text(1, 'y')]))],
    ),
  )
  assert.deepEqual(row.meta, { a_b_c_d: '1', a_b_c_e: '[2]', a_f: 'x' })
  assert.equal(row.stream, '{service_name="unknown_service", service_name_x="y"}')
})

test('rules of the tenant, the first that names an attribute decides', async () => {
  const config = {
    resource_attributes: {
      attributes_config: [
        { action: 'drop', attributes: ['service.name', 'host.name'] },
        { action: 'index_label', regex: 'x\\..*' },
        { action: 'drop', regex: 'x\\.secret' },
      ],
    },
    scope_attributes: [{ action: 'drop', regex: 'scope.*' }],
    log_attributes: [
      { action: 'index_label', attributes: ['team'] },
      { action: 'drop', regex: 'pass.*' },
    ],
    severity_text_as_label: true,
  }
  const push = request(
    [
      text(3, 'WARN'),
      body(text(1, 'x')),
      attribute(6, 'team', text(1, 'a')),
      attribute(6, 'password', text(1, 'p')),
      attribute(6, 'compass', text(1, 'n')),
    ],
    [attribute(3, 'scope.x', text(1, '1')), attribute(3, 'other', text(1, '2'))],
    [
      attribute(1, 'service.name', text(1, 's')),
      attribute(1, 'host.name', text(1, 'h')),
      attribute(1, 'x.secret', text(1, 'v')),
      attribute(1, 'y', text(1, 'z')),
    ],
  )
  const row = await one(push, { config })
  assert.equal(row.stream, '{service_name="s", severity_text="WARN", team="a", x_secret="v"}', 'defaults come first')
  assert.deepEqual(row.meta, { compass: 'n', severity_text: 'WARN', y: 'z', other: '2' })
  const without = await one(push, { config: { resource_attributes: { ignore_defaults: true } } })
  assert.equal(without.stream, '{service_name="unknown_service"}')
  assert.equal(without.meta['service_name'], 's')
})

test('service_name of a resource without service.name', async () => {
  const line = body(text(1, 'x'))
  const container = request([line], [], [attribute(1, 'k8s.container.name', text(1, 'c1'))])
  assert.equal((await one(container)).stream, '{k8s_container_name="c1", service_name="c1"}')
  const empty = request(
    [line],
    [],
    [attribute(1, 'service.name', text(1, '')), attribute(1, 'k8s.job.name', text(1, 'j'))],
  )
  assert.equal((await one(empty)).stream, '{k8s_job_name="j", service_name="j"}')
  assert.equal((await one(request([line]))).stream, '{service_name="unknown_service"}')
})

test('the resource and the scope count wherever they stand, and equal streams are one', async () => {
  const record = message(2, body(text(1, 'x')))
  const resource = message(1, attribute(1, 'service.name', text(1, 's')), attribute(1, 'r', text(1, '1')))
  const scope = message(1, text(1, 'sc'))
  const late = message(1, message(2, record, scope), message(2, record), resource)
  const all = await rows(Buffer.concat([late, message(1, resource, message(2, record))]))
  assert.deepEqual(
    all.map(({ stream }) => stream),
    Array(3).fill('{service_name="s"}'),
  )
  assert.deepEqual(
    all.map(({ meta }) => meta),
    [{ r: '1', scope_name: 'sc' }, { r: '1' }, { r: '1' }],
  )
})

test('levels come from the severity', async () => {
  const harness = testDistributor()
  const rules = compileOtlpRules(defaultOtlpConfig, defaultIndexLabelAttributes)
  const options = { rules, nowNs: testNowNs, hasServiceName: true }
  const pushes = [
    request([number(2, 13), body(text(1, 'fatal'))]),
    request([text(3, 'DEBUG'), number(2, 13), body(text(1, 'x'))]),
    request([body(text(1, 'an error'))]),
  ]
  for (const push of pushes) await harness.pushColumns(decodeOtlp(push, options))
  assert.deepEqual(
    harness.rows.map(({ meta }) => meta['detected_level']),
    ['warn', 'debug', 'error'],
  )
})

test('what is no OTLP is a bad request', async () => {
  const rules = compileOtlpRules(defaultOtlpConfig, defaultIndexLabelAttributes)
  const decode = (bytes: Buffer): unknown => decodeOtlp(bytes, { rules, nowNs: testNowNs, hasServiceName: true })
  let deep = text(1, 'x')
  for (let level = 0; level < 100; level++) deep = list(deep)
  let deepMap = text(1, 'x')
  for (let level = 0; level < 100; level++) deepMap = map(['k', deepMap])
  const bad = [
    full.subarray(0, full.length - 1),
    Buffer.from([0x0a]),
    request([body(deep)]),
    request([attribute(6, 'a', deepMap)]),
    request([attribute(6, 'a', deep)]),
  ]
  for (const bytes of bad) assert.throws(() => decode(bytes), BadRequest)
  const record = (fields: string): string => `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{${fields}}]}]}]}`
  const badJson = [
    '"timeUnixNano":"x"',
    '"timeUnixNano":1.5',
    '"traceId":"xyz"',
    '"traceId":"abc"',
    '"body":"x"',
    '"severityNumber":"LOUD"',
    '"body":{"boolValue":1}',
    '"body":{"doubleValue":"x"}',
    '"flags":""',
    '"attributes":[1]',
    '"attributes":{"key":1}',
  ].map(record)
  for (const json of [...badJson, '[]', '{', '', '{"resourceLogs":5}', `{"a":${'['.repeat(10_000)}`]) {
    assert.throws(() => otlpJsonToProtobuf(Buffer.from(json)), BadRequest, json.slice(0, 100))
  }
  const deepJson = record(`"body":${'{"arrayValue":{"values":['.repeat(400)}`)
  assert.throws(() => otlpJsonToProtobuf(Buffer.from(deepJson)), /nested deeper/)
})
