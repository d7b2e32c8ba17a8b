/** One call: its metadata, its only message, and the reasons for which it may end early. */
import type { IncomingHttpHeaders } from 'node:http'
import type { ServerReadableStream } from '@grpc/grpc-js'

import { BadRequest, Cancelled, type EddaError } from '#/kernel/errors.ts'

export type RawCall = ServerReadableStream<Buffer, Uint8Array>

export class GrpcCall {
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly remoteAddress: string
  readonly startMs: number
  readonly #raw: RawCall
  readonly #abort = new AbortController()
  tenant = ''
  error: EddaError | undefined

  constructor(path: string, raw: RawCall, startMs: number) {
    this.path = path
    this.startMs = startMs
    this.#raw = raw
    this.headers = headersOf(raw)
    this.remoteAddress = raw.getPeer().replace(/:\d+$/, '')
    raw.once('cancelled', () => this.abort(new Cancelled()))
    raw.on('error', () => undefined)
  }

  get signal(): AbortSignal {
    return this.#abort.signal
  }

  abort(reason: EddaError): void {
    this.#abort.abort(reason)
  }

  /** Rejects when the call is aborted. */
  aborted(): Promise<never> {
    return new Promise((_, reject) => {
      const fail = (): void => reject(this.signal.reason as Error)
      if (this.signal.aborted) fail()
      else this.signal.addEventListener('abort', fail, { once: true })
    })
  }

  /** Nothing of the message is read before this is called. @throws BadRequest unless there is exactly one. */
  message(): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      let only: Buffer | undefined
      this.#raw.on('data', (message: Buffer) => {
        if (only !== undefined) reject(new BadRequest('more than one message in a call with one'))
        only = message
      })
      this.#raw.once('end', () => {
        if (only === undefined) reject(new BadRequest('no message in a call with one'))
        else resolve(only)
      })
    })
  }
}

function headersOf({ metadata }: RawCall): IncomingHttpHeaders {
  return Object.fromEntries(
    Object.keys(metadata.getMap()).map((name) => [name, metadata.get(name).map(String).join(', ')]),
  )
}
