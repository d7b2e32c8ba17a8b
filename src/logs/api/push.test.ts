import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deflateRawSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { compressFrameSync } from 'lz4-napi'
import { legacyPushEndpoint, pushEndpoint } from './push-loki.ts'
import { otlpEndpoint } from './push-otlp.ts'
import { Unavailable } from '#/kernel/errors.ts'
import type { Limits } from '#/logs/limits.ts'
import { defaultIndexLabelAttributes } from '#/logs/model/otlp-rules.ts'
import { encodePush } from '#/logs/wire/encode-push.ts'
import { WorkMemoryPool } from '#/platform/memory/work-memory.ts'
import { testDistributor, testNowNs, type TestDistributor } from '#/logs/write/distributor/testing-distributor.ts'
import type { Endpoint, HttpReply } from '#/platform/http/endpoint.ts'
import { silentLogger } from '#/platform/telemetry/logger.ts'

const bodyLimits = { maxCompressedBytes: 100_000, maxDecompressedBytes: 200_000 }

type Server = {
  readonly harness: TestDistributor
  readonly send: (path: string, headers: Record<string, string>, body: Buffer | string) => Promise<HttpReply>
}

function server(limits: Partial<Limits> = {}): Server {
  const harness = testDistributor(limits)
  const deps = { distributor: harness.distributor, bodyLimits, memory: new WorkMemoryPool(1 << 20) }
  const otlp = {
    ...deps,
    limitsOf: () => harness.limits,
    nowNs: () => testNowNs,
    logger: silentLogger,
    defaultIndexLabels: defaultIndexLabelAttributes,
  }
  const endpoints: readonly Endpoint[] = [pushEndpoint(deps), legacyPushEndpoint(deps), otlpEndpoint(otlp)]
  const send: Server['send'] = (path, headers, body) =>
    endpoints
      .find((endpoint) => endpoint.path === path)!
      .handle({
        method: 'POST',
        path,
        pathParams: {},
        query: new URLSearchParams(),
        headers,
        body: Buffer.from(body as never),
        tenant: 't1',
        signal: new AbortController().signal,
        remoteAddress: '127.0.0.1',
      })
  return { harness, send }
}

const ns = String(testNowNs)
const json = `{"streams":[{"stream":{"app":"a"},"values":[["${ns}","line"]]}]}`
const protobuf = encodePush([{ labels: '{app="a"}', entries: [{ timeNs: testNowNs, line: 'line' }] }])
const legacy = `{"streams":[{"labels":"{app=\\"a\\"}","entries":[{"ts":"2026-09-21T14:13:20Z","line":"line"}]}]}`
const asJson = { 'content-type': 'application/json' }
const asProtobuf = { 'content-type': 'application/x-protobuf' }

const good: readonly (readonly [string, string, Record<string, string>, Buffer | string])[] = [
  ['protobuf', '/loki/api/v1/push', asProtobuf, protobuf],
  ['protobuf marked as snappy', '/loki/api/v1/push', { ...asProtobuf, 'content-encoding': 'snappy' }, protobuf],
  ['protobuf in gzip', '/loki/api/v1/push', { ...asProtobuf, 'content-encoding': 'gzip' }, gzipSync(protobuf)],
  ['protobuf of another name', '/loki/api/v1/push', { 'content-type': 'text/plain; charset=utf-8' }, protobuf],
  ['JSON', '/loki/api/v1/push', asJson, json],
  ['JSON with a charset', '/loki/api/v1/push', { 'content-type': 'Application/JSON; charset=utf-8' }, json],
  ['JSON in gzip', '/loki/api/v1/push', { ...asJson, 'content-encoding': 'gzip' }, gzipSync(json)],
  ['JSON in deflate', '/loki/api/v1/push', { ...asJson, 'content-encoding': 'deflate' }, deflateRawSync(json)],
  ['JSON in zstd', '/loki/api/v1/push', { ...asJson, 'content-encoding': 'zstd' }, zstdCompressSync(json)],
  ['legacy protobuf', '/api/prom/push', asProtobuf, protobuf],
  ['legacy JSON', '/api/prom/push', asJson, legacy],
]
for (const [name, path, headers, body] of good) {
  test(`204: ${name}`, async () => {
    const { harness, send } = server()
    assert.deepEqual(await send(path, headers, body), { status: 204 })
    assert.deepEqual(
      harness.rows.map(({ stream, timeNs, line }) => `${stream} ${timeNs} ${line}`),
      [`{app="a", service_name="a"} ${ns} line`],
    )
  })
}

