/** One POST to a receiver of alerts or samples. The contract is small, so that tests can put receivers of their own in its place. */
import { Agent, request } from 'undici'

export type PostRequest = {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
  readonly timeoutMs: number
}

export type PostAnswer = {
  readonly status: number
  /** First line of the answer's body. */
  readonly message: string
  readonly retryAfterSeconds: number | undefined
}

/** @throws when there was no answer: refused, reset, timed out. */
export type Post = (request: PostRequest, signal: AbortSignal) => Promise<PostAnswer>

export type HttpPost = { readonly post: Post; readonly close: () => Promise<void> }

const maxMessageChars = 512
const connectionsPerHost = 2
const connectTimeoutMs = 10_000

export function httpPost(): HttpPost {
  const dispatcher = new Agent({ connections: connectionsPerHost, connect: { timeout: connectTimeoutMs } })
  return {
    async post({ url, headers, body, timeoutMs }, signal) {
      const answer = await request(url, {
        method: 'POST',
        headers: { 'user-agent': 'edda-ruler', ...headers },
        body,
        signal,
        headersTimeout: timeoutMs,
        bodyTimeout: timeoutMs,
        dispatcher,
      })
      const text = await answer.body.text()
      return {
        status: answer.statusCode,
        message: (text.split('\n', 1)[0] ?? '').slice(0, maxMessageChars),
        retryAfterSeconds: retryAfter(answer.headers['retry-after']),
      }
    },
    close: () => dispatcher.destroy(),
  }
}

function retryAfter(header: string | string[] | undefined): number | undefined {
  const seconds = typeof header === 'string' ? Number(header) : Number.NaN
  return Number.isFinite(seconds) && seconds >= 0 ? seconds : undefined
}
