/**
 * Decode and distribute, without a socket and an ingester: CPU seconds per 10^9 bytes of lines. Run it with
 * `node src/logs/write/distributor/push.bench.ts [loki-protobuf|loki-json|otlp …]`.
 */
import { Distributor } from './distributor.ts'
import { LevelDetector } from './level-detector.ts'
import { noPushMetrics } from './push-metrics.ts'
import type { Clock } from '#/kernel/world.ts'
import { limits } from '#/logs/limits.ts'
import { encodePush, encodePushJson, type PushEntry } from '#/logs/wire/encode-push.ts'
import { decompressSnappy } from '#/logs/write/push/decode-body.ts'
import { decodeLokiJson } from '#/logs/write/push/loki-json.ts'
import { decodeLokiProtobuf } from '#/logs/write/push/loki-protobuf.ts'
import type { PushColumns } from '#/logs/write/push/push-columns.ts'
import { defaultsOf } from '#/platform/config/option.ts'
import type { Label } from '#/storage/index/label-index.ts'

const startNs = 1_790_000_000_000_000_000n
const clock = { nowNs: () => startNs, monotonicMs: () => performance.now() } as unknown as Clock
const bodyLimits = { maxCompressedBytes: 1e9, maxDecompressedBytes: 1e9 }

let seed = 7
function random(below: number): number {
  seed = (Math.imul(seed, 1103515245) + 12345) >>> 0
  return Math.floor((seed / 2 ** 32) * below)
}
function pick(list: readonly string[]): string {
  return list[random(list.length)] ?? ''
}
const hex = (size: number): string => Array.from({ length: size }, () => random(16).toString(16)).join('')

const lines: Readonly<Record<string, () => string>> = {
  logfmt: () =>
    `ts=2026-09-21T14:13:20.${random(1e6)}Z caller=${pick(['http.go', 'store.go'])}:${random(900)} level=${pick(['info', 'warn', 'debug'])} msg="request completed" method=GET path=/api/v1/items/${random(1e6)} status=200 duration=${random(900)}ms traceID=${hex(32)}`,
  json: () =>
    `{"timestamp":"2026-09-21T14:13:20.${random(1e6)}Z","logger":"com.example.${pick(['Cart', 'Pay'])}Service","thread":"http-${random(64)}","level":"${pick(['INFO', 'ERROR'])}","message":"order ${random(1e9)} processed for user ${random(1e6)}","trace_id":"${hex(32)}"}`,
  plain: () =>
    `10.${random(256)}.${random(256)}.${random(256)} - - [21/Sep/2026:14:13:20 +0000] "GET /static/js/app.${hex(8)}.js HTTP/1.1" 200 ${random(1e6)} "https://shop.example.com/cart" "Mozilla/5.0 (X11; Linux x86_64) Firefox/143.0"`,
}

type Stream = { readonly labels: Label[]; readonly text: string; readonly entries: PushEntry[] }

/** A push of about 1 MB of lines in 20 streams. */
function makePush(kinds: readonly string[], options: { readonly metadata: boolean }): readonly Stream[] {
  return Array.from({ length: 20 }, (_, index) => {
    const make = lines[kinds[index % kinds.length] ?? 'plain']!
    const labels: Label[] = [
      ['cluster', 'eu-1'],
      ['app', `app-${index}`],
      ['pod', `app-${index}-${hex(5)}`],
    ]
    const text = `{${labels.map(([name, value]) => `${name}="${value}"`).join(', ')}}`
    const entries = Array.from({ length: 280 }, (_, row): PushEntry => {
      const entry = { timeNs: startNs - BigInt(random(1e9)) * 1000n, line: make() }
      return options.metadata
        ? {
            ...entry,
            metadata: [
              ['trace_id', hex(32)],
              ['user', `u${row}`],
            ],
          }
        : entry
    })
    return { labels, text, entries }
  })
}

const tenantLimits = { ...defaultsOf(limits), ingestion_rate_mb: 1e6, ingestion_burst_size_mb: 1e6 }
const distributor = new Distributor({
  clock,
  limitsOf: () => tenantLimits,
  metrics: noPushMetrics,
  ingester: { push: async () => ({ duplicateRows: 0, refused: [] }) },
  maxInflightBytes: 0,
})

async function measure(name: string, bytes: number, run: () => Promise<void> | void): Promise<void> {
  if (!name.includes(process.argv[2] ?? '')) return
  const rounds = Math.ceil(3e8 / bytes)
  for (let warm = 0; warm < 30; warm++) await run()
  const before = process.cpuUsage()
  const start = performance.now()
  for (let round = 0; round < rounds; round++) await run()
  const seconds = (performance.now() - start) / 1000
  const { user, system } = process.cpuUsage(before)
  const gigabytes = (rounds * bytes) / 1e9
  const cpu = `${((user + system) / 1e6 / gigabytes).toFixed(2)} (${(user / 1e6 / gigabytes).toFixed(2)} user)`
  console.log(
    `${name.padEnd(34)} ${((gigabytes * 1000) / seconds).toFixed(0).padStart(6)} MB/s ${cpu.padStart(7)} CPU-s/GB`,
  )
}

async function push(columns: PushColumns): Promise<void> {
  const reply = await distributor.push('bench', {
    columns,
    backfillShard: undefined,
    policy: undefined,
    signal: undefined,
  })
  if (reply.status !== 204) throw new Error(reply.message)
}

for (const kinds of [['logfmt'], ['json'], ['plain'], ['logfmt', 'json', 'plain']]) {
  for (const metadata of [false, true]) {
    const streams = makePush(kinds, { metadata })
    const all = streams.flatMap(({ entries }) => entries.map(({ line }) => line))
    const bytes = all.reduce((sum, line) => sum + line.length, 0)
    const name = `${kinds.join('+')}${metadata ? ' with metadata' : ''}`
    const protobuf = encodePush(streams.map(({ text, entries }) => ({ labels: text, entries })))
    const json = encodePushJson(streams)
    await measure(`protobuf ${name}`, bytes, async () =>
      push(decodeLokiProtobuf(await decompressSnappy(protobuf, bodyLimits))),
    )
    await measure(`json ${name}`, bytes, () => push(decodeLokiJson(Buffer.from(json))))
    if (metadata) continue
    const message = await decompressSnappy(protobuf, bodyLimits)
    await measure(`  snappy alone`, bytes, async () => void (await decompressSnappy(protobuf, bodyLimits)))
    await measure(`  decode protobuf alone`, bytes, () => void decodeLokiProtobuf(message))
    await measure(
      `  encode protobuf alone`,
      bytes,
      () => void encodePush(streams.map(({ text, entries }) => ({ labels: text, entries }))),
    )
    const detector = new LevelDetector(tenantLimits.log_level_fields, tenantLimits.log_level_from_json_max_depth)
    const buffers = all.map((line) => Buffer.from(line))
    await measure(`  levels alone`, bytes, () => {
      for (const line of buffers) detector.detect(line, 0, line.length)
    })
  }
}
