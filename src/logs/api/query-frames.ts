/** Answers a query as lines of JSON, each sent as soon as it is known: progress, rows, warnings, statistics. */
import { EddaError, errorStatus } from '#/kernel/errors.ts'
import type { SendEvent, StreamEvent } from '#/logs/wire/query-stream.ts'
import type { HttpReply } from '#/platform/http/endpoint.ts'
import { encodeFrame, type FrameOptions } from './encode-query-frame.ts'

const ndjsonHeaders = {
  'content-type': 'application/x-ndjson',
  'cache-control': 'no-store',
  'x-accel-buffering': 'no',
}

/**
 * Resolves once there is a first frame, so that a query that is refused is answered with its status. `run` is stopped, and waited
 * for, when the client goes.
 */
export async function framesReply(
  run: (send: SendEvent, signal: AbortSignal) => Promise<void>,
  { signal, ...options }: FrameOptions & { readonly signal: AbortSignal },
): Promise<HttpReply> {
  const gone = new AbortController()
  const events = new Handoff()
  const both = AbortSignal.any([signal, gone.signal])
  both.addEventListener('abort', () => events.leave(both.reason), { once: true })
  const running = run((event) => events.send(event), both).then(
    () => events.end(undefined),
    (error: unknown) => events.end({ error }),
  )
  const first = await events.next()
  if (first === undefined) await events.finished()
  const stop = async (): Promise<void> => {
    gone.abort()
    await running
  }
  return { status: 200, headers: ndjsonHeaders, body: frames(events, first, options, stop) }
}

async function* frames(
  events: Handoff,
  first: StreamEvent | undefined,
  options: FrameOptions,
  stop: () => Promise<void>,
): AsyncGenerator<Uint8Array> {
  try {
    for (let event = first; event !== undefined; event = await events.next()) yield* encodeFrame(event, options)
    await events.finished()
  } catch (error) {
    // the head is out: the status that it should have had stands in the last line
    const isOurs = error instanceof EddaError
    const status = isOurs ? errorStatus[error.code].http : 500
    const text = isOurs ? error.message : 'internal error'
    yield Buffer.from(`${JSON.stringify({ type: 'error', status, error: text })}\n`)
    if (!isOurs) throw error
  } finally {
    await stop()
  }
}

/** Hands events over one by one: a sender waits until its event is taken and the next one is asked for. */
class Handoff {
  readonly #waiting: {
    readonly event: StreamEvent
    readonly taken: () => void
    readonly failed: (error: unknown) => void
  }[] = []
  #onEvent: () => void = () => undefined
  #acknowledge: () => void = () => undefined
  #end: { readonly failure: { readonly error: unknown } | undefined } | undefined
  #left: { readonly reason: unknown } | undefined

  send(event: StreamEvent): Promise<void> {
    if (this.#left !== undefined) return Promise.reject(this.#left.reason as Error)
    return new Promise((resolve, reject) => {
      this.#waiting.push({ event, taken: resolve, failed: reject })
      this.#onEvent()
    })
  }

  /** No more events come; `failure` when that is not as it should be. */
  end(failure: { readonly error: unknown } | undefined): void {
    this.#end = { failure }
    this.#onEvent()
  }

  /** Nobody takes events any more. */
  leave(reason: unknown): void {
    this.#left = { reason }
    this.#acknowledge()
    for (const { failed } of this.#waiting.splice(0)) failed(reason)
    this.#onEvent()
  }

  /** Undefined when there are no more. */
  async next(): Promise<StreamEvent | undefined> {
    this.#acknowledge()
    this.#acknowledge = () => undefined
    for (;;) {
      const next = this.#waiting.shift()
      if (next !== undefined) {
        this.#acknowledge = next.taken
        return next.event
      }
      if (this.#end !== undefined || this.#left !== undefined) return undefined
      await new Promise<void>((resolve) => (this.#onEvent = resolve))
    }
  }

  /** @throws what ended the events. */
  async finished(): Promise<void> {
    while (this.#end === undefined) await new Promise<void>((resolve) => (this.#onEvent = resolve))
    if (this.#end.failure !== undefined) throw this.#end.failure.error
  }
}
