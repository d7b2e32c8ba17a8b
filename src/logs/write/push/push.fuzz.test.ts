/** Properties of all decoders: equal requests give equal batches, and no bytes make them fail but with a 4xx. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deflateRawSync, gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { compressSync } from 'snappy'
import { decompress, decompressSnappy } from './decode-body.ts'
import { decodeLegacyJson } from './legacy-json.ts'
import { decodeLokiJson } from './loki-json.ts'
import { decodeLokiProtobuf } from './loki-protobuf.ts'
import { compileOtlpRules } from './otlp/attribute-rules.ts'
import { otlpJsonToProtobuf } from './otlp/otlp-json.ts'
import { decodeOtlp } from './otlp/otlp-protobuf.ts'
import type { PushColumns } from './push-columns.ts'
import { BadRequest, TooLarge } from '#/kernel/errors.ts'
import { formatLabels } from '#/logs/model/labels.ts'
import { defaultIndexLabelAttributes, defaultOtlpConfig } from '#/logs/model/otlp-rules.ts'
import { encodePush, encodePushJson, encodePushProtobuf } from '#/logs/wire/encode-push.ts'
import { testDistributor, testNowNs } from '#/logs/write/distributor/testing-distributor.ts'
import type { Label } from '#/storage/index/label-index.ts'
import { testSeed } from '#/kernel/fixture/test-seed.ts'
console.log(`push fuzz: SEED=${testSeed}`)
const limits = { maxCompressedBytes: 1_000_000, maxDecompressedBytes: 1_000_000 }

const text = fc.string({ unit: 'grapheme', maxLength: 20 })
const line = fc.oneof(text, fc.constantFrom('level=error x', '{"level":"warn"}', 'a\n"b"\\', 'INFO x', '\u0000\u001f'))
const name = fc.stringMatching(/^[a-z_]{1,3}[a-z]$/)
const metadata = fc.array(fc.tuple(fc.oneof(name, fc.constantFrom('level', 'detected_level', 'a.b')), text), {
  maxLength: 3,
})
const entry = fc.record({
  timeNs: fc.bigInt({ min: testNowNs - 700_000_000_000_000n, max: testNowNs + 700_000_000_000n }),
  line,
  metadata: fc.uniqueArray(fc.tuple(name, text), { selector: ([key]) => key, maxLength: 3 }),
})
const labels = fc.uniqueArray(fc.tuple(fc.constantFrom('app', 'env', 'level', 'service_name', 'x'), text), {
  selector: ([key]) => key,
  maxLength: 4,
})
const request = fc.array(fc.record({ labels, entries: fc.array(entry, { maxLength: 4 }) }), {
  minLength: 1,
  maxLength: 5,
})

test('protobuf and JSON of the same request give the same answer and the same rows', async () => {
  await fc.assert(
    fc.asyncProperty(request, async (streams) => {
      const texts = streams.map(({ labels: pairs, entries }) => ({ labels: formatLabels(pairs as Label[]), entries }))
      const byProtobuf = testDistributor()
      const byJson = testDistributor()
      const byLegacy = testDistributor()
      const replies = [
        await byProtobuf.pushColumns(decodeLokiProtobuf(await decompressSnappy(encodePush(texts), limits))),
        await byJson.pushColumns(decodeLokiJson(encodePushJson(streams as never))),
        await byLegacy.pushColumns(decodeLegacyJson(legacyJson(texts))),
      ]
      assert.deepEqual(replies[1], replies[0])
      assert.deepEqual(replies[2], replies[0])
      assert.deepEqual(byJson.rows, byProtobuf.rows)
      assert.deepEqual(byLegacy.rows, byProtobuf.rows)
      assert.deepEqual(byJson.counted, byProtobuf.counted)
    }),
    { seed: testSeed, numRuns: 300 },
  )
})

function legacyJson(
  streams: readonly {
    labels: string
    entries: readonly { timeNs: bigint; line: string; metadata: readonly [string, string][] }[]
  }[],
): Buffer {
  const body = streams.map((stream) => ({
    labels: stream.labels,
    entries: stream.entries.map((one) => ({
      ts: `${new Date(Number(one.timeNs / 1_000_000_000n) * 1000).toISOString().slice(0, 19)}.${String(one.timeNs % 1_000_000_000n).padStart(9, '0')}Z`,
      line: one.line,
      structuredMetadata: one.metadata.map(([key, value]) => ({ name: key, value })),
    })),
  }))
  return Buffer.from(JSON.stringify({ streams: body }))
}

const otlpRules = compileOtlpRules(defaultOtlpConfig, defaultIndexLabelAttributes)
const otlpOptions = { rules: otlpRules, nowNs: testNowNs, hasServiceName: true }
const decoders: Readonly<Record<string, (body: Buffer) => PushColumns>> = {
  protobuf: decodeLokiProtobuf,
  json: decodeLokiJson,
  legacy: decodeLegacyJson,
  otlp: (body) => decodeOtlp(body, otlpOptions),
  otlpJson: (body) => decodeOtlp(otlpJsonToProtobuf(body), otlpOptions),
}

/** What any bytes lead to: rows that can be stored, or a 4xx. */
async function survives(body: Buffer): Promise<void> {
  for (const [kind, decode] of Object.entries(decoders)) {
    try {
      const columns = decode(Buffer.from(body))
      if (columns.streams.length > 0) await testDistributor({ reject_old_samples: false }).pushColumns(columns)
    } catch (error) {
      if (!(error instanceof BadRequest || error instanceof TooLarge))
        throw new Error(`${kind} fails`, { cause: error })
    }
  }
}

