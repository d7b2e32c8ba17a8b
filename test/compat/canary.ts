/**
 * loki-canary: pushes a line at every interval, watches it arrive on a live tail, and at the end asks for what it has not seen,
 * counts, and counts again without a cache. A line is its own time in ns, padded.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'

import { WebSocket } from 'ws'

import { goQuery, json, type Json, nowNs, pushAs, secondNs, speak } from './speak.ts'

const headers = { 'User-Agent': 'loki-canary/3.5.0', 'X-Scope-OrgID': 'acme' }
const selector = '{name="loki-canary",stream="push"}'
const lineBytes = 100

export type CanaryReport = {
  readonly pushed: number
  readonly tailed: number
  /** Of the tail; by a query. */
  readonly missingOnTail: number
  readonly missing: number
  readonly duplicates: number
  readonly unexpected: number
  readonly outOfOrder: number
  readonly pings: number
  readonly latencyMsMax: number
}

export async function runCanary(
  url: string,
  options: { readonly seconds: number; readonly intervalMs: number },
): Promise<CanaryReport> {
  const sent: bigint[] = []
  const arrived = new Map<bigint, number>()
  let last = 0n
  const counts = { duplicates: 0, unexpected: 0, outOfOrder: 0, pings: 0, latencyMsMax: 0 }
  // the space stands before what `-query-append` would add
  const query = encodeURIComponent('{stream="push",name="loki-canary"} ')
  const tail = new WebSocket(`${url.replace('http', 'ws')}/loki/api/v1/tail?query=${query}`, { headers })
  tail.on('ping', () => counts.pings++)
  tail.on('message', (data: Buffer) => {
    const { streams } = JSON.parse(data.toString()) as Json
    for (const [, line] of streams.flatMap(({ values }: Json) => values)) {
      const ns = BigInt((line as string).split(' ')[0]!)
      if (arrived.has(ns)) counts.duplicates++
      if (!sent.includes(ns)) counts.unexpected++
      if (ns < last) counts.outOfOrder++
      last = ns
      arrived.set(ns, Number((nowNs() - ns) / 1_000_000n))
    }
  })
  await once(tail, 'open')
  const startNs = nowNs()
  const endMs = performance.now() + options.seconds * 1000
  while (performance.now() < endMs) {
    const timeNs = nowNs()
    const line = `${timeNs} `.padEnd(lineBytes, 'p')
    sent.push(timeNs)
    await pushAs(url, 'canary-push/3.5.0', [
      { labels: '{name="loki-canary", stream="push"}', entries: [{ timeNs, line }] },
    ])
    await new Promise((resolve) => setTimeout(resolve, options.intervalMs))
  }
  // what did not come within a minute is missing; what comes twice needs a moment more
  for (let waits = 0; waits < 600 && arrived.size < sent.length; waits++) {
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  await new Promise((resolve) => setTimeout(resolve, 300))
  tail.close()
  await once(tail, 'close')
  counts.latencyMsMax = Math.max(...arrived.values())
  const stored = await storedTimes(url, startNs)
  await checkCounts(url, startNs, sent.length)
  return {
    ...counts,
    pushed: sent.length,
    tailed: arrived.size,
    missingOnTail: sent.filter((ns) => !arrived.has(ns)).length,
    missing: sent.filter((ns) => !stored.has(ns)).length,
  }
}

async function storedTimes(url: string, startNs: bigint): Promise<Set<bigint>> {
  const stored = new Set<bigint>()
  for (let start = startNs; ;) {
    const path = `/loki/api/v1/query_range?start=${start}&end=${nowNs() + secondNs}&query=${encodeURIComponent(selector)}&limit=1000&direction=forward`
    const { data } = json(await speak(url, { path, headers }))
    const times: bigint[] = data.result.flatMap(({ values }: Json) => values.map(([ns]: [string]) => BigInt(ns)))
    for (const time of times) stored.add(time)
    if (times.length < 1000) return stored
    start = times.reduce((a, b) => (a > b ? a : b))
  }
}

/** Exactly one series, and the same number with and without a cache. */
async function checkCounts(url: string, startNs: bigint, expected: number): Promise<void> {
  const seconds = Number((nowNs() - startNs) / secondNs) + 1
  const query = `count_over_time(${selector}[${seconds}s])`
  const path = `/loki/api/v1/query?${goQuery({ query, time: nowNs(), limit: 1000 })}`
  for (const more of [{}, { 'Cache-Control': 'no-cache' }]) {
    const { data } = json(await speak(url, { path, headers: { ...headers, ...more } }))
    assert.equal(data.resultType, 'vector')
    assert.equal(data.result.length, 1)
    assert.equal(data.result[0].value[1], String(expected))
  }
}

/** What a canary in good health reports. */
export function checkHealth(report: CanaryReport): void {
  const { pushed, tailed, latencyMsMax, pings: _, ...faults } = report
  assert.ok(pushed > 0)
  assert.equal(tailed, pushed)
  assert.ok(latencyMsMax < 20_000, `a line took ${latencyMsMax} ms to the tail`)
  assert.deepEqual(faults, { missingOnTail: 0, missing: 0, duplicates: 0, unexpected: 0, outOfOrder: 0 })
}
