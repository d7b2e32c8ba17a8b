/** HTTP as the clients speak it: the path as it is written, and no header that they do not send. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { gunzipSync } from 'node:zlib'

import { encodePush, type PushStream } from '#/logs/wire/encode-push.ts'

export type Said = {
  readonly method?: string
  /** With its query string, escaped as the client escapes it. */
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Uint8Array | string
}

export type Heard = { readonly status: number; readonly headers: IncomingHttpHeaders; readonly text: string }

export async function speak(url: string, { method = 'GET', path, headers = {}, body }: Said): Promise<Heard> {
  const { hostname, port } = new URL(url)
  const sending = request({ hostname, port, method, path, headers, agent: false })
  sending.end(body)
  const [response] = (await once(sending, 'response')) as [IncomingMessage]
  const bytes = await buffer(response)
  const isGzip = response.headers['content-encoding'] === 'gzip'
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    text: (isGzip ? gunzipSync(bytes) : bytes).toString(),
  }
}

// oxlint-disable-next-line typescript/no-explicit-any -- answers are whatever the server sends
export type Json = any

/** An answer in JSON with 200. */
export function json({ status, headers, text }: Heard, what = ''): Json {
  assert.equal(status, 200, `${what}: ${text}`)
  assert.equal(headers['content-type'], 'application/json; charset=UTF-8', what)
  return JSON.parse(text)
}

/** As Promtail, Alloy and the canary push: a snappy block, no Content-Encoding; 204 without a body. */
export async function pushAs(
  url: string,
  userAgent: string,
  streams: readonly PushStream[],
  tenant = 'acme',
): Promise<void> {
  const headers = { 'Content-Type': 'application/x-protobuf', 'User-Agent': userAgent, 'X-Scope-OrgID': tenant }
  const heard = await speak(url, { method: 'POST', path: '/loki/api/v1/push', headers, body: encodePush(streams) })
  assert.deepEqual([heard.status, heard.text], [204, ''])
}

/** Go's `url.Values.Encode`: sorted by name, spaces as `+`. */
export function goQuery(params: Readonly<Record<string, string | number | bigint>>): string {
  const search = new URLSearchParams()
  for (const name of Object.keys(params).toSorted()) search.set(name, String(params[name]))
  return search.toString()
}

/** Now in nanoseconds. */
export const nowNs = (): bigint => BigInt(Date.now()) * 1_000_000n
export const secondNs = 1_000_000_000n