test('random bytes are refused or stored', async () => {
  const syntax = fc.constantFrom(
    '{',
    '}',
    '[',
    ']',
    '"streams":',
    '"values":',
    '"stream":',
    '"1"',
    '"x"',
    ',',
    '\\u',
    '"',
    'null',
    '1',
  )
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 60 }).map((random) => Buffer.from(random)),
    fc
      .array(fc.constantFrom(0x0a, 0x12, 0x1a, 0x08, 0x10, 0x02, 0x00, 0x04, 0x32, 0x2a), { maxLength: 60 })
      .map((list) => Buffer.from(list)),
    fc.array(syntax, { maxLength: 20 }).map((parts) => Buffer.from(parts.join(''))),
  )
  await fc.assert(fc.asyncProperty(bytes, survives), { seed: testSeed, numRuns: 1500 })
})

test('a good request with some bytes changed is refused or stored', async () => {
  const change = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 3 })
  await fc.assert(
    fc.asyncProperty(request, metadata, change, fc.nat(), async (streams, pairs, changes, cut) => {
      const texts = streams.map(({ labels: of, entries }) => ({
        labels: formatLabels(of as Label[]),
        entries: [...entries, { timeNs: testNowNs, line: 'x', metadata: pairs as Label[] }],
      }))
      for (const whole of [encodePushProtobuf(texts), encodePushJson(streams as never), legacyJson(texts as never)]) {
        const body = Buffer.from(whole)
        for (const [at, byte] of changes) body[at % body.length] = byte
        await survives(body)
        await survives(whole.subarray(0, cut % whole.length))
      }
    }),
    { seed: testSeed, numRuns: 150 },
  )
})

test('compressed bytes that were changed are refused or read', async () => {
  const source = Buffer.from('some text that repeats; some text that repeats; some text that repeats')
  const packed = [compressSync(source), gzipSync(source), deflateRawSync(source)]
  await fc.assert(
    fc.asyncProperty(fc.nat(), fc.nat(255), async (at, byte) => {
      for (const [index, whole] of packed.entries()) {
        const body = Buffer.from(whole)
        body[at % body.length] = byte
        try {
          if (index === 0) await decompressSnappy(body, limits)
          else await decompress(body, index === 1 ? 'gzip' : 'deflate', limits)
        } catch (error) {
          assert.ok(error instanceof BadRequest || error instanceof TooLarge, String(error))
        }
      }
    }),
    { seed: testSeed, numRuns: 500 },
  )
})
