/** loki-canary for eight seconds: every line on the tail and in queries, once. */
import { test } from 'node:test'

import { checkHealth, runCanary } from './canary.ts'
import { CompatServer } from './compat-server.ts'

test('a canary finds every line', { timeout: 60_000 }, async () => {
  await using server = await CompatServer.start('canary')
  checkHealth(await runCanary(server.url, { seconds: 8, intervalMs: 50 }))
})
