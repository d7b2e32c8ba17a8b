/**
 * Between the decoders and the ingester: checks a push against the tenant's limits, drops what breaks them, and hands the rest
 * on. The good entries of a partly bad push are stored, and the answer says what was refused and why.
 *
 * Order: in-flight limit, at least one stream, per-row checks (./batch-builder.ts), rate of the tenant (all or nothing), ingester.
 */
import { BatchBuilder, type BuiltBatch } from './batch-builder.ts'
import { GenericFields } from './generic-fields.ts'
import { LevelDetector } from './level-detector.ts'
import { PolicyTable } from './policies.ts'
import type { PushMetrics } from './push-metrics.ts'
import { refusalTexts } from './refusal-texts.ts'
import type { StreamRules } from './resolve-stream.ts'
import { StreamCache } from './stream-cache.ts'
import { TokenBucket } from './token-bucket.ts'
import { EddaError, Unavailable } from '#/kernel/errors.ts'
import type { Clock } from '#/kernel/world.ts'
import type { Limits, LimitsOf } from '#/logs/limits.ts'
import type { IngesterWriter, PushOutcome } from '#/logs/wire/head-view.ts'
import type { PushColumns } from '#/logs/write/push/push-columns.ts'

export type PushRequest = {
  /** Written over: the caller must not use them again. */
  readonly columns: PushColumns
  /** `X-Loki-Backfill-Shard` */
  readonly backfillShard: string | undefined
  /** `X-Loki-Ingestion-Policy` */
  readonly policy: string | undefined
  readonly signal: AbortSignal | undefined
}

/** What the client is told. With 204 there is nothing to say. A 400 does not mean that nothing was stored. */
export type PushReply = {
  readonly status: number
  readonly message: string
  /** Entries that were refused while others were stored; undefined when all or none were. */
  readonly refusedRows?: number
}

export type DistributorDeps = {
  readonly clock: Clock
  readonly limitsOf: LimitsOf
  readonly metrics: PushMetrics
  /** The ingester for a batch: the one of this process, or a ring behind the same contract. */
  readonly ingester: IngesterWriter
  /** Bytes of pushes in work at once; 0 = no limit. */
  readonly maxInflightBytes: number
  /** Why nothing new may be stored at this moment, as when the disk is nearly full; undefined when it may. */
  readonly refusal?: () => EddaError | undefined
}

/** Texts of known streams, per generation of the cache. */
const streamCacheBytes = 32 * 1024 * 1024
/** Tenants that have not pushed for so long are forgotten; their buckets are full again by then. */
const idleTenantMs = 600_000
const mebibyte = 1024 * 1024

type TenantState = {
  limits: Limits
  detector: LevelDetector
  genericFields: GenericFields
  policies: PolicyTable
  readonly bucket: TokenBucket
  lastPushMs: number
}

export class Distributor {
  readonly #deps: DistributorDeps
  readonly #streams = new StreamCache(streamCacheBytes)
  readonly #tenants = new Map<string, TenantState>()
  #inflightBytes = 0
  #sweptMs = 0

  constructor(deps: DistributorDeps) {
    this.#deps = deps
  }

  /** Bytes of pushes that are being worked on. */
  get inflightBytes(): number {
    return this.#inflightBytes
  }

  /**
   * To be awaited before a push is read. While memory fills, clients wait a moment, so that they come as fast as blocks are written
   * instead of in bursts. @throws EddaError when nothing can be taken: the push will come again, no work should be done for it now.
   */
  async admit(signal?: AbortSignal): Promise<void> {
    const { ingester, clock, metrics } = this.#deps
    const paceMs = ingester.paceMs?.() ?? 0
    if (paceMs > 0) {
      metrics.paced(paceMs / 1000)
      await clock.sleep(paceMs, signal)
    }
    const refused = this.#refusal()
    if (refused !== undefined) throw refused
  }

