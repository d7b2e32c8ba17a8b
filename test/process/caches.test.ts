/** Caches of a real process: what the second asking costs, what a request and the configuration may say, what metrics show. */
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'

import { startEdda } from './edda-process.ts'

const TIME = 1_795_000_020
const limitText = `limits_config: {reject_old_samples: false, creation_grace_period: 10000h}\n`
const noCache = { 'cache-control': 'no-cache' }

type CacheStats = { readonly entriesRequested: number; readonly entriesFound: number; readonly entriesStored: number }
type Answer = {
  readonly data: {
    readonly result: unknown
    readonly stats: {
      readonly summary: { readonly totalLinesProcessed: number }
      readonly cache: { readonly result: CacheStats; readonly logResult: CacheStats }
    }
  }
}

async function ask(url: string, query: string, headers: Record<string, string> = {}): Promise<Answer['data']> {
  const range = { start: String(TIME - 60), end: String(TIME + 240), step: '60s' }
  const response = await fetch(
    `${url}/loki/api/v1/query_range?${new URLSearchParams({ query, ...range }).toString()}`,
    {
      headers,
    },
  )
  assert.equal(response.status, 200)
  return ((await response.json()) as Answer).data
}

async function fill(url: string): Promise<void> {
  const values = Array.from({ length: 100 }, (_, i) => [`${TIME + i}000000000`, `order n=${i}`])
  const response = await fetch(`${url}/loki/api/v1/push`, {
    method: 'POST',
    body: JSON.stringify({ streams: [{ stream: { app: 'pay' }, values }] }),
    headers: { 'content-type': 'application/json' },
  })
  assert.equal(response.status, 204, await response.text())
  assert.equal((await fetch(`${url}/flush`, { method: 'POST' })).status, 204)
}

async function metric(url: string, name: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text()
  const line = text.split('\n').find((one) => one.startsWith(`${name} `))
  assert(line !== undefined, `${name} is shown`)
  return Number(line.slice(name.length))
}

const samples = 'sum(count_over_time({app="pay"} | logfmt | n >= 10 [1m]))'
const rows = '{app="pay"} | logfmt | n > 1000'

describe('caches', () => {
  let dir: string
  let config: string
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'edda-caches-'))
    config = join(dir, 'edda.yaml')
  })
  after(() => rm(dir, { recursive: true }))

  test('a block is read once', async () => {
    await writeFile(config, limitText)
    await using edda = await startEdda({ dataDir: join(dir, 'data'), flags: [`-config.file=${config}`] })
    const { url } = edda
    await fill(url)
    for (const [query, kind] of [
      [samples, 'result'],
      [rows, 'logResult'],
    ] as const) {
      const first = await ask(url, query)
      assert.equal(first.stats.cache[kind].entriesStored, 1)
      const again = await ask(url, query)
      assert.deepEqual(again.result, first.result)
      assert.equal(again.stats.cache[kind].entriesFound, 1)
      assert.equal(again.stats.summary.totalLinesProcessed, 0)
      const fresh = await ask(url, query, noCache)
      assert.deepEqual(fresh.result, first.result)
      assert.deepEqual([fresh.stats.cache[kind].entriesRequested, fresh.stats.summary.totalLinesProcessed], [0, 100])
    }
    assert.equal(await metric(url, 'loki_cache_hits{name="results"}'), 2)
    assert.equal(await metric(url, 'loki_cache_fetched_keys{name="results"}'), 4)
    assert.equal(await metric(url, 'loki_embeddedcache_entries{cache="results"}'), 2)
    assert((await metric(url, 'loki_embeddedcache_memory_bytes{cache="open-blocks"}')) > 0)
    assert.equal(await metric(url, 'loki_query_frontend_shared_queries_total'), 0)
  })

  test('results are not kept when that is off', async () => {
    await writeFile(config, `${limitText}query_range: {cache_results: false}\n`)
    await using edda = await startEdda({ dataDir: join(dir, 'data'), flags: [`-config.file=${config}`] })
    for (let i = 0; i < 2; i++) {
      const { stats } = await ask(edda.url, samples)
      assert.deepEqual([stats.cache.result.entriesRequested, stats.summary.totalLinesProcessed], [0, 100])
    }
  })
})
