/** For tests: a distributor on a clock that stands still, whose ingester keeps what it is given, and batches as plain rows. */
import { Distributor, type PushReply } from './distributor.ts'
import type { Clock } from '#/kernel/world.ts'
import { limits, type Limits } from '#/logs/limits.ts'
import { absoluteNs } from '#/logs/model/day.ts'
import type { EntryBatch } from '#/logs/wire/entry-batch.ts'
import { encodePush, type PushStream } from '#/logs/wire/encode-push.ts'
import type { PushOutcome } from '#/logs/wire/head-view.ts'
import { decompressSnappy } from '#/logs/write/push/decode-body.ts'
import { decodeLokiProtobuf } from '#/logs/write/push/loki-protobuf.ts'
import type { PushColumns } from '#/logs/write/push/push-columns.ts'
import { defaultsOf } from '#/platform/config/option.ts'
import { textAt } from '#/storage/index/text-table.ts'

/** 2026-09-21T14:13:20Z */
export const testNowNs = 1_790_000_000_000_000_000n

export type TestRow = {
  readonly stream: string
  readonly timeNs: bigint
  readonly line: string
  readonly meta: Readonly<Record<string, string>>
}

export type TestDistributor = {
  readonly distributor: Distributor
  limits: Limits
  /** Rows that reached the ingester, all pushes together. */
  readonly rows: TestRow[]
  /** `received tenant …`, `discarded reason …` */
  readonly counted: string[]
  readonly clock: { monotonicMs: number; nowNs: bigint }
  /** What the ingester answers, or throws. */
  outcome: PushOutcome | Error
  readonly push: (streams: readonly PushStream[], options?: PushOptions) => Promise<PushReply>
  readonly pushColumns: (columns: PushColumns, options?: PushOptions) => Promise<PushReply>
}

type PushOptions = { readonly tenant?: string; readonly backfillShard?: string; readonly policy?: string }
const unbounded = { maxCompressedBytes: 1e9, maxDecompressedBytes: 1e9 }

export function testDistributor(overrides: Partial<Limits> = {}, maxInflightBytes = 0): TestDistributor {
  const tenantLimits = { ...defaultsOf(limits), ingestion_rate_mb: 1000, ingestion_burst_size_mb: 1000, ...overrides }
  const rows: TestRow[] = []
  const counted: string[] = []
  const time = { monotonicMs: 0, nowNs: testNowNs }
  const clock = { nowNs: () => time.nowNs, monotonicMs: () => time.monotonicMs, sleep: async () => undefined }
  const distributor = new Distributor({
    clock: clock as unknown as Clock,
    limitsOf: () => test.limits,
    maxInflightBytes,
    metrics: {
      received: ({ tenant, format, policy, isInternal }, lines, bytes, metadataBytes) =>
        counted.push(`received ${tenant} ${format} [${policy}] ${isInternal} ${lines} ${bytes} ${metadataBytes}`),
      discarded: ({ tenant, policy }, reason, lines, bytes) =>
        counted.push(`discarded ${tenant} [${policy}] ${reason} ${lines} ${bytes}`),
      mutated: (tenant, reason, lines, bytes) => counted.push(`mutated ${tenant} ${reason} ${lines} ${bytes}`),
      paced: (seconds) => counted.push(`paced ${seconds}`),
    },
    ingester: {
      push: async (_tenant, batch) => {
        if (test.outcome instanceof Error) throw test.outcome
        rows.push(...rowsOf(batch))
        return test.outcome
      },
    },
  })
  const test: TestDistributor = {
    distributor,
    limits: tenantLimits,
    rows,
    counted,
    clock: time,
    outcome: { duplicateRows: 0, refused: [] },
    push: async (streams, options) =>
      test.pushColumns(decodeLokiProtobuf(await decompressSnappy(encodePush(streams), unbounded)), options),
    pushColumns: (columns, { tenant = 't1', backfillShard, policy } = {}) =>
      distributor.push(tenant, { columns, backfillShard, policy, signal: undefined }),
  }
  return test
}

export function rowsOf(batch: EntryBatch): TestRow[] {
  return Array.from({ length: batch.rowCount }, (_, row) => {
    const start = batch.lineStart[row]!
    return {
      stream: textAt(batch.streams, batch.stream[row]!),
      timeNs: absoluteNs(batch.day[row]!, batch.time[row]!),
      line: batch.bytes.toString('utf8', start, start + batch.lineLength[row]!),
      meta: metaOf(batch, row),
    }
  })
}

function metaOf(batch: EntryBatch, row: number): Record<string, string> {
  const meta: Record<string, string> = {}
  let at = batch.metaStart[row]!
  const end = at + batch.metaLength[row]!
  const uvarint = (): number => {
    let value = 0
    for (let scale = 1; ; scale *= 128) {
      const byte = batch.meta.readUInt8(at++)
      value += (byte & 0x7f) * scale
      if (byte < 0x80) return value
    }
  }
  while (at < end) {
    const name = batch.metaNames[uvarint()]!
    const length = uvarint()
    if (Object.hasOwn(meta, name)) throw new Error(`name ${name} occurs twice in row ${row}`)
    meta[name] = batch.meta.toString('utf8', at, at + length)
    at += length
  }
  if (at !== end) throw new Error(`metadata of row ${row} ends at ${at}, not ${end}`)
  return meta
}
