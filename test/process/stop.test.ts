/** How a process ends: on request, on SIGTERM, and what is there when it comes back. */
import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

import { encodePush } from '#/logs/wire/encode-push.ts'
import { type EddaProcess, get, queryAll, startEdda } from './edda-process.ts'
import { until } from './until.ts'

async function push(url: string, line: string, labels = '{app="stop"}'): Promise<number> {
  const response = await fetch(`${url}/loki/api/v1/push`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/x-protobuf' },
    body: new Uint8Array(encodePush([{ labels, entries: [{ timeNs: BigInt(Date.now()) * 1_000_000n, line }] }])),
  })
  await response.text()
  return response.status
}

async function blocksIn(dataDir: string): Promise<string[]> {
  const names = await readdir(join(dataDir, 'blocks'), { recursive: true })
  return names.filter((name) => name.endsWith('.edda'))
}

const lastHour = (): { startNs: bigint; endNs: bigint } => {
  const nowNs = BigInt(Date.now()) * 1_000_000n
  return { startNs: nowNs - 3_600_000_000_000n, endNs: nowNs + 60_000_000_000n }
}

async function withData(run: (dataDir: string, started: EddaProcess[]) => Promise<void>): Promise<void> {
  const dataDir = await mkdtemp(join(tmpdir(), 'edda-stop-'))
  const started: EddaProcess[] = []
  try {
    await run(dataDir, started)
  } finally {
    for (const one of started) await one.kill()
    await rm(dataDir, { recursive: true, force: true })
  }
}

test('SIGTERM flushes everything and ends with 0; the next start finds it', () =>
  withData(async (dataDir, started) => {
    const first = await startEdda({ dataDir })
    started.push(first)
    assert.equal(await push(first.url, 'before the stop'), 204)
    assert.deepEqual(await blocksIn(dataDir), [])
    assert.equal(await first.stop(), 0)
    assert.equal((await blocksIn(dataDir)).length, 1)
    const second = await startEdda({ dataDir })
    started.push(second)
    const rows = await queryAll(second.url, '{app="stop"}', lastHour())
    assert.deepEqual(
      rows.map(([, line]) => line),
      ['before the stop'],
    )
  }))

test('POST /ingester/shutdown flushes, answers 204 and ends the process', () =>
  withData(async (dataDir, started) => {
    const server = await startEdda({ dataDir })
    started.push(server)
    await push(server.url, 'one')
    const response = await fetch(`${server.url}/ingester/shutdown`, { method: 'POST' })
    assert.equal(response.status, 204)
    await until(async () => ((await fetch(`${server.url}/ready`).catch(() => undefined)) ? undefined : true), {
      limitMs: 60_000,
      describe: () => server.log.slice(-3).join('\n'),
    })
    assert.equal((await blocksIn(dataDir)).length, 1)
  }))

test('POST /flush/tenant writes what is in memory and keeps answering', () =>
  withData(async (dataDir, started) => {
    const server = await startEdda({ dataDir })
    started.push(server)
    await push(server.url, 'one')
    const response = await fetch(`${server.url}/flush/tenant`, { method: 'POST' })
    assert.equal(response.status, 204)
    assert.equal((await blocksIn(dataDir)).length, 1)
    await push(server.url, 'two')
    const rows = await queryAll(server.url, '{app="stop"}', lastHour())
    assert.deepEqual(rows.map(([, line]) => line).toSorted(), ['one', 'two'], 'block and head together')
    assert.equal((await get(server.url, '/ready')).trim(), 'ready')
  }))

test('bodies of 100 MB cost their sender a 4xx, and nobody else anything', { timeout: 120_000 }, () =>
  withData(async (dataDir, started) => {
    const server = await startEdda({ dataDir, flags: ['-memory-limit=128MB'] })
    started.push(server)
    const huge = JSON.stringify({
      streams: [{ stream: { app: 'huge' }, values: [[`${Date.now()}000000`, 'x'.repeat(100 * 1024 * 1024)]] }],
    })
    const bad = fetch(`${server.url}/loki/api/v1/push`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: huge,
    }).then(async (response) => ({ status: response.status, text: await response.text() }))
    let good = 0
    let isOver = false
    void bad.finally(() => (isOver = true)).catch(() => undefined)
    do {
      assert.equal(await push(server.url, `good ${good}`, '{app="good"}'), 204)
      good++
    } while (!isOver)
    const { status, text } = await bad
    assert.ok(status === 400 || status === 413, `${status} ${text.slice(0, 200)}`)
    const rows = await queryAll(server.url, '{app="good"}', lastHour())
    assert.equal(rows.length, good)
  }),
)

test('a second process does not get the directory of the first, until that has ended', { timeout: 60_000 }, () =>
  withData(async (dataDir, started) => {
    const first = await startEdda({ dataDir })
    started.push(first)
    await assert.rejects(
      startEdda({ dataDir }),
      new RegExp(`code 1[^]*is in use by another Edda \\(process ${first.pid}\\); stop it`),
    )
    assert.equal(await push(first.url, 'kept'), 204)
    await first.kill()
    const second = await startEdda({ dataDir })
    started.push(second)
    const rows = await queryAll(second.url, '{app="stop"}', lastHour())
    assert.deepEqual(
      rows.map(([, line]) => line),
      ['kept'],
    )
  }),
)
