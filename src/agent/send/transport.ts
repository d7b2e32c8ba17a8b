/** One push over HTTP. The contract is small, so that tests can put a server of their own in its place. */
import { Agent, request } from 'undici'

export type PushAnswer = {
  readonly status: number
  /** First line of the answer's body. */
  readonly message: string
  readonly retryAfterSeconds: number | undefined
}

export interface PushTransport {
  /** @throws when there was no answer: refused, reset, timed out. */
  push(body: Buffer, signal: AbortSignal): Promise<PushAnswer>
  close(): Promise<void>
}

export type HttpTransportOptions = {
  readonly url: string
  readonly tenant: string
  /** Milliseconds. */
  readonly timeout: number
  /** Credentials; empty: none. A token goes before a user. */
  readonly username?: string
  readonly password?: string
  readonly bearer_token?: string
  /** Sent besides our own. */
  readonly headers?: Readonly<Record<string, string>>
}

const pushPath = '/loki/api/v1/push'
const maxMessageChars = 1024

/** The push URL of a Loki that was given with or without its path. */
export function pushUrl(url: string): string {
  const parsed = new URL(/^[a-z]+:\/\//.test(url) ? url : `http://${url}`)
  if (parsed.pathname === '/' || parsed.pathname === '') parsed.pathname = pushPath
  return parsed.href
}

export function httpTransport(options: HttpTransportOptions): PushTransport {
  const { url, tenant, timeout, headers: extra } = options
  const target = pushUrl(url)
  const connections = new Agent({ connections: 2, connect: { timeout }, headersTimeout: timeout, bodyTimeout: timeout })
  const headers = {
    ...authorization(options),
    ...extra,
    'content-type': 'application/x-protobuf',
    'user-agent': 'edda-agent/0.1.0',
    ...(tenant === '' ? {} : { 'x-scope-orgid': tenant }),
  }
  return {
    async push(body, signal) {
      const answer = await request(target, { method: 'POST', body, headers, signal, dispatcher: connections })
      const text = await answer.body.text()
      return {
        status: answer.statusCode,
        message: (text.split('\n', 1)[0] ?? '').slice(0, maxMessageChars),
        retryAfterSeconds: retryAfter(answer.headers['retry-after']),
      }
    },
    close: () => connections.destroy(),
  }
}

function authorization(options: HttpTransportOptions): Readonly<Record<string, string>> {
  const { username = '', password = '', bearer_token: token = '' } = options
  if (token !== '') return { authorization: `Bearer ${token}` }
  if (username === '') return {}
  return { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` }
}

/** Seconds; the form with a date is not used by any Loki and not read. */
function retryAfter(header: string | string[] | undefined): number | undefined {
  const seconds = typeof header === 'string' ? Number(header) : Number.NaN
  return Number.isFinite(seconds) && seconds >= 0 ? seconds : undefined
}
