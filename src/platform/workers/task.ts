/**
 * What a task file (`*.worker.ts`) looks like from inside a worker thread. It exports `run`, made with `defineTask`:
 *
 *     export const run = defineTask(async (input: ScanInput, cancel: CancelFlag): Promise<ScanOutput> => { … })
 *
 * The main thread starts it with `pool.run<ScanOutput>(new URL('./scan.worker.ts', import.meta.url), input, { … })`.
 * Input and output are cloned: bulk data goes in SharedArrayBuffers or is transferred.
 */
import { move, transferableSymbol, valueSymbol } from 'piscina'

import { Cancelled, Corruption, EddaError, type ErrorCode } from '#/kernel/errors.ts'

/** Raised by the main thread when nobody waits for the result any more. */
export class CancelFlag {
  readonly #cell: Int32Array

  constructor(shared: SharedArrayBuffer) {
    this.#cell = new Int32Array(shared)
  }

  get isRaised(): boolean {
    return Atomics.load(this.#cell, 0) !== 0
  }

  raise(): void {
    Atomics.store(this.#cell, 0, 1)
  }

  /** Long loops call it every few thousand steps. @throws Cancelled. */
  check(): void {
    if (this.isRaised) throw new Cancelled()
  }
}

/** What travels to a worker. */
export type TaskMessage = { readonly payload: unknown; readonly cancel: SharedArrayBuffer }
/** What travels back. An error loses its class on the way between threads, so it travels as plain data. */
export type TaskAnswer = { readonly value: unknown } | { readonly error: PlainError }

type PlainError = {
  readonly code: ErrorCode
  readonly message: string
  readonly stack: string | undefined
  readonly isEdda: boolean
  readonly retryAfterSeconds: number | undefined
  readonly corrupt: { readonly file: string; readonly offset: number } | undefined
}

/** The result of a task together with the buffers that move to the main thread instead of being copied. */
export class Transfer<T> {
  readonly value: T
  readonly buffers: readonly ArrayBuffer[]

  constructor(value: T, buffers: readonly ArrayBuffer[]) {
    this.value = value
    this.buffers = buffers
  }
}

/** Makes the `run` of a task file. Return a {@link Transfer} to hand buffers over without a copy. */
export function defineTask<In, Out>(
  task: (input: In, cancel: CancelFlag) => Out | Transfer<Out> | Promise<Out | Transfer<Out>>,
): (message: TaskMessage) => Promise<unknown> {
  return async ({ payload, cancel }) => {
    try {
      const result = await task(payload as In, new CancelFlag(cancel))
      if (!(result instanceof Transfer)) return { value: result } satisfies TaskAnswer
      return movable({ value: result.value }, result.buffers)
    } catch (error) {
      return { error: toPlain(error) } satisfies TaskAnswer
    }
  }
}

/** Piscina's form of "clone this, but move these". */
function movable(answer: TaskAnswer, buffers: readonly ArrayBuffer[]): unknown {
  return move({
    get [transferableSymbol](): readonly ArrayBuffer[] {
      return buffers
    },
    get [valueSymbol](): TaskAnswer {
      return answer
    },
  } as never)
}

function toPlain(error: unknown): PlainError {
  const { message, stack } = error instanceof Error ? error : new Error(String(error))
  const isEdda = error instanceof EddaError
  return {
    code: isEdda ? error.code : 'internal',
    message,
    stack,
    isEdda,
    retryAfterSeconds: isEdda ? error.retryAfterSeconds : undefined,
    corrupt: error instanceof Corruption ? { file: error.file, offset: error.offset } : undefined,
  }
}

/** The error as it was in the worker: the same code and message, the worker's stack. */
export function fromPlain({ code, message, stack, isEdda, retryAfterSeconds, corrupt }: PlainError): Error {
  const options = retryAfterSeconds === undefined ? {} : { retryAfterSeconds }
  const error = corrupt
    ? Object.assign(new Corruption(corrupt, ''), { message })
    : isEdda
      ? new EddaError(code, message, options)
      : new Error(message)
  if (stack !== undefined) error.stack = stack
  return error
}
