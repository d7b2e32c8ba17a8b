/**
 * Reading while lines come in. Pushes go out by the clock, whatever the server does, and their latency counts from the moment when
 * they were due: a server that stalls cannot hide it by being pushed to less.
 */
import type { Profile } from '../tools/data-profiles.ts'
import { LogGenerator } from '../tools/gen-data.ts'
import { type Body, makeBodies } from './bodies.ts'
import type { Client } from './client.ts'
import { pause, quantile } from './ingest.ts'
import { forgetPeak, metricSum, peakMemoryMb } from './process-figures.ts'
import { queries, type Window } from './queries.ts'
import { type QueryRun, verdictOn } from './query-run.ts'
import type { Figures, LoadResult } from './results.ts'

const mixed = { mbPerSecond: 5, clients: 10, mustP99Ms: 250, mustQueriesPerSecond: 20 }
const dashboards = { mbPerSecond: 10, mustP99Ms: 250 }
const bodyBytes = 250_000
const hourNs = 3_600_000_000_000n
/** Variants of queries here are others than those of the queries asked alone. */
const firstVariant = 1_000
const shownErrors = 3

export type LoadOptions = {
  readonly profile: Profile
  readonly seed: number
  readonly streams: number
  readonly seconds: number
}

/** One error in full is worth more than a count of them. */
class Errors {
  #count = 0

  get count(): number {
    return this.#count
  }

