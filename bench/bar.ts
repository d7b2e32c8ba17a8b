/** The figures that a run gives, and the bar for them: on two cores, per data set. */
import type { BenchQuery } from './queries.ts'

export type FigureInfo = {
  readonly id: string
  readonly label: string
  readonly digits: number
  /** Most that is good enough, by data set. */
  readonly must?: Readonly<Record<string, number>>
  /** Whether `must` is meant for the default size of the set and grows with it; a smaller set gets no less. */
  readonly grows?: boolean
}

/** The sets that there is a bar for. */
const barSets = ['S', 'K', 'H']
const everywhere = (must: number): Record<string, number> => Object.fromEntries(barSets.map((set) => [set, must]))

export const figureInfos: readonly FigureInfo[] = [
  { id: 'rawMb', label: 'raw MB of lines', digits: 0 },
  { id: 'lines', label: 'lines', digits: 0 },
  { id: 'mbPerSecond', label: 'MB/s', digits: 1 },
  { id: 'cpuPerGbPushing', label: 'CPU-s per GB while pushing', digits: 1 },
  { id: 'cpuPerGbSettled', label: 'CPU-s per GB, flushed and settled', digits: 1, must: everywhere(40) },
  { id: 'pushP50Ms', label: 'push p50 ms', digits: 0 },
  { id: 'pushP99Ms', label: 'push p99 ms', digits: 0, must: everywhere(300) },
  { id: 'pushMaxMs', label: 'push max ms', digits: 0 },
  { id: 'peakMemoryMb', label: 'peak memory MB, ingest', digits: 0, must: { S: 400, K: 450, H: 600 } },
  { id: 'meanMemoryMb', label: 'mean memory MB, ingest', digits: 0 },
  { id: 'peakMemoryQueriesMb', label: 'peak memory MB, queries', digits: 0 },
  { id: 'storedMbPerGb', label: 'stored MB per GB', digits: 0, must: { S: 280, K: 350, H: 600 } },
  { id: 'files', label: 'files', digits: 0, must: { S: 60, K: 60, H: 30 }, grows: true },
  { id: 'blocks', label: 'blocks', digits: 0 },
  { id: 'diskMbPerGb', label: 'written to disk, MB per GB', digits: 0 },
  { id: 'writeCallMbPerGb', label: 'written by calls, MB per GB', digits: 0 },
  { id: 'loopDelayP99Ms', label: 'event loop delay p99 ms, ingest', digits: 1 },
  { id: 'gcPerGb', label: 'collector of the main thread, s per GB', digits: 2 },
]

/** Size that the bar for queries is about. */
const barMb = 600
/** The bar for questions about labels is about so many streams. */
const barStreams = 100_000

export function mustOfFigure(info: FigureInfo, set: string, mb: number, setMb: number): number | undefined {
  const must = info.must?.[set]
  return must === undefined || info.grows !== true ? must : must * Math.max(1, mb / setMb)
}

export type QueryBar = { readonly ms: number; readonly of: 'cpu' | 'wall' }

/** Undefined: there is no bar for this data. */
export function barOf(query: BenchQuery, set: string, streams: number, mb: number): QueryBar | undefined {
  if (!barSets.includes(set)) return undefined
  const { mustCpuMs, mustWallMs, scan } = query
  if (mustWallMs !== undefined) return streams >= barStreams ? { ms: mustWallMs, of: 'wall' } : undefined
  if (mustCpuMs === undefined) return undefined
  return { ms: mustCpuMs * (scan ? mb / barMb : Math.max(1, mb / barMb)), of: 'cpu' }
}
