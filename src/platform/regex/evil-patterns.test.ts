import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { slowestEvil } from './evil-patterns.ts'
import { enableLinearRegex } from './linear.ts'

enableLinearRegex()

/** CPU time of the thread. They take 50 ms at most; a backtracking engine needs years for each of them. */
const MAX_MS = 2000

test('no pattern can hang the main thread', () => {
  const { pattern, ms } = slowestEvil()
  assert.ok(ms < MAX_MS, `${pattern} took ${ms} ms`)
})

test('no pattern can hang a worker thread', async () => {
  const worker = new Worker(new URL('./evil-patterns.worker.ts', import.meta.url))
  const [{ pattern, ms }] = await once(worker, 'message')
  await worker.terminate()
  assert.ok(ms < MAX_MS, `${pattern} took ${ms} ms`)
})
