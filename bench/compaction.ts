/**
 * What merges cost and give: the data set is pushed as blocks of a quarter of an hour, as a small server flushes them, of a day that is
 * over; then the compactor is asked to do all that is due, and the queries are asked before and after.
 */
import type { Client } from './client.ts'
import { pause, settled } from './ingest.ts'
import { cpuSeconds, forgetPeak, peakMemoryMb, stored } from './process-figures.ts'
import { type QueryResult, type QueryRun, runQueries } from './query-run.ts'
import type { LoadResult } from './results.ts'

/** Of the day that is pushed. */
export const flushesPerDay = 96
/** Longer than the compactor leaves a day alone. */
const settleMs = 3 * 3_600_000
const dayMs = 86_400_000
const maxRounds = 20
/** Texts of the queries afterwards are others than before. */
const firstVariant = 500

/** A day's end, so that every block of the day before it is due. */
export const endOfLastDayMs = (nowMs: number): number => Math.floor((nowMs - settleMs) / dayMs) * dayMs

/** Blocks are merged when the bench says so, and gone at once behind that. */
export const compactionFlags: readonly string[] = [
  '-compactor.compaction-interval=24h',
  '-compactor.retention-delete-delay=0s',
]

/** What `POST /edda/api/v1/compactor` answers, as far as it matters here. */
type Round = {
  readonly merges: number
  readonly inputs: number
  readonly outputs: number
  readonly bytes: number
  readonly storedBytesBefore: number
  readonly storedBytesAfter: number
  readonly failures: number
  readonly seconds: number
}

export type Compacted = { readonly load: LoadResult; readonly queries: readonly QueryResult[] }

/** Of a server of ours. */
export async function compact(client: Client, dataDir: string, run: QueryRun): Promise<Compacted> {
  const { pid } = client.server
  await client.text('/flush', 'POST')
  await settled(client)
  forgetPeak(pid)
  const before = stored(dataDir)
  const cpuBefore = cpuSeconds(pid)
  const rounds = await mergeAll(client)
  const cpu = cpuSeconds(pid) - cpuBefore
  const peak = peakMemoryMb(pid)
  await settled(client)
  const after = stored(dataDir)
  const sum = (key: keyof Round): number => rounds.reduce((total, round) => total + round[key], 0)
  const mb = sum('bytes') / 1e6
  const written = sum('storedBytesAfter')
  const figures = {
    merges: sum('merges'),
    'blocks before': before.blocks,
    'blocks after': after.blocks,
    'files before': before.files,
    'files after': after.files,
    'stored MB of blocks before': before.blockBytes / 1e6,
    'stored MB of blocks after': after.blockBytes / 1e6,
    'merged, MB of lines and metadata': mb,
    'read by merges, MB': sum('storedBytesBefore') / 1e6,
    'written by merges, MB': written / 1e6,
    'written by merges per byte stored at the end': written / after.blockBytes,
    'written by flushes and merges per byte stored at the end': (before.blockBytes + written) / after.blockBytes,
    'MB/s per core': mb / cpu,
    'CPU-s per GB merged': (cpu / mb) * 1000,
    'MB/s': mb / sum('seconds'),
    'peak memory MB': peak,
    errors: sum('failures'),
  }
  const bars = { errors: { most: 0 } }
  return { load: { figures, bars }, queries: await runQueries(client, { ...run, cold: false, firstVariant }) }
}

/** Rounds until one has nothing to do. */
async function mergeAll(client: Client): Promise<Round[]> {
  const rounds: Round[] = []
  while (rounds.length < maxRounds) {
    const round = JSON.parse(await client.text('/edda/api/v1/compactor', 'POST')) as Round
    rounds.push(round)
    if (round.merges === 0) return rounds
    await pause(0)
  }
  throw new Error(`the compactor still found something to merge after ${maxRounds} rounds`)
}
