/** Receivers of remote writes as the configuration names them, in the form of Prometheus' `remote_write`. */
import { checkKeys, countOf, type Data, mapOf, msOf, textOf, textsOf } from '#/ruler/model/config-values.ts'
import type { Receiver } from '#/ruler/send/send-queue.ts'

const clientKeys = ['url', 'name', 'remote_timeout', 'headers', 'basic_auth', 'authorization', 'queue_config']
const queueKeys = ['capacity', 'max_samples_per_send', 'batch_send_deadline', 'min_backoff', 'max_backoff']
/** Keys of Prometheus that change nothing: one connection sends the samples of a tenant in their order. */
const idleQueueKeys = ['max_shards', 'min_shards', 'retry_on_http_429', 'sample_age_limit']

/** Of a map name → client. @throws Error naming the key and what is wrong with it. */
export function parseWriteClients(value: unknown): readonly Receiver[] {
  if (value === null || value === undefined) return []
  return Object.entries(mapOf(value, 'clients')).map(([name, one]) => parseClient(name, mapOf(one, name)))
}

function parseClient(name: string, data: Data): Receiver {
  checkKeys(data, clientKeys, name)
  const url = textOf(data['url'] ?? '', `${name}.url`)
  if (!URL.canParse(url) || !/^https?:/.test(url))
    throw new Error(`${name}.url: expected an http(s) address, found '${url}'`)
  const queue = mapOf(data['queue_config'] ?? {}, `${name}.queue_config`)
  checkKeys(queue, [...queueKeys, ...idleQueueKeys], `${name}.queue_config`)
  const capacity = countOf(queue['capacity'] ?? 10_000, `${name}.queue_config.capacity`)
  return {
    name,
    url,
    headers: { ...authorization(data, name), ...textsOf(data['headers'] ?? {}, `${name}.headers`) },
    timeoutMs: msOf(data['remote_timeout'] ?? '30s', `${name}.remote_timeout`),
    capacity,
    maxBatch: Math.min(capacity, countOf(queue['max_samples_per_send'] ?? 2000, `${name}.max_samples_per_send`)),
    deadlineMs: msOf(queue['batch_send_deadline'] ?? '5s', `${name}.batch_send_deadline`),
    minBackoffMs: msOf(queue['min_backoff'] ?? '30ms', `${name}.min_backoff`),
    maxBackoffMs: msOf(queue['max_backoff'] ?? '5s', `${name}.max_backoff`),
  }
}

function authorization(data: Data, name: string): Record<string, string> {
  if (data['basic_auth'] !== undefined) {
    const basic = mapOf(data['basic_auth'], `${name}.basic_auth`)
    checkKeys(basic, ['username', 'password'], `${name}.basic_auth`)
    const pair = `${textOf(basic['username'] ?? '', 'username')}:${textOf(basic['password'] ?? '', 'password')}`
    return { authorization: `Basic ${Buffer.from(pair).toString('base64')}` }
  }
  if (data['authorization'] === undefined) return {}
  const token = mapOf(data['authorization'], `${name}.authorization`)
  checkKeys(token, ['type', 'credentials'], `${name}.authorization`)
  return {
    authorization: `${textOf(token['type'] ?? 'Bearer', 'type')} ${textOf(token['credentials'] ?? '', 'credentials')}`,
  }
}