const old = json.replace(ns, '0')
const bad: readonly (readonly [string, number, RegExp, Record<string, string>, Buffer | string])[] = [
  ['no content type', 400, /^mime: no media type\n$/, {}, json],
  ['a content type that is none', 400, /^mime: no media type\n$/, { 'content-type': 'json' }, json],
  [
    'an unknown encoding',
    400,
    /^Content-Encoding "br" not supported\n$/,
    { ...asJson, 'content-encoding': 'br' },
    json,
  ],
  ['no streams', 422, /^error at least one valid stream is required for ingestion\n$/, asJson, '{"streams":[]}'],
  ['broken JSON', 400, /^invalid JSON at byte 1: .*\n$/, asJson, '{'],
  ['JSON as protobuf', 400, /^snappy: corrupt input\n$/, asProtobuf, json],
  ['snappy of something else', 400, /^protobuf: .*\n$/, asProtobuf, Buffer.from([2, 4, 0x0a, 0x05])],
  [
    'truncated gzip',
    400,
    /^gzip: unexpected end of file\n$/,
    { ...asJson, 'content-encoding': 'gzip' },
    gzipSync(json).subarray(0, 30),
  ],
  [
    'a zip bomb',
    413,
    /^request body too large: decompressed message size too large than max \(200001 vs 200000\)\n$/,
    { ...asJson, 'content-encoding': 'gzip' },
    gzipSync(Buffer.alloc(50_000_000)),
  ],
  [
    'a large body',
    413,
    /^request body too large: message size too large than max \(100001 vs 100000\)\n$/,
    asJson,
    Buffer.alloc(100_001),
  ],
  [
    'an old entry',
    400,
    /^entry for stream '\{app="a", service_name="a"\}' has timestamp too old: 1970-01-01T00:00:00Z, .*\n$/,
    asJson,
    old,
  ],
  ['10,000-deep JSON', 400, /^JSON is nested deeper than 512 levels\n$/, asJson, `{"a":${'['.repeat(10_000)}`],
  [
    'labels out of the grammar',
    400,
    /^error parsing labels '\{"a-b":"c"\}' with error: invalid label name "a-b"\n$/,
    asJson,
    json.replace('"app":"a"', '"a-b":"c"'),
  ],
  [
    'a bad shard header',
    400,
    /^X-Loki-Backfill-Shard must be UTF-8 of at most 128 bytes\n$/,
    { ...asJson, 'x-loki-backfill-shard': 'x'.repeat(129) },
    json,
  ],
  [
    'a shard header that is no UTF-8',
    400,
    /^X-Loki-Backfill-Shard must be UTF-8/,
    { ...asJson, 'x-loki-backfill-shard': '\xff' },
    json,
  ],
]
for (const [name, status, body, headers, sent] of bad) {
  test(`${status}: ${name}`, async () => {
    const { send, harness } = server()
    const reply = await send('/loki/api/v1/push', headers, sent)
    assert.equal(reply.status, status)
    assert.match(reply.body as string, body)
    assert.equal(reply.headers?.['content-type'], 'text/plain; charset=utf-8')
    assert.equal(harness.rows.length, 0)
    assert.deepEqual(await send('/loki/api/v1/push', asJson, json), { status: 204 }, 'the next push goes on')
  })
}

test('a repeated push reads the body that was sent, also with escapes', async () => {
  const { send, harness } = server()
  await send('/loki/api/v1/push', asJson, json.replace('line', '\\u00e9\\n"'.replace('"', '\\"')))
  assert.equal(harness.rows[0]?.line, 'é\n"')
})

