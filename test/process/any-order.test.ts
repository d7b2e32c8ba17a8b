/**
 * Time: a day of entries in random order answers the same as in order, and every nanosecond survives the whole way, through head
 * and block.
 */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

import { encodePush, type PushEntry } from '#/logs/wire/encode-push.ts'
import { type EddaProcess, get, startEdda } from './edda-process.ts'

const DAY_NS = 86_400_000_000_000n
const START_NS = 1_794_960_000_000_000_000n // a midnight
const COUNT = 20_000
const STREAMS = 5
const BATCH = 1000

/** Entry `index`: spread over 24 hours, no two at one nanosecond, most not at whole milliseconds. */
function entry(index: number): PushEntry & { readonly stream: number } {
  const timeNs = START_NS + (BigInt(index) * DAY_NS) / BigInt(COUNT) + BigInt((index * 7919) % 4_000_000)
  const level = ['info', 'warn', 'error'][index % 3]!
  return { stream: index % STREAMS, timeNs, line: `level=${level} n=${index} took=${index % 977}ms` }
}

/** Deterministic: multiplication by a number that shares no factor with COUNT visits every index once. */
const shuffled = Array.from({ length: COUNT }, (_, i) => (i * 7_919 + 13) % COUNT)
const inOrder = Array.from({ length: COUNT }, (_, i) => i)

async function push(url: string, tenant: string, order: readonly number[]): Promise<void> {
  for (let at = 0; at < order.length; at += BATCH) {
    const entries = order.slice(at, at + BATCH).map(entry)
    const streams = Array.from({ length: STREAMS }, (_, stream) => ({
      labels: `{app="day", n="${stream}"}`,
      entries: entries.filter((one) => one.stream === stream),
    }))
    const response = await fetch(`${url}/loki/api/v1/push`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/x-protobuf', 'X-Scope-OrgID': tenant },
      body: new Uint8Array(encodePush(streams.filter((one) => one.entries.length > 0))),
    })
    assert.equal(response.status, 204, await response.text())
  }
}

const range = { start: String(START_NS - 1n), end: String(START_NS + DAY_NS + 1n) }
const questions: readonly (readonly [path: string, params: Record<string, string>])[] = [
  ['query_range', { ...range, query: '{app="day"}', limit: '5000' }],
  ['query_range', { ...range, query: '{app="day"}', limit: '5000', direction: 'forward' }],
  ['query_range', { ...range, query: '{app="day", n="3"} |= "error" | logfmt | took > 900ms', limit: '5000' }],
  ['query_range', { ...range, query: 'sum by (level) (count_over_time({app="day"} | logfmt [30m]))', step: '1800' }],
  ['query_range', { ...range, query: 'sum by (n) (bytes_rate({app="day"}[1h]))', step: '600' }],
  ['query', { query: 'sum(count_over_time({app="day"}[25h]))', time: String(START_NS + DAY_NS) }],
  ['series', { ...range, 'match[]': '{app="day"}' }],
]

async function ask(url: string, tenant: string): Promise<unknown[]> {
  const answers = []
  for (const [path, params] of questions) {
    const response = await fetch(`${url}/loki/api/v1/${path}?${new URLSearchParams(params)}`, {
      headers: { 'X-Scope-OrgID': tenant },
    })
    const text = await response.text()
    assert.equal(response.status, 200, text)
    const { data } = JSON.parse(text) as { data: { result?: unknown } }
    answers.push(data.result ?? data)
  }
  return answers
}

test('24 hours in random order answer as in order, in heads and in blocks', { timeout: 120_000 }, async () => {
  const dir = await mkdtemp(join(tmpdir(), 'edda-any-order-'))
  let server: EddaProcess | undefined
  try {
    server = await startEdda({
      dataDir: dir,
      flags: ['-auth.enabled=true', '-limits-config.reject-old-samples=false', '-limits-config.max-query-series=5000'],
    })
    const { url } = server
    await push(url, 'ordered', inOrder)
    await push(url, 'random', shuffled)
    const expected = await ask(url, 'ordered')
    const newest = expected[0] as { values: [string, string][] }[]
    const times = newest.flatMap(({ values }) => values.map(([ns]) => BigInt(ns)))
    const known = new Set(inOrder.map((index) => entry(index).timeNs))
    assert.equal(times.length, 5000)
    assert.ok(
      times.every((ns) => known.has(ns)),
      'nanoseconds as they were sent',
    )
    assert.deepEqual(await ask(url, 'random'), expected, 'from heads')
    await get(url, '/flush', {}, 204)
    assert.deepEqual(await ask(url, 'ordered'), expected, 'ordered, from blocks')
    assert.deepEqual(await ask(url, 'random'), expected, 'random, from blocks')
  } finally {
    await server?.kill()
    await rm(dir, { recursive: true, force: true })
  }
})
