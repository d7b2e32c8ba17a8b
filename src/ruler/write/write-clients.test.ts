import assert from 'node:assert/strict'
import { test } from 'node:test'

import { parseWriteClients } from './write-clients.ts'

test('clients as Prometheus configures them', () => {
  const [client] = parseWriteClients({
    prom: {
      url: 'http://p/api/v1/write',
      remote_timeout: '7s',
      headers: { 'X-A': 'b' },
      basic_auth: { username: 'u', password: 'p' },
      queue_config: { capacity: 50, max_samples_per_send: 100, batch_send_deadline: '1s', max_shards: 3 },
    },
  })
  assert.deepEqual(client, {
    name: 'prom',
    url: 'http://p/api/v1/write',
    headers: { authorization: 'Basic dTpw', 'X-A': 'b' },
    timeoutMs: 7000,
    capacity: 50,
    maxBatch: 50,
    deadlineMs: 1000,
    minBackoffMs: 30,
    maxBackoffMs: 5000,
  })
  assert.throws(() => parseWriteClients({ p: { url: 'ftp://x' } }), /p\.url: expected an http\(s\) address/)
  assert.throws(() => parseWriteClients({ p: { url: 'http://x', sigv4: {} } }), /p: unknown key sigv4/)
})
