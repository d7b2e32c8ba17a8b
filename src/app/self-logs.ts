/**
 * Stores the process's own log lines in the process: stream `{app="edda", service_name="edda"}`. Lines wait in a bounded buffer and
 * go in about once a second. What does not fit is counted and said later; logging never waits for storage.
 */
import type { Clock } from '#/kernel/world.ts'
import { encodePushProtobuf, type PushEntry } from '#/logs/wire/encode-push.ts'
import type { Distributor } from '#/logs/write/distributor/distributor.ts'
import { decodeLokiProtobuf } from '#/logs/write/push/loki-protobuf.ts'

const MAX_WAITING_LINES = 2000
const PUSH_INTERVAL_MS = 1000
const STREAM = '{app="edda", service_name="edda"}'

export class SelfLogs {
  readonly #clock: Clock
  #waiting: PushEntry[] = []
  #dropped = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Takes a line of the logger, with or without its newline. */
  write(line: string): void {
    if (this.#waiting.length >= MAX_WAITING_LINES) {
      this.#dropped++
      return
    }
    this.#waiting.push({ timeNs: this.#clock.nowNs(), line: line.trimEnd() })
  }

  /** Begins to push what waits. The returned function pushes the rest and ends it. */
  start(distributor: Pick<Distributor, 'push'>, tenant: string): () => Promise<void> {
    let pushing = Promise.resolve()
    const push = (): void => {
      // one at a time: an error of the push is logged by the parts that fail, and then waits here with all the others
      pushing = pushing.then(() => this.#push(distributor, tenant)).catch(() => undefined)
    }
    const stop = this.#clock.every(PUSH_INTERVAL_MS, push)
    return async () => {
      stop()
      push()
      await pushing
    }
  }

  async #push(distributor: Pick<Distributor, 'push'>, tenant: string): Promise<void> {
    if (this.#dropped > 0) {
      const line = `level=warn msg="own log lines were not stored" count=${this.#dropped} limit=${MAX_WAITING_LINES}`
      this.#dropped = 0
      this.#waiting.push({ timeNs: this.#clock.nowNs(), line })
    }
    if (this.#waiting.length === 0) return
    const entries = this.#waiting
    this.#waiting = []
    const columns = decodeLokiProtobuf(encodePushProtobuf([{ labels: STREAM, entries }]))
    await distributor.push(tenant, { columns, backfillShard: undefined, policy: undefined, signal: undefined })
  }
}
