/**
 * Remembers what `resolveStream` found, so that a known stream costs one look-up. Two generations bound it: entries are written to
 * the young one; when that is full it becomes the old one, and what is not asked for meanwhile goes with it.
 *
 * Invariant: `youngBytes` ≤ `maxBytes` (but for the last entry), so all entries together take at most twice that.
 */
import type { ResolvedStream } from './resolve-stream.ts'

/** Rough cost of an entry beyond its texts. */
const entryOverheadBytes = 200

export class StreamCache {
  readonly #maxBytes: number
  #youngBytes = 0
  readonly #tenants = new Map<string, TenantStreams>()

  /** @param maxBytes Size of one generation, over all tenants. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** The streams of `tenant`; forgotten when `rules`, the objects they were resolved under, are not the same any more. */
  tenant(tenant: string, rules: readonly unknown[]): TenantStreams {
    let streams = this.#tenants.get(tenant)
    if (streams === undefined || !streams.isFor(rules)) {
      streams = new TenantStreams(rules, (bytes) => this.#added(bytes))
      this.#tenants.set(tenant, streams)
      this.#added(entryOverheadBytes)
    }
    return streams
  }

  #added(bytes: number): void {
    this.#youngBytes += bytes
    if (this.#youngBytes <= this.#maxBytes) return
    this.#youngBytes = 0
    for (const [tenant, streams] of this.#tenants) if (!streams.age()) this.#tenants.delete(tenant)
  }
}

export class TenantStreams {
  readonly #rules: readonly unknown[]
  readonly #added: (bytes: number) => void
  #young = new Map<string, ResolvedStream>()
  #old = new Map<string, ResolvedStream>()

  constructor(rules: readonly unknown[], added: (bytes: number) => void) {
    this.#rules = rules
    this.#added = added
  }

  isFor(rules: readonly unknown[]): boolean {
    return rules.length === this.#rules.length && rules.every((rule, index) => rule === this.#rules[index])
  }

  get(key: string): ResolvedStream | undefined {
    const young = this.#young.get(key)
    if (young !== undefined) return young
    const old = this.#old.get(key)
    if (old !== undefined) this.set(key, old)
    return old
  }

  set(key: string, stream: ResolvedStream): void {
    this.#young.set(key, stream)
    const messageLength = stream.refusal?.message.length ?? 0
    this.#added(key.length + stream.text.length + messageLength + entryOverheadBytes)
  }

  /** Starts a new generation; false when nothing is left. */
  age(): boolean {
    this.#old = this.#young
    this.#young = new Map()
    return this.#old.size > 0
  }
}
