/**
 * The delete requests of all tenants: kept in the object store, in force from the moment that they are stored.
 *
 *     masked    queries leave the lines out; may be cancelled
 *     erasing   the time to cancel is over: heads are written, blocks with such lines are written anew   ./delete-work.ts
 *     erased    neither an object nor the write-ahead log has the lines; the request is kept for a while to tell of it
 *
 * Every change is stored before it shows, one at a time for each request. A crash leaves the state before or after.
 */
import {
  encodeRequest,
  parseRequest,
  requestIdOf,
  requestKey,
  requestPrefix,
  type StoredRequest,
} from './request-file.ts'
import { eachConcurrently } from '#/kernel/each-concurrently.ts'
import { BadRequest, Corruption, LimitExceeded, NotFound } from '#/kernel/errors.ts'
import type { World } from '#/kernel/world.ts'
import { formatGoDuration } from '#/kernel/duration.ts'
import type { LimitsOf } from '#/logs/limits.ts'
import { rowQuery } from '#/logs/logql/planner/row-query.ts'
import type { DeleteRequest, DeleteRequests, HiddenRows, HiddenRowsReader, NewDelete } from '#/logs/wire/deletes.ts'
import type { ObjectStore } from '#/platform/objstore/objstore.ts'
import type { Logger } from '#/platform/telemetry/logger.ts'

/** Requests of a tenant that are not erased yet: each costs queries that meet its streams. */
const MAX_OPEN_REQUESTS = 100
/** Erased requests of a tenant that are kept to tell of them; the oldest go. */
const MAX_ERASED_REQUESTS = 100
/** Longest query of a request, in bytes. */
const MAX_QUERY_BYTES = 16 * 1024
/** Most and largest objects that a start reads of a tenant; more than were ever written. */
const MAX_REQUEST_BYTES = 1024 * 1024
const READS_AT_ONCE = 8

export type DeleteSettings = {
  /** How long a request can be taken back, in milliseconds; the erasing begins then. */
  readonly cancelPeriodMs: number
  readonly maxIntervalMs: number
}

export type DeleteNeeds = {
  readonly world: Pick<World, 'clock' | 'random'>
  readonly store: ObjectStore
  readonly logger: Logger
  readonly limitsOf: LimitsOf
}

type DeleteCounts = { received: number; processed: number; lines: number }

/** What is known of a request in memory beside what is stored. */
type Held = {
  stored: StoredRequest
  hidden: HiddenRows
  /** Blocks without any of its lines: they had none, or were written without them. */
  readonly clean: Set<string>
  /** Ends when the last change that was begun has ended. */
  changing: Promise<void>
}

export class StoredDeletes implements DeleteRequests, HiddenRowsReader {
  readonly #settings: DeleteSettings
  readonly #needs: DeleteNeeds
  /** By tenant and id, in the order in which they were made. */
  readonly #tenants = new Map<string, Map<string, Held>>()
  readonly #generations = new Map<string, number>()
  readonly #hidden = new Map<string, readonly HiddenRows[]>()
  readonly #counts = new Map<string, Readonly<DeleteCounts>>()

  private constructor(settings: DeleteSettings, needs: DeleteNeeds) {
    this.#settings = settings
    this.#needs = needs
  }

  /** Reads what is stored. @throws Corruption for a request that is damaged: what it hides must not be seen. */
  static async open(settings: DeleteSettings, needs: DeleteNeeds): Promise<StoredDeletes> {
    const deletes = new StoredDeletes(settings, needs)
    for (const prefix of await needs.store.listPrefixes('')) await deletes.#load(prefix.slice(0, -1))
    return deletes
  }

