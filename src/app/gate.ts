/**
 * The HTTP server listens before everything behind it has started, so that `/ready` can say why it must wait. Endpoints reach
 * the parts behind them through a gate: closed, it answers 503.
 */
import { Unavailable } from '#/kernel/errors.ts'
import type { LimitsOf } from '#/logs/limits.ts'
import type { Compaction } from '#/logs/wire/compaction.ts'
import type { DeleteRequests } from '#/logs/wire/deletes.ts'
import type { Retention } from '#/logs/wire/retention.ts'
import type { QueryFrontend } from '#/logs/wire/query.ts'
import type { Snapshots } from '#/logs/wire/snapshot.ts'
import type { Tails } from '#/logs/wire/tail.ts'
import type { Distributor } from '#/logs/write/distributor/distributor.ts'
import type { IngesterControl } from '#/logs/wire/head-view.ts'
import type { Rules } from '#/ruler/ruler.ts'

export type Behind = {
  readonly distributor: Pick<Distributor, 'push' | 'admit'>
  readonly frontend: QueryFrontend
  readonly ingester: IngesterControl
  readonly tails: Tails
  readonly rules: Rules
  readonly deletes: DeleteRequests
  readonly retention: Retention
  readonly snapshots: Snapshots
  readonly compaction: Compaction
  readonly limitsOf: LimitsOf
}

export class Gate {
  #behind: Behind | undefined
  #reason = 'starting'

  open(behind: Behind): void {
    this.#behind = behind
  }

  close(reason: string): void {
    this.#behind = undefined
    this.#reason = reason
  }

  get isOpen(): boolean {
    return this.#behind !== undefined
  }

  #open(): Behind {
    if (this.#behind === undefined) throw new Unavailable(`Edda is ${this.#reason}`, { retryAfterSeconds: 1 })
    return this.#behind
  }

  readonly distributor: Behind['distributor'] = {
    push: async (tenant, request) => this.#open().distributor.push(tenant, request),
    admit: async (signal) => this.#open().distributor.admit(signal),
  }

  readonly limitsOf: LimitsOf = (tenant) => this.#open().limitsOf(tenant)

  readonly tails: Tails = {
    open: (query) => this.#open().tails.open(query),
  }

  readonly rules: Rules = {
    groups: (tenant) => this.#open().rules.groups(tenant),
    running: (tenant) => this.#open().rules.running(tenant),
    set: async (tenant, namespace, group) => this.#open().rules.set(tenant, namespace, group),
    deleteGroup: async (tenant, namespace, group) => this.#open().rules.deleteGroup(tenant, namespace, group),
    deleteNamespace: async (tenant, namespace) => this.#open().rules.deleteNamespace(tenant, namespace),
  }

  readonly snapshots: Snapshots = {
    create: async (name, send, signal) => this.#open().snapshots.create(name, send, signal),
    list: (signal) => this.#open().snapshots.list(signal),
    delete: async (name, signal) => this.#open().snapshots.delete(name, signal),
  }

  readonly retention: Retention = {
    status: async (tenant) => this.#open().retention.status(tenant),
  }

  readonly deletes: DeleteRequests = {
    create: async (tenant, request) => this.#open().deletes.create(tenant, request),
    list: (tenant) => this.#open().deletes.list(tenant),
    cancel: async (tenant, id, options) => this.#open().deletes.cancel(tenant, id, options),
    maxIntervalMs: () => this.#open().deletes.maxIntervalMs(),
    generation: (tenant) => this.#open().deletes.generation(tenant),
  }

  readonly compaction: Compaction = {
    status: () => this.#open().compaction.status(),
    runOnce: async (tenant) => this.#open().compaction.runOnce(tenant),
  }

  readonly ingester: IngesterControl = {
    flush: async (tenant) => this.#open().ingester.flush(tenant),
  }

  readonly frontend: QueryFrontend = {
    range: async (query, signal) => this.#open().frontend.range(query, signal),
    instant: async (query, signal) => this.#open().frontend.instant(query, signal),
    stream: async (query, send, signal) => this.#open().frontend.stream(query, send, signal),
    labelNames: async (query, signal) => this.#open().frontend.labelNames(query, signal),
    labelValues: async (name, query, signal) => this.#open().frontend.labelValues(name, query, signal),
    series: async (query, signal) => this.#open().frontend.series(query, signal),
    indexStats: async (query, signal) => this.#open().frontend.indexStats(query, signal),
    volume: async (query, signal) => this.#open().frontend.volume(query, signal),
    shards: async (query, signal) => this.#open().frontend.shards(query, signal),
    patterns: async (query, signal) => this.#open().frontend.patterns(query, signal),
    detectedLabels: async (query, signal) => this.#open().frontend.detectedLabels(query, signal),
    detectedFields: async (query, signal) => this.#open().frontend.detectedFields(query, signal),
    detectedFieldValues: async (name, query, signal) => this.#open().frontend.detectedFieldValues(name, query, signal),
    explain: async (query, signal) => this.#open().frontend.explain(query, signal),
  }
}
