/** Options and requests that all commands that talk to a server share. Flags and variables are those of logcli. */
import type { Command } from 'commander'
import { request } from 'undici'

import type { CliIo } from './io.ts'

export type ConnectionOptions = {
  readonly addr?: string
  readonly tenant?: string
  readonly orgId?: string
  readonly username?: string
  readonly password?: string
  readonly bearerToken?: string
}

const timeoutMs = 300_000

export function addConnectionOptions(command: Command): Command {
  return command
    .option('--addr <url>', 'address of the server (LOKI_ADDR; default http://127.0.0.1:3100)')
    .option('--tenant <id>', 'tenant to act for (LOKI_ORG_ID); --org-id is the same')
    .option('--org-id <id>', 'the name that logcli has for --tenant')
    .option('--username <name>', 'basic authentication (LOKI_USERNAME)')
    .option('--password <text>', 'basic authentication (LOKI_PASSWORD)')
    .option('--bearer-token <text>', 'token in the Authorization header (LOKI_BEARER_TOKEN)')
}

export type Connection = {
  readonly url: string
  readonly tenant: string
  readonly headers: Readonly<Record<string, string>>
}

export function connectionOf(options: ConnectionOptions, { env }: Pick<CliIo, 'env'>): Connection {
  const given = options.addr ?? env['LOKI_ADDR'] ?? 'http://127.0.0.1:3100'
  const url = (/^[a-z]+:\/\//.test(given) ? given : `http://${given}`).replace(/\/+$/, '')
  const tenant = options.tenant ?? options.orgId ?? env['LOKI_ORG_ID'] ?? ''
  const username = options.username ?? env['LOKI_USERNAME']
  const token = options.bearerToken ?? env['LOKI_BEARER_TOKEN']
  const headers: Record<string, string> = {}
  if (tenant !== '') headers['x-scope-orgid'] = tenant
  if (token !== undefined) headers['authorization'] = `Bearer ${token}`
  else if (username !== undefined) {
    const password = options.password ?? env['LOKI_PASSWORD'] ?? ''
    headers['authorization'] = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
  }
  return { url, tenant, headers }
}

/** The JSON that a server answers. @throws Error with the server's own words when it does not answer 200. */
export async function getJson(...request: Parameters<typeof getText>): Promise<unknown> {
  return JSON.parse(await getText(...request))
}

/** The text that a server answers. @throws Error with the server's own words when it does not answer 200. */
export async function getText(
  connection: Connection,
  path: string,
  parameters: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<string> {
  const url = `${connection.url}${path}?${new URLSearchParams(parameters).toString()}`
  const headers = { ...connection.headers, 'user-agent': 'edda-cli' }
  const answer = await request(url, { headers, signal, headersTimeout: timeoutMs, bodyTimeout: timeoutMs }).catch(
    (error: unknown) => {
      throw new Error(`no answer from ${connection.url}: ${reasonOf(error)}`, { cause: error })
    },
  )
  const text = await answer.body.text()
  if (answer.statusCode !== 200) throw new Error(`the server answered ${answer.statusCode}: ${text.trim()}`)
  return text
}

/** One request; the answer whatever its status. @throws Error when there is none. */
export async function send(
  { url, headers: own }: Connection,
  { method, path, body }: { readonly method: 'GET' | 'POST' | 'DELETE'; readonly path: string; readonly body?: string },
  signal: AbortSignal,
): Promise<{ readonly status: number; readonly text: string }> {
  const headers = {
    ...own,
    'user-agent': 'edda-cli',
    ...(body === undefined ? {} : { 'content-type': 'application/yaml' }),
  }
  const options = { method, headers, signal, headersTimeout: timeoutMs, bodyTimeout: timeoutMs, body: body ?? null }
  const answer = await request(`${url}${path}`, options).catch((error: unknown) => {
    throw new Error(`no answer from ${url}: ${reasonOf(error)}`, { cause: error })
  })
  return { status: answer.statusCode, text: await answer.body.text() }
}

function reasonOf(error: unknown): string {
  const { code, message } = error as { code?: string; message?: string }
  return code ?? message ?? String(error)
}
