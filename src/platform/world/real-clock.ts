/** The machine's clock and timers. */
import { setImmediate as immediate, setTimeout as delay } from 'node:timers/promises'

import type { Clock } from '#/kernel/world.ts'

/** Node cuts longer timers to a millisecond; we wait in steps instead. */
const maxTimerMs = 2 ** 31 - 1

export const realClock: Clock = {
  nowNs: () => Temporal.Now.instant().epochNanoseconds,
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  async sleep(ms, signal) {
    try {
      if (ms <= 0) await immediate(undefined, signal === undefined ? {} : { signal })
      for (let rest = ms; rest > 0; rest -= maxTimerMs) {
        await delay(Math.min(rest, maxTimerMs), undefined, signal === undefined ? {} : { signal })
      }
      signal?.throwIfAborted()
    } catch (error) {
      // Node rejects with an AbortError that only carries the reason
      throw signal?.aborted === true ? signal.reason : error
    }
  },
  every(ms, tick) {
    const timer = setInterval(tick, Math.min(ms, maxTimerMs))
    timer.unref()
    return () => clearInterval(timer)
  },
}
