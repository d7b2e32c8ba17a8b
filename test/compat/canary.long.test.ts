/** loki-canary for a minute, while heads are flushed. */
import assert from 'node:assert/strict'
import { test } from 'node:test'

import { checkHealth, runCanary } from './canary.ts'
import { CompatServer } from './compat-server.ts'

test('a canary finds every line for a minute', { timeout: 120_000 }, async () => {
  await using server = await CompatServer.start('canary-long', ['-ingester.flush-age=5s'])
  const report = await runCanary(server.url, { seconds: 60, intervalMs: 100 })
  checkHealth(report)
  assert.ok(report.pings > 0, 'the server sends pings, and the canary counts them')
})
