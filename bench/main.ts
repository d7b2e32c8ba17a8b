/**
 * `npm run bench`: pushes data sets into a real server from this process and asks it questions, whose answers are checked against
 * the truth about the data. Prints what that took, beside the bar.
 *
 *     npm run bench                                     set S, 600 MB
 *     npm run bench -- --set K --mb 100                 another one, smaller
 *     npm run bench -- --sets S,K,H --save              one after another; kept in bench/results
 *     npm run bench -- --mb 100 --compaction            small blocks; then all are merged, and asked again
 *     npm run bench -- --mixed --dashboards 200         and readers while lines come in
 *     npm run bench -- --peer http://127.0.0.1:3100 --peer-pid 4711     the same with another server of Loki's API
 *     npm run bench -- -- -target=all                   flags for the server
 */
import { loadavg } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

import { type Profile, profileOf } from '../tools/data-profiles.ts'
import { LogGenerator } from '../tools/gen-data.ts'
import { type Body, makeBodies } from './bodies.ts'
import { Client } from './client.ts'
import { compact, type Compacted, compactionFlags, endOfLastDayMs, flushesPerDay } from './compaction.ts'
import { ingest } from './ingest.ts'
import { dashboardLoad, type LoadOptions, mixedLoad } from './loads.ts'
import { peakMemoryMb } from './process-figures.ts'
import { type QueryRun, runQueries } from './query-run.ts'
import { type LoadResult, quietLoad, saveRun, type SetResult, type SideResult } from './results.ts'
import { OwnServer, runningServer } from './server.ts'
import { printSet } from './tables.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const bodyBytes = 1_000_000
const hourNs = 3_600_000_000_000n

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    set: { type: 'string', default: 'S' },
    sets: { type: 'string' },
    mb: { type: 'string' },
    streams: { type: 'string' },
    seed: { type: 'string', default: '1' },
    repeat: { type: 'string', default: '3' },
    'no-cold': { type: 'boolean', default: false },
    peer: { type: 'string' },
    'peer-pid': { type: 'string', default: '0' },
    compaction: { type: 'boolean', default: false },
    mixed: { type: 'boolean', default: false },
    dashboards: { type: 'string', default: '0' },
    refresh: { type: 'string', default: '10' },
    seconds: { type: 'string', default: '30' },
    save: { type: 'boolean', default: false },
  },
})

type DataSet = {
  readonly name: string
  readonly profile: Profile
  readonly streams: number
  readonly mb: number
  readonly bodies: readonly Body[]
  readonly run: QueryRun
}

function makeDataSet(name: string): DataSet {
  const profile = profileOf(name)
  const mb = Number(options.mb ?? profile.mb)
  const streams = Number(options.streams ?? profile.streams)
  const nowMs = Date.now()
  const endNs = BigInt(options.compaction ? endOfLastDayMs(nowMs) : nowMs) * 1_000_000n
  const startNs = endNs - 24n * hourNs
  console.log(`\nset ${name}: making ${mb} MB of lines in ${streams} streams (${profile.about}) …`)
  const generator = new LogGenerator({
    seed: Number(options.seed),
    profile,
    streams,
    startNs,
    spanNs: 24n * hourNs,
    lines: Math.ceil((mb * 1e6) / profile.bytesPerLine),
  })
  const bodies = makeBodies(generator, mb * 1e6, bodyBytes)
  const window = { startNs, endNs }
  const run = { truth: generator.truth, window, repeat: Number(options.repeat), cold: !options['no-cold'] }
  return { name, profile, streams, mb, bodies, run }
}

async function measure(client: Client, data: DataSet): Promise<SideResult> {
  console.log(`pushing ${data.bodies.length} bodies to ${client.server.url} …`)
  const pushed = await ingest(client, data.bodies, options.compaction ? flushesPerDay : 0)
  console.log('asking …')
  const queries = await runQueries(client, data.run)
  const figures = { ...pushed, peakMemoryQueriesMb: peakMemoryMb(client.server.pid) }
  const load: LoadOptions = {
    profile: data.profile,
    seed: Number(options.seed),
    streams: data.streams,
    seconds: Number(options.seconds),
  }
  const loads: Record<string, LoadResult> = {}
  const merged = await merge(client, data)
  if (merged !== undefined) loads['merges'] = merged.load
  if (options.mixed) {
    console.log('asking while lines come in …')
    loads['mixed'] = await mixedLoad(client, data.run, load)
  }
  const dashboards = Number(options.dashboards)
  if (dashboards > 0) {
    console.log(`${dashboards} dashboards while lines come in …`)
    loads['dashboards'] = await dashboardLoad(client, dashboards, Number(options.refresh), load)
  }
  return { ingest: figures, queries, loads, ...(merged === undefined ? {} : { merged: merged.queries }) }
}

async function merge(client: Client, { run }: DataSet): Promise<Compacted | undefined> {
  const { dataDir } = client.server
  if (!options.compaction || dataDir === undefined) return undefined
  console.log('merging, and asking again …')
  return compact(client, dataDir, run)
}

async function benchSet(name: string): Promise<SetResult> {
  const data = makeDataSet(name)
  const { mb, streams } = data
  // a tenant of its own, so that a peer that has been asked before starts with nothing
  const tenant = `bench-${name}-${Date.now()}`
  const server = await OwnServer.start(root, [...(options.compaction ? compactionFlags : []), ...positionals])
  const client = new Client(server, tenant)
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => void server.stop().then(() => process.exit(1)))
  try {
    const edda = await measure(client, data)
    if (options.peer === undefined) return { set: name, mb, streams, edda }
    const other = new Client(runningServer(options.peer, Number(options['peer-pid'])), tenant)
    const peer = await measure(other, data)
    await other.close()
    return { set: name, mb, streams, edda, peer }
  } finally {
    for (const error of server.errors) console.log(`the server said: ${error.slice(0, 600)}`)
    await client.close()
    await server.stop()
  }
}

if (options.compaction && options.save)
  throw new Error('--compaction makes small blocks, so figures of its pushes are not kept')
const [load = 0] = loadavg()
if (load > quietLoad)
  console.log(
    `the machine is busy, load ${load.toFixed(1)}: times on the wall mean little, and CPU up to twice as much`,
  )
const results: SetResult[] = []
for (const name of (options.sets ?? options.set).split(',')) {
  const result = await benchSet(name)
  results.push(result)
  printSet(result, profileOf(name).mb)
}
if (options.save)
  console.log(`\nsaved to ${saveRun(root, { options: { ...options, flags: positionals }, load, sets: results })}`)
const isWrong = results.some(
  ({ edda }) =>
    [...edda.queries, ...(edda.merged ?? [])].some(({ verdict }) => verdict.startsWith('FAILED')) ||
    Object.values(edda.loads).some(({ figures: { errors = 0 } }) => errors > 0),
)
process.exitCode = isWrong ? 1 : 0
