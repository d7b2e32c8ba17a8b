/**
 * The HTTP server listens before everything behind it has started, so that `/ready` can say why it must wait. Endpoints reach
 * the parts behind them through a gate: closed, it answers 503.
 */
import { Unavailable } from '#/kernel/errors.ts'
import type { LimitsOf } from '#/logs/limits.ts'
import type { QueryFrontend } from '#/logs/wire/query.ts'
import type { Tails } from '#/logs/wire/tail.ts'
import type { Distributor } from '#/logs/write/distributor/distributor.ts'
import type { IngesterControl } from '#/logs/wire/head-view.ts'

export type Behind = {
  readonly distributor: Pick<Distributor, 'push'>
  readonly frontend: QueryFrontend
  readonly ingester: IngesterControl
  readonly tails: Tails
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
  }

  readonly limitsOf: LimitsOf = (tenant) => this.#open().limitsOf(tenant)

  readonly tails: Tails = {
    open: (query) => this.#open().tails.open(query),
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
