/**
 * 500 live tails on one process while others push: each tail gets every line that it wants, and pushes take no longer than they
 * may. Prints what it measured: latency of pushes and CPU of the server, without tails and with them.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

import { Pool } from 'undici'
import { WebSocket } from 'ws'

import { encodePush } from '#/logs/wire/encode-push.ts'
import { startEdda } from './edda-process.ts'
import { until } from './until.ts'

const TAILS = 500
const PODS = 50
const LINES_PER_POD = 2
const PUSH_EVERY_MS = 50
const PUSHES = 200
/** What the project allows for the slowest of a hundred pushes. */
const MAX_P99_MS = 250

type Figures = { readonly p50: number; readonly p99: number; readonly cpuShare: number }

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** Seconds of CPU that a process has used, from `/proc`. */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')
  return (Number(fields[11]) + Number(fields[12])) / 100
}

async function pushAll(url: string, pid: number, round: string): Promise<Figures> {
  const pool = new Pool(url, { connections: 4 })
  const times: number[] = []
  const cpu = cpuSeconds(pid)
  const startMs = performance.now()
  const pending: Promise<void>[] = []
  for (let push = 0; push < PUSHES; push++) {
    const nowNs = BigInt(Date.now()) * 1_000_000n
    const body = encodePush(
      Array.from({ length: PODS }, (_, pod) => ({
        labels: `{app="load", pod="p${pod}"}`,
        entries: Array.from({ length: LINES_PER_POD }, (_, i) => ({
          timeNs: nowNs + BigInt(i),
          line: `level=info round=${round} push=${push} line=${i} ${'lorem ipsum dolor sit amet '.repeat(6)}`,
        })),
      })),
    )
    const sentMs = performance.now()
    const headers = { 'content-type': 'application/x-protobuf' }
    const one = pool.request({ path: '/loki/api/v1/push', method: 'POST', headers, body }).then(async (answer) => {
      await answer.body.dump()
      assert.equal(answer.statusCode, 204)
      times.push(performance.now() - sentMs)
    })
    pending.push(one)
    await sleep(Math.max(0, startMs + (push + 1) * PUSH_EVERY_MS - performance.now()))
  }
  await Promise.all(pending)
  const cpuShare = (cpuSeconds(pid) - cpu) / ((performance.now() - startMs) / 1000)
  await pool.close()
  times.sort((a, b) => a - b)
  return { p50: times[Math.floor(times.length / 2)]!, p99: times[Math.floor(times.length * 0.99)]!, cpuShare }
}

function show(what: string, { p50, p99, cpuShare }: Figures): void {
  const lines = (PODS * LINES_PER_POD * 1000) / PUSH_EVERY_MS
  console.log(
    `${what}: ${lines} lines/s, push p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms, CPU ${(cpuShare * 100).toFixed(0)} %`,
  )
}

test('500 tails at once, while others push', { timeout: 180_000 }, async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'edda-tails-'))
  await using server = await startEdda({ dataDir, flags: ['-limits-config.max-concurrent-tail-requests=0'] })
  try {
    await pushAll(server.url, server.pid, 'warm')
    const without = await pushAll(server.url, server.pid, 'without')
    show('without tails', without)
    const counts = new Array<number>(TAILS).fill(0)
    let dropped = 0
    // no history: 500 queries at once are another test's business
    const start = `${Date.now()}000000`
    const sockets = Array.from({ length: TAILS }, (_, nth) => {
      const query = `{app="load", pod="p${nth % PODS}"} |= "round=with "`
      const socket = new WebSocket(
        `${server.url.replace('http', 'ws')}/loki/api/v1/tail?${new URLSearchParams({ query, start })}`,
      )
      socket.on('message', (data: Buffer) => {
        const text = data.toString('latin1')
        counts[nth]! += text.split('"values":').length - 1
        if (text.includes('dropped_entries')) dropped++
      })
      return socket
    })
    await Promise.all(sockets.map((socket) => once(socket, 'open')))
    await sleep(2000)
    const idle = await pushAll(server.url, server.pid, 'unwanted')
    show(`${TAILS} tails that want none of it`, idle)
    const figures = await pushAll(server.url, server.pid, 'with')
    show(`${TAILS} tails, ${LINES_PER_POD * (1000 / PUSH_EVERY_MS)} lines/s each`, figures)
    const expected = PUSHES * LINES_PER_POD
    await until(async () => (counts.every((count) => count >= expected) ? true : undefined), {
      limitMs: 20_000,
      describe: () => `${counts.filter((count) => count < expected).length} tails miss lines, ${dropped} drops`,
    })
    assert.ok(counts.every((count) => count === expected))
    assert.equal(dropped, 0)
    assert.ok(figures.p99 < MAX_P99_MS, `p99 ${figures.p99} ms`)
    // some stop reading: the others, and the writers, do not notice
    for (const socket of sockets.slice(0, 100)) socket.pause()
    const stuck = await pushAll(server.url, server.pid, 'with')
    show(`${TAILS} tails, of which 100 do not read`, stuck)
    assert.ok(stuck.p99 < MAX_P99_MS, `p99 ${stuck.p99} ms`)
    await until(async () => (counts.slice(100).every((count) => count >= 2 * expected) ? true : undefined), {
      limitMs: 20_000,
      describe: () => `${counts.slice(100).filter((count) => count < 2 * expected).length} tails miss lines`,
    })
    for (const socket of sockets) socket.terminate()
  } finally {
    await server.kill()
    await rm(dataDir, { recursive: true, force: true })
  }
})
