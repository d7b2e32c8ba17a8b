/**
 * Counts wrong credentials by address: an address may send a number of them at once, and then one every few seconds. Addresses of
 * IPv6 count by their network, as one machine has as many as it likes. The oldest are forgotten when there are too many.
 */
import type { Clock } from '#/kernel/world.ts'

const burst = 20
const refillMs = 3000
/** What is remembered at most: a minute of silence makes good for anything. */
const failuresMax = 2 * burst
const maxAddresses = 10_000

type Bucket = { readonly failures: number; readonly atMs: number }

export class FailureLimiter {
  readonly #clock: Pick<Clock, 'monotonicMs'>
  readonly #buckets = new Map<string, Bucket>()

  constructor(clock: Pick<Clock, 'monotonicMs'>) {
    this.#clock = clock
  }

  /** Milliseconds until the address may try again; 0 when it may now. */
  waitMs(address: string): number {
    const failures = this.#failures(networkOf(address))
    return failures + 1 > burst ? Math.ceil((failures + 1 - burst) * refillMs) : 0
  }

  /** Counts a try as failed; whoever finds out later that it was right gives it back. */
  fail(address: string): void {
    this.#change(address, 1)
  }

  forgive(address: string): void {
    this.#change(address, -1)
  }

  #change(address: string, by: number): void {
    const network = networkOf(address)
    const failures = Math.max(0, Math.min(failuresMax, this.#failures(network) + by))
    // the newest stand last
    this.#buckets.delete(network)
    if (failures > 0) this.#buckets.set(network, { failures, atMs: this.#clock.monotonicMs() })
    for (const oldest of this.#buckets.keys()) {
      if (this.#buckets.size <= maxAddresses) break
      this.#buckets.delete(oldest)
    }
  }

  #failures(network: string): number {
    const bucket = this.#buckets.get(network)
    if (bucket === undefined) return 0
    return Math.max(0, bucket.failures - (this.#clock.monotonicMs() - bucket.atMs) / refillMs)
  }
}

/** An IPv4 address as it is, also where it is written as IPv6; the first 64 bits of others. */
export function networkOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1]
  if (mapped !== undefined) return mapped
  if (!address.includes(':')) return address
  const [head = '', tail = ''] = address.replace(/%.*$/, '').split('::')
  const before = head === '' ? [] : head.split(':')
  const after = tail === '' ? [] : tail.split(':')
  const missing = address.includes('::') ? Array<string>(Math.max(0, 8 - before.length - after.length)).fill('0') : []
  return `${[...before, ...missing, ...after].slice(0, 4).join(':')}::/64`
}
