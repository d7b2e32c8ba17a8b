/**
 * The main job, for real: an agent process ships growing log files into a server process, one file is rotated meanwhile, the
 * server is killed with SIGKILL at a random moment and started again. Every line is found, once, by count and by content.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createWriteStream, type WriteStream } from 'node:fs'
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

import { startAgentProcess } from './agent-process.ts'
import { type EddaProcess, get, queryAll, startEdda } from './edda-process.ts'
import { freePort } from './free-port.ts'
import { until } from './until.ts'
import { testSeed } from '#/kernel/fixture/test-seed.ts'

const TOTAL_BYTES = 24 * 1024 * 1024
const FILES = ['web.log', 'api.log', 'worker.log']

/** Small and repeatable (mulberry32). */
function random(state: number): () => number {
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

const levels = ['info', 'info', 'info', 'warn', 'error', 'debug']
const paths = ['/api/orders', '/api/users', '/healthz', '/static/app.js', '/api/cart/checkout']

function line(next: () => number, file: string, sequence: number): string {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(next() * list.length)]!
  const took = Math.floor(next() * 3000)
  const id = Math.floor(next() * 2 ** 48).toString(16)
  const words = ' the quick brown fox'.repeat(Math.floor(next() * 5))
  return `ts=${1_700_000_000_000 + sequence} level=${pick(levels)} seq=${sequence} file=${file} path=${pick(paths)} trace=${id} took=${took}ms msg="done${words}"`
}

test(`agent, rotation and SIGKILL: every line once (seed ${testSeed})`, { timeout: 180_000 }, async () => {
  const next = random(testSeed)
  const dir = await mkdtemp(join(tmpdir(), 'edda-main-job-'))
  const logs = join(dir, 'logs')
  await mkdir(logs)
  const port = await freePort()
  const startNs = BigInt(Date.now()) * 1_000_000n
  let server: EddaProcess | undefined
  try {
    server = await startEdda({ dataDir: join(dir, 'data'), port, flags: ['-ingester.flush-bytes=8MB'] })
    await using agent = startAgentProcess([
      '--path',
      `${logs}/*.log*`,
      '--label',
      'job=main',
      '--url',
      server.url,
      '--state-dir',
      join(dir, 'agent'),
    ])
    const outputs = new Map<string, WriteStream>(FILES.map((name) => [name, createWriteStream(join(logs, name))]))
    const expected = new Set<string>()
    let written = 0
    const killAt = TOTAL_BYTES * (0.2 + 0.6 * next())
    const rotateAt = TOTAL_BYTES * (0.2 + 0.6 * next())
    let isKilled = false
    let isRotated = false
    let restarted: Promise<void> | undefined
    while (written < TOTAL_BYTES) {
      const name = FILES[Math.floor(next() * FILES.length)]!
      const block: string[] = []
      for (let i = 0; i < 200; i++) block.push(line(next, name, expected.size + i))
      for (const one of block) expected.add(one)
      const text = `${block.join('\n')}\n`
      written += text.length
      const out = outputs.get(name)!
      if (!out.write(text)) await once(out, 'drain')
      if (!isRotated && written > rotateAt) {
        isRotated = true
        const old = outputs.get('web.log')!
        await rename(join(logs, 'web.log'), join(logs, 'web.log.1'))
        // as programs do that learn of a rotation late: the old name still gets lines
        old.write('ts=0 level=info last line before the new file\n')
        expected.add('ts=0 level=info last line before the new file')
        old.end()
        await once(old, 'finish')
        outputs.set('web.log', createWriteStream(join(logs, 'web.log')))
      }
      if (!isKilled && written > killAt) {
        isKilled = true
        const killed = server!
        restarted = killed.kill().then(async () => {
          server = await startEdda({ dataDir: join(dir, 'data'), port, flags: ['-ingester.flush-bytes=8MB'] })
        })
      }
      await new Promise((resolve) => setImmediate(resolve))
    }
    for (const out of outputs.values()) out.end()
    await restarted
    assert.ok(isKilled && isRotated)

    let found = 0
    await until(
      async () => {
        found = await count(server!.url)
        return found >= expected.size ? found : undefined
      },
      { limitMs: 90_000, describe: () => `${found} of ${expected.size} lines; agent: ${agent.log.slice(-5).join('')}` },
    )
    await agent.stop()
    const range = { startNs, endNs: BigInt(Date.now() + 60_000) * 1_000_000n }
    for (const moment of ['before a flush', 'after a flush', 'after a restart'] as const) {
      if (moment === 'after a flush') await get(server!.url, '/flush', {}, 204)
      if (moment === 'after a restart') {
        assert.equal(await server!.stop(), 0)
        server = await startEdda({ dataDir: join(dir, 'data'), port })
      }
      const rows = await queryAll(server!.url, '{job="main"}', range)
      assert.equal(rows.length, expected.size, `${moment}: lines found`)
      const seen = new Set(rows.map(([, text]) => text))
      assert.equal(seen.size, expected.size, `${moment}: different lines found`)
      for (const text of seen) assert.ok(expected.has(text), `${moment}: a line that nobody wrote: ${text}`)
      assert.equal(await count(server!.url), expected.size, `${moment}: count_over_time`)
    }
    assert.equal(await server!.stop(), 0)
  } finally {
    await server?.kill()
    await rm(dir, { recursive: true, force: true })
  }
})

async function count(url: string): Promise<number> {
  const text = await get(url, '/loki/api/v1/query', { query: 'sum(count_over_time({job="main"}[1h]))' })
  const { data } = JSON.parse(text) as { data: { result: { value: [number, string] }[] } }
  return Number(data.result[0]?.value[1] ?? 0)
}