  async #load(tenant: string): Promise<void> {
    const heads = await Array.fromAsync(this.#needs.store.list({ prefix: requestPrefix(tenant) }))
    const found: StoredRequest[] = []
    await eachConcurrently(heads, READS_AT_ONCE, async ({ key, sizeBytes }) => {
      if (requestIdOf(key) === undefined) return
      if (sizeBytes > MAX_REQUEST_BYTES) throw new Corruption({ file: key, offset: 0 }, `it has ${sizeBytes} bytes`)
      const request = parseRequest(await this.#needs.store.get(key))
      if (typeof request === 'string') throw new Corruption({ file: key, offset: 0 }, request)
      found.push(request)
    })
    found.sort((a, b) => a.createdMs - b.createdMs || (a.id < b.id ? -1 : 1))
    for (const request of found) this.#hold(request)
  }

  maxIntervalMs(): number {
    return this.#settings.maxIntervalMs
  }

  generation(tenant: string): number {
    return this.#generations.get(tenant) ?? 0
  }

  hiddenRows(tenant: string): readonly HiddenRows[] {
    if (!this.#tenants.has(tenant) || this.#needs.limitsOf(tenant).deletion_mode === 'disabled') return []
    let hidden = this.#hidden.get(tenant)
    if (hidden === undefined) {
      const open = [...this.#tenants.get(tenant)!.values()].filter(({ stored }) => stored.state !== 'erased')
      hidden = open.map((held) => held.hidden)
      this.#hidden.set(tenant, hidden)
    }
    return hidden
  }

  async create(tenant: string, { query, startMs, endMs }: NewDelete): Promise<DeleteRequest> {
    const bytes = Buffer.byteLength(query)
    if (bytes > MAX_QUERY_BYTES) throw new BadRequest(`query of ${bytes} bytes exceeds ${MAX_QUERY_BYTES}`)
    rowQuery(query)
    const ofTenant = this.#tenants.get(tenant) ?? new Map<string, Held>()
    const open = [...ofTenant.values()].filter(({ stored }) => stored.state !== 'erased').length
    if (open >= MAX_OPEN_REQUESTS) {
      throw new LimitExceeded(`tenant ${tenant} has ${open} open delete requests, the most is ${MAX_OPEN_REQUESTS}`)
    }
    const { clock } = this.#needs.world
    const request: StoredRequest = {
      id: this.#newId(tenant),
      tenant,
      query,
      startMs,
      endMs,
      createdMs: clock.nowMs(),
      state: 'masked',
      erasedRows: 0,
      erasedBytes: 0,
      blocks: 0,
      blocksDone: 0,
      erasedMs: undefined,
      oldBlocks: [],
    }
    await this.#put(request)
    this.#hold(request)
    this.#changed(tenant)
    this.#count(tenant, 'received')
    this.#needs.logger.info('lines are hidden from queries by a delete request', { tenant, request: request.id, query })
    await this.#dropOldest(tenant)
    return request
  }

  list(tenant: string): readonly DeleteRequest[] {
    return [...(this.#tenants.get(tenant)?.values() ?? [])].map(({ stored }) => stored)
  }

  async cancel(tenant: string, id: string, { force }: { readonly force: boolean }): Promise<void> {
    const held = this.#tenants.get(tenant)?.get(id)
    if (held === undefined) throw new NotFound('could not find delete request with given id')
    await this.#inTurn(held, async () => {
      const { stored } = held
      if (stored.state === 'erased') {
        throw new BadRequest('deletion of request which is in process or already processed is not allowed')
      }
      const isLate = this.#needs.world.clock.nowMs() > this.dueMs(stored)
      if ((isLate || stored.state === 'erasing') && !force) {
        const period = formatGoDuration(this.#settings.cancelPeriodMs * 1e6)
        throw new BadRequest(
          `Cancellation of partially completed delete request or delete request past the deadline of ${period} since its creation is not allowed. To force, use the ?force query parameter`,
        )
      }
      await this.#needs.store.delete(requestKey(stored))
      this.#tenants.get(tenant)?.delete(id)
      this.#changed(tenant)
      this.#needs.logger.info('a delete request was cancelled', { tenant, request: id })
    })
  }

  /** What happened since the start. */
  counts(tenant: string): Readonly<DeleteCounts> {
    let counts = this.#counts.get(tenant)
    if (counts === undefined) this.#counts.set(tenant, (counts = { received: 0, processed: 0, lines: 0 }))
    return counts
  }

  #count(tenant: string, what: keyof DeleteCounts, by = 1): void {
    const counts = this.counts(tenant)
    this.#counts.set(tenant, { ...counts, [what]: counts[what] + by })
  }

  // for the work of erasing

  tenants(): readonly string[] {
    return [...this.#tenants.keys()].sort()
  }

  /** Requests whose lines must be erased: the time to cancel is over, and the tenant wants more than hiding. */
  due(tenant: string): readonly StoredRequest[] {
    const nowMs = this.#needs.world.clock.nowMs()
    if (this.#needs.limitsOf(tenant).deletion_mode !== 'filter-and-delete') return []
    return [...(this.#tenants.get(tenant)?.values() ?? [])]
      .map(({ stored }) => stored)
      .filter((request) => request.state !== 'erased' && nowMs > this.dueMs(request))
  }

  /** When the time to cancel a request is over. */
  dueMs({ createdMs }: DeleteRequest): number {
    return createdMs + this.#settings.cancelPeriodMs
  }

  isClean(tenant: string, id: string, block: string): boolean {
    return this.#tenants.get(tenant)?.get(id)?.clean.has(block) === true
  }

  /** Remembers that none of `blocks` has a line of a request. */
  setClean(tenant: string, id: string, blocks: readonly string[]): void {
    const clean = this.#tenants.get(tenant)?.get(id)?.clean
    if (clean === undefined) return
    for (const block of blocks) clean.add(block)
  }

  /** Forgets blocks that are gone. */
  keepClean(tenant: string, id: string, isThere: (block: string) => boolean): void {
    const clean = this.#tenants.get(tenant)?.get(id)?.clean
    for (const block of clean ?? []) if (!isThere(block)) clean?.delete(block)
  }

  /** Changes a request, after changes that were begun before; does nothing when it was cancelled meanwhile. */
  async change(tenant: string, id: string, next: (request: StoredRequest) => StoredRequest): Promise<void> {
    const held = this.#tenants.get(tenant)?.get(id)
    if (held === undefined) return
    await this.#inTurn(held, async () => {
      if (this.#tenants.get(tenant)?.get(id) !== held) return
      const request = next(held.stored)
      if (request === held.stored) return
      await this.#put(request)
      const before = held.stored
      held.stored = request
      this.#count(tenant, 'lines', request.erasedRows - before.erasedRows)
      if (before.state === 'erased' || request.state !== 'erased') return
      this.#changed(tenant)
      this.#count(tenant, 'processed')
    })
  }

  async #inTurn(held: Held, work: () => Promise<void>): Promise<void> {
    const turn = held.changing.then(work)
    held.changing = turn.catch(() => undefined)
    await turn
  }

  #hold(stored: StoredRequest): void {
    const ofTenant = this.#tenants.get(stored.tenant) ?? new Map<string, Held>()
    this.#tenants.set(stored.tenant, ofTenant)
    const clean = new Set<string>()
    const { id, query } = stored
    const hidden: HiddenRows = {
      id,
      query,
      startNs: BigInt(stored.startMs) * 1_000_000n,
      endNs: BigInt(stored.endMs + 1) * 1_000_000n,
      isErasedFrom: (block) => clean.has(block),
    }
    ofTenant.set(id, { stored, hidden, clean, changing: Promise.resolve() })
  }

  #changed(tenant: string): void {
    this.#hidden.delete(tenant)
    this.#generations.set(tenant, this.generation(tenant) + 1)
  }

  #put(request: StoredRequest): Promise<void> {
    return this.#needs.store.put(requestKey(request), [encodeRequest(request)])
  }

  async #dropOldest(tenant: string): Promise<void> {
    const ofTenant = this.#tenants.get(tenant)
    const erased = [...(ofTenant?.values() ?? [])].filter(({ stored }) => stored.state === 'erased')
    for (const { stored } of erased.slice(0, Math.max(0, erased.length - MAX_ERASED_REQUESTS))) {
      await this.#needs.store.delete(requestKey(stored))
      ofTenant?.delete(stored.id)
    }
  }

  #newId(tenant: string): string {
    for (;;) {
      const id = Buffer.from(this.#needs.world.random.bytes(4)).toString('hex')
      if (this.#tenants.get(tenant)?.has(id) !== true) return id
    }
  }
}
