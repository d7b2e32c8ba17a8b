/** Lets `rate` units through per second, and up to `burst` at once. Starts full. Limits may change from call to call. */
export class TokenBucket {
  #tokens: number | undefined
  #atMs = 0

  /** Takes `amount`, whole or not at all. */
  take(amount: number, limit: { readonly rate: number; readonly burst: number }, nowMs: number): boolean {
    const refill = this.#tokens === undefined ? limit.burst : (Math.max(nowMs - this.#atMs, 0) / 1000) * limit.rate
    const tokens = Math.min((this.#tokens ?? 0) + refill, limit.burst)
    this.#atMs = nowMs
    const isEnough = amount <= tokens
    this.#tokens = isEnough ? tokens - amount : tokens
    return isEnough
  }
}
