/** Pushes a data set at full speed, waits until the server has nothing left to do, and says what that took. */
import type { Body } from './bodies.ts'
import { type Client, pushConnections } from './client.ts'
import {
  cpuSeconds,
  forgetPeak,
  MemoryWatch,
  metricSum,
  peakMemoryMb,
  stored,
  writtenBytes,
} from './process-figures.ts'
import type { Figures } from './results.ts'

/** Flushes and merges are done when for so many looks, a second apart, files stay as they are and the process rests. */
const calmLooks = 3
const calmCpuShare = 0.05
const maxLooks = 180

export const quantile = (sorted: readonly number[], q: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** With `flushes`, the server is made to write blocks so often while it is pushed to. */
export async function ingest(client: Client, bodies: readonly Body[], flushes = 0): Promise<Figures> {
  const { pid, dataDir } = client.server
  forgetPeak(pid)
  const memory = new MemoryWatch(pid)
  await client.metrics() // the delay of the event loop is counted from one look to the next
  const gcBefore = metricSum(await client.metrics(), 'nodejs_gc_duration_seconds_sum')
  const cpuBefore = cpuSeconds(pid)
  const writtenBefore = writtenBytes(pid)
  const begun = performance.now()
  const latenciesMs = flushes === 0 ? await pushAll(client, bodies) : await pushAndFlush(client, bodies, flushes)
  const seconds = (performance.now() - begun) / 1000
  const cpuPushed = cpuSeconds(pid) - cpuBefore
  const metrics = await client.metrics()
  // a server without this endpoint flushes when it likes
  await client.text('/flush', 'POST').catch(() => '')
  await settled(client)
  const written = writtenBytes(pid)
  const disk = dataDir === undefined ? undefined : stored(dataDir)
  const bytes = bodies.reduce((sum, { rawBytes }) => sum + rawBytes, 0)
  const gb = bytes / 1e9
  return {
    rawMb: bytes / 1e6,
    lines: bodies.reduce((sum, body) => sum + body.lines, 0),
    mbPerSecond: bytes / 1e6 / seconds,
    pushP50Ms: quantile(latenciesMs, 0.5),
    pushP99Ms: quantile(latenciesMs, 0.99),
    pushMaxMs: latenciesMs.at(-1) ?? Number.NaN,
    cpuPerGbPushing: cpuPushed / gb,
    cpuPerGbSettled: (cpuSeconds(pid) - cpuBefore) / gb,
    peakMemoryMb: peakMemoryMb(pid),
    meanMemoryMb: memory.meanMb(),
    diskMbPerGb: (written.disk - writtenBefore.disk) / 1e6 / gb,
    writeCallMbPerGb: (written.calls - writtenBefore.calls) / 1e6 / gb,
    storedMbPerGb: disk === undefined ? Number.NaN : disk.bytes / 1e6 / gb,
    files: disk?.files ?? Number.NaN,
    blocks: disk?.blocks ?? Number.NaN,
    loopDelayP99Ms: metricSum(metrics, 'nodejs_eventloop_lag_p99_seconds') * 1000,
    gcPerGb: (metricSum(metrics, 'nodejs_gc_duration_seconds_sum') - gcBefore) / gb,
  }
}

/** All bodies, as fast as the server takes them; sorted latencies. */
async function pushAll(client: Client, bodies: readonly Body[]): Promise<number[]> {
  const latenciesMs: number[] = []
  let next = 0
  const pushRest = async (): Promise<void> => {
    for (let body = bodies[next++]; body !== undefined; body = bodies[next++]) {
      const begun = performance.now()
      await client.push(body)
      latenciesMs.push(performance.now() - begun)
    }
  }
  await Promise.all(Array.from({ length: pushConnections }, pushRest))
  return latenciesMs.toSorted((a, b) => a - b)
}

async function pushAndFlush(client: Client, bodies: readonly Body[], flushes: number): Promise<number[]> {
  const latenciesMs: number[] = []
  const size = Math.ceil(bodies.length / flushes)
  for (let at = 0; at < bodies.length; at += size) {
    latenciesMs.push(...(await pushAll(client, bodies.slice(at, at + size))))
    await client.text('/flush', 'POST')
  }
  return latenciesMs.toSorted((a, b) => a - b)
}

export async function settled({ server: { pid, dataDir } }: Client): Promise<void> {
  let files = ''
  let cpu = 0
  for (let look = 0, calm = 0; look < maxLooks && calm < calmLooks; look++) {
    const filesNow = dataDir === undefined ? '' : JSON.stringify(stored(dataDir))
    const cpuNow = pid === 0 ? 0 : cpuSeconds(pid)
    calm = look > 0 && filesNow === files && cpuNow - cpu < calmCpuShare ? calm + 1 : 0
    files = filesNow
    cpu = cpuNow
    await pause(1000)
  }
}
