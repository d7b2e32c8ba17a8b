/** Merges in a real process: asked for by hand, seen in the API and the metrics, and every answer the same before and after. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'

import type { CompactionRun, CompactorStatus } from '#/logs/wire/compaction.ts'
import { get, queryAll, startEdda } from './edda-process.ts'

const SECOND = 1_000_000_000n
const main = join(import.meta.dirname, '../../src/main.ts')
const run = promisify(execFile)
/** Noon, two days ago. */
const NOON = BigInt(Math.floor(Date.now() / 86_400_000) * 86_400 - 2 * 86_400 + 43_200) * SECOND

async function push(url: string, number: number): Promise<void> {
  const streams = ['web', 'api', 'worker'].map((app) => ({
    stream: { app },
    values: Array.from({ length: 200 }, (_, i) => [
      String(NOON + BigInt(i) * 30n * SECOND + BigInt(number)),
      `level=info msg="order ${number}-${i} placed" user=u${i % 7}`,
      { trace_id: (number * 1000 + i).toString(16).padStart(32, '0') },
    ]),
  }))
  const response = await fetch(`${url}/loki/api/v1/push`, {
    method: 'POST',
    body: JSON.stringify({ streams }),
    headers: { 'content-type': 'application/json' },
  })
  assert.equal(response.status, 204, await response.text())
  await get(url, '/flush', {}, 204)
}

async function answers(url: string): Promise<unknown> {
  const range = { start: String(NOON - SECOND), end: String(NOON + 7200n * SECOND) }
  const ask = async (path: string, query: string): Promise<unknown> => {
    const text = await get(url, `/loki/api/v1/${path}`, { query, ...range, step: '600', limit: '100' })
    return (JSON.parse(text) as { data: { result: unknown } }).data.result
  }
  return [
    await queryAll(url, '{app=~".+"}', { startNs: NOON - SECOND, endNs: NOON + 7200n * SECOND }),
    await ask('query_range', 'sum by (app) (count_over_time({app=~".+"} | logfmt | user="u3" [10m]))'),
    await ask('query_range', '{app="api"} |= "order 2-77"'),
    await ask('query_range', `{app="api"} | trace_id="${(2077).toString(16).padStart(32, '0')}"`),
    JSON.parse(await get(url, '/loki/api/v1/series', { ...range, 'match[]': '{app=~".+"}' })),
    JSON.parse(await get(url, '/loki/api/v1/index/stats', { query: '{app=~".+"}', ...range })).entries,
  ]
}

test('edda compact --once merges, and no answer changes', { timeout: 120_000 }, async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'edda-compaction-'))
  try {
    await using edda = await startEdda({ dataDir })
    for (let number = 0; number < 5; number++) await push(edda.url, number)
    const before = await answers(edda.url)
    const { queue } = JSON.parse(await get(edda.url, '/edda/api/v1/compactor')) as CompactorStatus
    assert.equal(queue.length, 1)
    assert.equal(queue[0]!.blocks, 5)

    const { stdout } = await run(process.execPath, [main, 'compact', '--once', '--json', '--addr', edda.url])
    const done = JSON.parse(stdout) as CompactionRun
    assert.deepEqual(
      [done.inputs, done.outputs, done.rows, done.failures],
      [5, 1, 3000, 0],
      'five blocks of one hour become one',
    )
    assert.deepEqual(await answers(edda.url), before)
    const metrics = await get(edda.url, '/metrics')
    assert.match(metrics, /^edda_compactor_input_blocks_total 5$/m)
    assert.match(metrics, /^loki_boltdb_shipper_compact_tables_operation_total\{status="success"\} 1$/m)
    const status = JSON.parse(await get(edda.url, '/edda/api/v1/compactor')) as CompactorStatus
    assert.deepEqual([status.queue, status.deletions.waiting, status.errors], [[], 5, []])

    const again = await run(process.execPath, [main, 'compact', '--once', '--addr', edda.url])
    assert.equal(again.stdout, 'nothing to merge\n')

    await edda.kill()
    await using next = await startEdda({ dataDir })
    assert.deepEqual(await answers(next.url), before, 'after a kill')
    await run(process.execPath, [main, 'compact', '--once', '--addr', next.url])
    const day = new Date(Number(NOON / 1_000_000n)).toISOString().slice(0, 10)
    const files = await readdir(join(dataDir, 'blocks', 'fake', 'logs', day))
    assert.equal(
      files.filter((name) => name.endsWith('.edda')).length,
      1,
      'what was buried before the start is deleted',
    )
    assert.deepEqual(await answers(next.url), before)
  } finally {
    await rm(dataDir, { recursive: true, force: true })
  }
})