  add(what: string): void {
    if (this.#count++ < shownErrors) console.log(`  ${what}`)
  }
}

/** Lines of now, of the streams that the data set has. */
export function makeLiveBodies(options: LoadOptions, mbPerSecond: number): Body[] {
  const { profile, seed, streams, seconds } = options
  const wantedBytes = mbPerSecond * 1e6 * seconds
  const generator = new LogGenerator({
    seed: seed + 1,
    streamSeed: seed,
    profile,
    streams,
    startNs: nowNs(),
    spanNs: BigInt(seconds) * 1_000_000_000n,
    lines: Math.ceil(wantedBytes / profile.bytesPerLine),
  })
  return makeBodies(generator, wantedBytes, bodyBytes)
}

const nowNs = (): bigint => BigInt(Date.now()) * 1_000_000n

type Pushed = { readonly latenciesMs: readonly number[]; readonly retries: number }

async function pushByTheClock(
  client: Client,
  bodies: readonly Body[],
  mbPerSecond: number,
  errors: Errors,
): Promise<Pushed> {
  const latenciesMs: number[] = []
  let retries = 0
  const begun = performance.now()
  const running: Promise<void>[] = []
  for (const [index, body] of bodies.entries()) {
    const due = begun + (index * bodyBytes) / (mbPerSecond * 1000)
    const wait = due - performance.now()
    if (wait > 0) await pause(wait)
    running.push(
      client.push(body).then(
        (again) => {
          retries += again
          latenciesMs.push(performance.now() - due)
        },
        (error: unknown) => errors.add(`push: ${String(error)}`),
      ),
    )
  }
  await Promise.all(running)
  return { latenciesMs: latenciesMs.toSorted((a, b) => a - b), retries }
}

/** Peak of what the server itself counts against its limit. */
async function watchBudget(client: Client, isOver: () => boolean): Promise<{ usedMb: number; limitMb: number }> {
  let usedMb = 0
  let limitMb = Number.NaN
  while (!isOver()) {
    const text = await client.metrics()
    limitMb = metricSum(text, 'edda_memory_limit_bytes') / 1e6
    usedMb = Math.max(usedMb, metricSum(text, 'edda_memory_used_bytes') / 1e6)
    await pause(500)
  }
  return { usedMb, limitMb }
}

type Reader = (index: number, isOver: () => boolean) => Promise<void>

/** Pushes for the whole time, with readers beside it. */
async function underLoad(
  client: Client,
  bodies: readonly Body[],
  load: { readonly mbPerSecond: number; readonly readers: number; readonly mustP99Ms: number },
  read: Reader,
  errors: Errors,
): Promise<LoadResult & { readonly seconds: number }> {
  let over = false
  const isOver = (): boolean => over
  forgetPeak(client.server.pid)
  await client.metrics()
  const begun = performance.now()
  const reading = Array.from({ length: load.readers }, (_, index) => read(index, isOver))
  const budget = watchBudget(client, isOver)
  const { latenciesMs, retries } = await pushByTheClock(client, bodies, load.mbPerSecond, errors)
  over = true
  await Promise.all(reading)
  const seconds = (performance.now() - begun) / 1000
  const { usedMb, limitMb } = await budget
  return {
    seconds,
    figures: {
      'incoming MB/s': load.mbPerSecond,
      'push p50 ms': quantile(latenciesMs, 0.5),
      'push p99 ms': quantile(latenciesMs, 0.99),
      'push max ms': latenciesMs.at(-1) ?? Number.NaN,
      'pushes put off': retries,
      errors: errors.count,
      'event loop delay p99 ms': metricSum(await client.metrics(), 'nodejs_eventloop_lag_p99_seconds') * 1000,
      'peak memory MB': peakMemoryMb(client.server.pid),
      'peak of counted memory MB': usedMb,
    },
    bars: {
      'push p99 ms': { most: load.mustP99Ms },
      errors: { most: 0 },
      ...(Number.isNaN(limitMb) ? {} : { 'peak of counted memory MB': { most: limitMb } }),
    },
  }
}

/** Ten clients ask all kinds of queries, each text once, over all that there is until now. */
export async function mixedLoad(client: Client, run: QueryRun, options: LoadOptions): Promise<LoadResult> {
  const bodies = makeLiveBodies(options, mixed.mbPerSecond)
  const errors = new Errors()
  const kinds = queries.filter(({ applies }) => applies?.(run.truth) ?? true)
  const wallsMs: number[] = []
  let variant = firstVariant
  const read: Reader = async (index, isOver) => {
    for (let turn = Math.floor((index * kinds.length) / mixed.clients); !isOver(); turn++) {
      const query = kinds[turn % kinds.length]!
      const window: Window = { ...run.window, endNs: nowNs() }
      const begun = performance.now()
      const text = await client.text(query.path({ ...run, window, variant: variant++ })).catch(String)
      wallsMs.push(performance.now() - begun)
      // more lines than the truth knows are coming in
      const fits = (found: string | number, expected: string | number): boolean => !query.grows || found >= expected
      const verdict = verdictOn(query, text, run.truth, fits)
      if (verdict.startsWith('FAILED')) errors.add(`${query.name}: ${verdict}`)
    }
  }
  const load = { ...mixed, readers: mixed.clients }
  const { figures, bars, seconds } = await underLoad(client, bodies, load, read, errors)
  const sorted = wallsMs.toSorted((a, b) => a - b)
  const asked: Figures = {
    'queries/s': wallsMs.length / seconds,
    'query p50 ms': quantile(sorted, 0.5),
    'query p99 ms': quantile(sorted, 0.99),
  }
  return {
    figures: { ...figures, ...asked },
    bars: { ...bars, 'queries/s': { least: mixed.mustQueriesPerSecond } },
  }
}

/** Dashboards of the last hour, each for one service, all panels at once, again after `refreshSeconds`. */
export async function dashboardLoad(
  client: Client,
  count: number,
  refreshSeconds: number,
  options: LoadOptions,
): Promise<LoadResult> {
  const bodies = makeLiveBodies(options, dashboards.mbPerSecond)
  const errors = new Errors()
  const wallsMs: number[] = []
  const ask = async (path: string): Promise<void> => {
    const begun = performance.now()
    await client.text(path).catch((error: unknown) => errors.add(`${path.slice(0, 60)}: ${String(error)}`))
    wallsMs.push(performance.now() - begun)
  }
  const read: Reader = async (index, isOver) => {
    const { app } = options.profile.apps[index % options.profile.apps.length]!
    // people do not open their dashboards at the same moment
    await pause((index / count) * refreshSeconds * 1000)
    while (!isOver()) {
      const next = performance.now() + refreshSeconds * 1000
      await Promise.all(panelsOf(app).map(ask))
      while (!isOver() && performance.now() < next) await pause(Math.min(200, next - performance.now() + 1))
    }
  }
  const load = { ...dashboards, readers: count }
  const { figures, bars, seconds } = await underLoad(client, bodies, load, read, errors)
  const sorted = wallsMs.toSorted((a, b) => a - b)
  const asked: Figures = {
    dashboards: count,
    'panels/s': wallsMs.length / seconds,
    'panel p50 ms': quantile(sorted, 0.5),
    'panel p99 ms': quantile(sorted, 0.99),
  }
  return { figures: { ...figures, ...asked }, bars }
}

function panelsOf(app: string): string[] {
  const end = nowNs()
  const window = { start: String(end - hourNs), end: String(end) }
  const range = (query: string, more: Readonly<Record<string, string>>): string =>
    `/loki/api/v1/query_range?${new URLSearchParams({ query, ...window, ...more }).toString()}`
  return [
    range('sum by (detected_level) (count_over_time({cluster="prod"}[1m]))', { step: '60s' }),
    `/loki/api/v1/labels?${new URLSearchParams(window).toString()}`,
    range(`{app="${app}"}`, { limit: '100' }),
    range(`sum by (detected_level) (rate({app="${app}"}[1m]))`, { step: '15s' }),
  ]
}
