/**
 * Checks passwords without stopping anything else: a check costs a fifth of a second of a core, in a thread of libuv, so that few run
 * at a time and few may wait. The same password is checked once for all requests that carry it, and one that was right is remembered
 * for as long as it is used, as an HMAC under a key that never leaves the process.
 */
import { createHmac } from 'node:crypto'

import { Unavailable } from '#/kernel/errors.ts'
import type { Clock, Random } from '#/kernel/world.ts'
import { isPassword, type ScryptHash } from './secret-hash.ts'

/** Passwords that wait to be checked; beyond it 503. */
const maxWaiting = 64
/** A password that was right and is not used is forgotten after this. */
const rememberMs = 60_000
const maxRemembered = 1000

export class PasswordChecker {
  readonly #clock: Pick<Clock, 'monotonicMs'>
  readonly #maxRunning: number
  readonly #key: Buffer
  /** When passwords that were right were last used; the least recently used stand first. */
  readonly #remembered = new Map<string, number>()
  /** Checks that run or wait. */
  readonly #checks = new Map<string, Promise<boolean>>()
  #running = 0
  readonly #waiting: (() => void)[] = []

  /** `maxRunning` checks run at once. */
  constructor(
    maxRunning: number,
    { clock, random }: { readonly clock: Pick<Clock, 'monotonicMs'>; readonly random: Random },
  ) {
    this.#maxRunning = maxRunning
    this.#clock = clock
    this.#key = random.bytes(32)
  }

  /** The answer when it costs nothing: remembered, or being found out for another request. */
  known(password: string, stored: ScryptHash): Promise<boolean> | undefined {
    const id = this.#idOf(password, stored)
    const usedMs = this.#remembered.get(id)
    this.#remembered.delete(id)
    if (usedMs !== undefined && this.#clock.monotonicMs() - usedMs < rememberMs) {
      this.#remember(id)
      return Promise.resolve(true)
    }
    return this.#checks.get(id)
  }

  /** @throws Unavailable when too many wait. */
  check(password: string, stored: ScryptHash): Promise<boolean> {
    if (this.#waiting.length >= maxWaiting) {
      throw new Unavailable(`too many passwords wait to be checked, the limit is ${maxWaiting}`, {
        retryAfterSeconds: 1,
      })
    }
    const id = this.#idOf(password, stored)
    const check = this.#turn()
      .then(() => isPassword(password, stored))
      .then((isRight) => {
        if (isRight) this.#remember(id)
        return isRight
      })
      .finally(() => {
        this.#checks.delete(id)
        this.#giveTurn()
      })
    this.#checks.set(id, check)
    return check
  }

  /** Resolves when the check may run; it counts as running from then on. */
  async #turn(): Promise<void> {
    if (this.#running < this.#maxRunning) this.#running++
    else await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }

  /** To the one that waits longest, which takes the place at once: nobody can come in between. */
  #giveTurn(): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#running--
    else next()
  }

  #remember(id: string): void {
    const now = this.#clock.monotonicMs()
    this.#remembered.set(id, now)
    for (const [oldest, usedMs] of this.#remembered) {
      if (this.#remembered.size <= maxRemembered && now - usedMs < rememberMs) break
      this.#remembered.delete(oldest)
    }
  }

  #idOf(password: string, { salt, hash }: ScryptHash): string {
    return createHmac('sha256', this.#key).update(salt).update(hash).update(password).digest('base64')
  }
}