test('headers of a push count', async () => {
  const { send, harness } = server({ policy_enforced_labels: { strict: ['env'] } })
  assert.deepEqual(await send('/loki/api/v1/push', { ...asJson, 'x-loki-backfill-shard': '7' }, old), { status: 204 })
  assert.match(harness.rows[0]!.stream, /__backfill_shard__="7"/)
  assert.equal((await send('/loki/api/v1/push', { ...asJson, 'x-loki-ingestion-policy': 'strict' }, json)).status, 400)
})

test('an ingester that cannot take it is 503 with Retry-After', async () => {
  const { send, harness } = server()
  harness.outcome = new Unavailable('disk full', { retryAfterSeconds: 5 })
  const reply = await send('/loki/api/v1/push', asJson, json)
  assert.deepEqual([reply.status, reply.body, reply.headers?.['retry-after']], [503, 'disk full\n', '5'])
  harness.outcome = new TypeError('a bug')
  await assert.rejects(send('/loki/api/v1/push', asJson, json), TypeError)
})

const otlpJson = `{"resourceLogs":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"s"}}]},"scopeLogs":[{"logRecords":[{"timeUnixNano":"${ns}","body":{"stringValue":"line"}}]}]}]}`

/** The message in a `google.rpc.Status`. */
function rpcMessage(reply: HttpReply): string {
  const body = reply.body as Buffer
  assert.equal(body[0], 0x12)
  const skip = body[1]! < 0x80 ? 2 : 3
  return body.toString('utf8', skip)
}

test('OTLP in every encoding', async () => {
  for (const [encoding, body] of [
    ['', Buffer.from(otlpJson)],
    ['gzip', gzipSync(otlpJson)],
    ['zstd', zstdCompressSync(otlpJson)],
    ['lz4', compressFrameSync(otlpJson)],
  ] as const) {
    const { send, harness } = server()
    assert.deepEqual(await send('/otlp/v1/logs', { ...asJson, 'content-encoding': encoding }, body), { status: 204 })
    assert.equal(harness.rows[0]?.stream, '{service_name="s"}', encoding)
    assert.match(harness.counted[0]!, /^received t1 otlp /)
  }
})

test('an OTLP request without records is good, as its protocol says', async () => {
  const { send, harness } = server()
  harness.outcome = new TypeError('it must not come so far')
  for (const [headers, body] of [
    [asJson, '{}'],
    [asJson, '{"resourceLogs":[]}'],
    [asJson, '{"resourceLogs":[{"scopeLogs":[]}]}'],
    [asProtobuf, ''],
  ] as const) {
    assert.equal((await send('/otlp/v1/logs', headers, body)).status, 204, body)
  }
})

test('OTLP errors are google.rpc.Status, and never 500', async () => {
  const { send, harness } = server()
  const cases: readonly (readonly [number, string, Record<string, string>, string])[] = [
    [
      400,
      'content type: application/json; charset=utf-8 is not supported',
      { 'content-type': 'application/json; charset=utf-8' },
      otlpJson,
    ],
    [400, 'content type:  is not supported', {}, otlpJson],
    [
      400,
      'unsupported content encoding snappy: only gzip, lz4 and zstd are supported',
      { ...asJson, 'content-encoding': 'snappy' },
      otlpJson,
    ],
    [400, 'invalid JSON at byte 1: expected a text in quotes, found the end', asJson, '{'],
  ]
  for (const [status, message, headers, body] of cases) {
    const reply = await send('/otlp/v1/logs', headers, body)
    assert.deepEqual([reply.status, rpcMessage(reply)], [status, message])
    assert.equal(reply.headers?.['content-type'], 'application/octet-stream')
  }
  const late = await send('/otlp/v1/logs', asJson, otlpJson.replace(ns, '1'))
  assert.equal(late.status, 400)
  assert.match(rpcMessage(late), /^entry for stream '\{service_name="s"\}' has timestamp too old/)
  harness.outcome = new TypeError('a bug')
  const broken = await send('/otlp/v1/logs', asJson, otlpJson)
  assert.deepEqual([broken.status, rpcMessage(broken)], [503, 'internal error'])
})
