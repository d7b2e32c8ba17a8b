/** One tenant's connection to a server of Loki's API. */
import { Pool } from 'undici'

import type { Body } from './bodies.ts'
import type { Server } from './server.ts'

export const pushConnections = 4
/** Agents keep their connections; no reader gets before them. */
const maxPushConnections = 64
/** As many as a load has panels under way; more wait in this process. */
const maxReadConnections = 512
/** A server that puts a push off is asked again after this time. */
const retryMs = 50
const maxWaitMs = 600_000

type Pools = { readonly url: string; readonly push: Pool; readonly read: Pool }

export class Client {
  readonly server: Server
  readonly tenant: string
  #pools: Pools | undefined

  constructor(server: Server, tenant: string) {
    this.server = server
    this.tenant = tenant
  }

  /** Answers of 200; anything else is an error that says what came. */
  async text(path: string, method: 'GET' | 'POST' = 'GET'): Promise<string> {
    const answer = await this.#open().read.request({ path, method, headers: { 'x-scope-orgid': this.tenant } })
    const text = await answer.body.text()
    if (answer.statusCode >= 300) throw new Error(`${answer.statusCode}: ${text.slice(0, 300)}`)
    return text
  }

  /** Pushes a body, again when the server puts it off; says how often that was. */
  async push({ bytes, isJson }: Body): Promise<number> {
    const headers = {
      'content-type': isJson ? 'application/json' : 'application/x-protobuf',
      'x-scope-orgid': this.tenant,
    }
    for (let retries = 0; ; retries++) {
      const answer = await this.#open().push.request({
        path: '/loki/api/v1/push',
        method: 'POST',
        headers,
        body: bytes,
      })
      const text = await answer.body.text()
      if (answer.statusCode < 300) return retries
      if (answer.statusCode !== 429 && answer.statusCode !== 503) {
        throw new Error(`push answered ${answer.statusCode}: ${text.slice(0, 300)}`)
      }
      await new Promise((resolve) => setTimeout(resolve, retryMs))
    }
  }

  /** Empty where there are none. Not behind the readers, whose number is what is to be seen. */
  async metrics(): Promise<string> {
    const answer = await this.#open().push.request({ path: '/metrics', method: 'GET' })
    const text = await answer.body.text()
    return answer.statusCode < 300 ? text : ''
  }

  async close(): Promise<void> {
    const pools = this.#pools
    this.#pools = undefined
    await Promise.all([pools?.push.close(), pools?.read.close()])
  }

  /** A restarted server has another address. */
  #open(): Pools {
    const { url } = this.server
    if (this.#pools?.url === url) return this.#pools
    void this.close()
    const limits = { headersTimeout: maxWaitMs, bodyTimeout: maxWaitMs, connect: { timeout: maxWaitMs } }
    const push = new Pool(url, { connections: maxPushConnections, ...limits })
    const read = new Pool(url, { connections: maxReadConnections, ...limits })
    return (this.#pools = { url, push, read })
  }
}