  #refusal(): EddaError | undefined {
    const { refusal, ingester } = this.#deps
    return refusal?.() ?? ingester.refusal?.()
  }

  /** Resolves when what was accepted is durable. @throws Unavailable when nothing could be taken. */
  async push(tenant: string, request: PushRequest): Promise<PushReply> {
    const { maxInflightBytes } = this.#deps
    const refused = this.#refusal()
    if (refused !== undefined) throw refused
    const { bytes, pairBytes } = request.columns
    const size = bytes.length + (pairBytes === bytes ? 0 : pairBytes.length)
    if (maxInflightBytes > 0 && this.#inflightBytes + size > maxInflightBytes) {
      throw new Unavailable('The server cannot accept more requests at this time.', { retryAfterSeconds: 1 })
    }
    if (request.columns.streams.length === 0) {
      throw new EddaError('unprocessable', 'error at least one valid stream is required for ingestion')
    }
    this.#inflightBytes += size
    try {
      return await this.#push(tenant, request)
    } finally {
      this.#inflightBytes -= size
    }
  }

  async #push(tenant: string, request: PushRequest): Promise<PushReply> {
    const { clock, metrics, ingester } = this.#deps
    const state = this.#tenant(tenant)
    const { limits } = state
    if (limits.simulated_push_latency > 0) await clock.sleep(limits.simulated_push_latency, request.signal)
    const { format } = request.columns
    const built = this.#build(tenant, state, request)
    const { batch } = built
    const limited = batch.rowCount === 0 ? undefined : this.#checkRate(tenant, state, built)
    for (const tally of built.tallies) tally.report(metrics, tenant, format)
    if (built.truncated.lines > 0) {
      metrics.mutated(tenant, 'line_too_long', built.truncated.lines, built.truncated.bytes)
    }
    if (limited !== undefined) {
      metrics.discarded({ tenant, format, policy: '', isInternal: false }, 'rate_limited', batch.rowCount, built.bytes)
      return { status: 429, message: limited }
    }
    if (batch.rowCount > 0) {
      const outcome = await ingester.push(tenant, batch, request.signal)
      for (const { reason, rowCount, bytes } of outcome.refused) {
        metrics.discarded({ tenant, format, policy: '', isInternal: false }, reason, rowCount, bytes)
      }
      if (outcome.refused.length > 0) {
        const late = outcome.refused.reduce((sum, { rowCount }) => sum + rowCount, 0)
        return withRefused(refusedReply(outcome), request.columns, batch.rowCount, late)
      }
    }
    if (built.errors.isEmpty) return { status: 204, message: '' }
    const reply = { status: built.errorStatus, message: built.errors.toString() }
    return withRefused(reply, request.columns, batch.rowCount, 0)
  }

  #build(tenant: string, state: TenantState, request: PushRequest): BuiltBatch {
    const { columns, backfillShard, policy } = request
    const { limits, policies, detector, genericFields } = state
    const rules: StreamRules = { tenant, limits, policies, backfillShard, policy }
    const variant = [columns.syntax, backfillShard ?? '', policy ?? ''].join('\0')
    const known = this.#streams.tenant(tenant, variant, [limits])
    const isBackfill = backfillShard !== undefined
    const nowNs = this.#deps.clock.nowNs()
    const context = { tenant, limits, nowNs, detector, genericFields, isBackfill, known, rules }
    return new BatchBuilder(columns, context).build()
  }

  /** The text of the refusal when the push is beyond the tenant's rate. */
  #checkRate(tenant: string, state: TenantState, { batch, bytes }: BuiltBatch): string | undefined {
    const { ingestion_rate_mb: rateMb, ingestion_burst_size_mb: burstMb } = state.limits
    const limit = { rate: rateMb * mebibyte, burst: burstMb * mebibyte }
    if (state.bucket.take(bytes, limit, this.#deps.clock.monotonicMs())) return undefined
    return refusalTexts.rateLimited(tenant, Math.trunc(limit.rate), batch.rowCount, bytes)
  }

  #tenant(tenant: string): TenantState {
    const nowMs = this.#deps.clock.monotonicMs()
    const limits = this.#deps.limitsOf(tenant)
    let state = this.#tenants.get(tenant)
    if (state === undefined) {
      this.#sweep(nowMs)
      state = { ...compile(limits), bucket: new TokenBucket(), lastPushMs: nowMs }
      this.#tenants.set(tenant, state)
    } else if (state.limits !== limits) {
      Object.assign(state, compile(limits))
    }
    state.lastPushMs = nowMs
    return state
  }

  #sweep(nowMs: number): void {
    if (nowMs - this.#sweptMs < idleTenantMs) return
    this.#sweptMs = nowMs
    for (const [tenant, { lastPushMs }] of this.#tenants) {
      if (nowMs - lastPushMs >= idleTenantMs) this.#tenants.delete(tenant)
    }
  }
}

/** What is derived from a tenant's limits. */
function compile(limits: Limits): Pick<TenantState, 'limits' | 'detector' | 'genericFields' | 'policies'> {
  return {
    limits,
    detector: new LevelDetector(limits.log_level_fields, limits.log_level_from_json_max_depth),
    genericFields: new GenericFields(limits.discover_generic_fields.fields),
    policies: new PolicyTable(limits.policy_stream_mapping),
  }
}

/** Says how many of `sent` entries were refused, `late` of them by the ingester. */
function withRefused(reply: PushReply, { rowCount: sent }: PushColumns, kept: number, late: number): PushReply {
  const refusedRows = sent - kept + late
  return refusedRows === 0 || refusedRows === sent ? reply : { ...reply, refusedRows }
}

/** One 429 makes the answer worth a retry. */
function refusedReply({ refused }: PushOutcome): PushReply {
  const status = refused.find((one) => one.status === 429)?.status ?? refused[0]?.status ?? 400
  return { status, message: refused.map(({ message }) => message).join('\n') }
}
