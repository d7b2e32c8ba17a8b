/** The shape of a saved run, and reading those of earlier shapes. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'
import { basename, join } from 'node:path'

import type { QueryResult, Sample } from './query-run.ts'

/** Beyond this load somebody else works on the machine, too. */
export const quietLoad = 0.8

/** By the ids of `figureInfos` or of a load; NaN is saved as null. */
export type Figures = Readonly<Record<string, number>>

/** Of readers while lines come in; the figures are by their labels. */
export type LoadResult = {
  readonly figures: Figures
  /** By the same labels. */
  readonly bars: Readonly<Record<string, { readonly most: number } | { readonly least: number }>>
}

/** Of one server over one data set. */
export type SideResult = {
  readonly ingest: Figures
  readonly queries: readonly QueryResult[]
  /** By the name of the load. */
  readonly loads: Readonly<Record<string, LoadResult>>
  /** The same questions when all blocks were merged. */
  readonly merged?: readonly QueryResult[]
}

export type SetResult = {
  readonly set: string
  readonly mb: number
  readonly streams: number
  readonly edda: SideResult
  readonly peer?: SideResult
}

export type SavedRun = {
  readonly time: string
  readonly commit: string
  /** Whether files differed from the commit. */
  readonly isChanged: boolean
  readonly node: string
  /** `load`: processes that wanted a core before the run began, mean of a minute. */
  readonly machine: { readonly cpu: string; readonly cores: number; readonly memoryMb: number; readonly load: number }
  readonly options: Readonly<Record<string, unknown>>
  readonly sets: readonly SetResult[]
}

export const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((a, b) => a - b)
  return ((sorted[(sorted.length - 1) >> 1] ?? Number.NaN) + (sorted[sorted.length >> 1] ?? Number.NaN)) / 2
}
export const medianOf = (samples: readonly Sample[], key: keyof Sample): number =>
  median(samples.map((one) => one[key]))
export const bestOf = (samples: readonly Sample[], key: keyof Sample): number =>
  samples.length === 0 ? Number.NaN : Math.min(...samples.map((one) => one[key]))

/** The medians beside the samples, for whoever reads the file. */
function withMedians(query: QueryResult): object {
  const { cold, first, warm } = query
  const pair = (samples: readonly Sample[]): Sample => ({
    wallMs: medianOf(samples, 'wallMs'),
    cpuMs: medianOf(samples, 'cpuMs'),
  })
  return { ...query, medians: { cold: pair(cold), first: pair(first), warm: pair(warm) } }
}

type Unsaved = Pick<SavedRun, 'options' | 'sets'> & { readonly load: number }

/** Returns the path of the file. */
export function saveRun(root: string, { options, load, sets }: Unsaved): string {
  const git = (...args: string[]): string => execFileSync('git', args, { cwd: root }).toString().trim()
  const time = new Date().toISOString()
  const commit = git('rev-parse', '--short', 'HEAD')
  const side = (result: SideResult): object => ({ ...result, queries: result.queries.map(withMedians) })
  const run = {
    time,
    commit,
    isChanged: git('status', '--porcelain', 'src') !== '',
    node: process.version,
    machine: { cpu: cpus()[0]?.model ?? '', cores: cpus().length, memoryMb: Math.round(totalmem() / 2 ** 20), load },
    options,
    sets: sets.map((set) => ({
      ...set,
      edda: side(set.edda),
      ...(set.peer === undefined ? {} : { peer: side(set.peer) }),
    })),
  }
  const dir = join(root, 'bench/results')
  mkdirSync(dir, { recursive: true })
  const file = join(dir, `${time.slice(0, 16).replace(':', '')}-${commit}.json`)
  writeFileSync(file, `${JSON.stringify(run, undefined, 2)}\n`)
  return file
}

/** Oldest first. */
export function loadRuns(root: string): SavedRun[] {
  const dir = join(root, 'bench/results')
  return readdirSync(dir)
    .filter((name) => name.endsWith('.json'))
    .map((name) => parseRun(name, readFileSync(join(dir, name), 'utf8')))
    .toSorted((a, b) => a.time.localeCompare(b.time))
}

export function parseRun(name: string, text: string): SavedRun {
  const value = JSON.parse(text, (_key, part: unknown) => (part === null ? Number.NaN : part)) as SavedRun | FirstShape
  return 'sets' in value ? value : ofFirstShape(name, value)
}

/** What was saved before there were several data sets: texts instead of numbers, no word about the machine. */
type FirstShape = {
  readonly options: Readonly<Record<string, unknown>>
  readonly ingest: Readonly<Record<string, string>>
  readonly queries: readonly {
    readonly name: string
    readonly wallMs: number
    readonly cpuMs: number
    readonly verdict: string
  }[]
}

const firstLabels: Readonly<Record<string, string>> = {
  'raw MB of lines': 'rawMb',
  lines: 'lines',
  'MB/s': 'mbPerSecond',
  'push p50 ms': 'pushP50Ms',
  'push p99 ms': 'pushP99Ms',
  'CPU-s per GB while pushing': 'cpuPerGbPushing',
  'CPU-s per GB, flushed and settled': 'cpuPerGbSettled',
  'peak memory MB, ingest': 'peakMemoryMb',
  'peak memory MB, with queries': 'peakMemoryQueriesMb',
  'stored MB per raw GB': 'storedMbPerGb',
}

function ofFirstShape(name: string, { options, ingest, queries }: FirstShape): SavedRun {
  const [, date = '', commit = ''] = /^(\d{4}-\d\d-\d\d)-(\w+)\.json$/.exec(basename(name)) ?? []
  const figures = Object.entries(ingest).flatMap(([label, value]) => {
    const id = firstLabels[label]
    return id === undefined ? [] : [[id, Number(value)] as const]
  })
  const [files = Number.NaN, blocks = Number.NaN] = (ingest['files / blocks'] ?? '').split(' / ').map(Number)
  const warm = queries.map(({ name: query, wallMs, cpuMs, verdict }) => ({
    name: query,
    cold: [],
    first: [],
    warm: [{ wallMs, cpuMs }],
    verdict,
  }))
  const edda = { ingest: { ...Object.fromEntries(figures), files, blocks }, queries: warm, loads: {} }
  return {
    time: `${date}T0000`,
    commit,
    isChanged: false,
    node: '',
    machine: { cpu: '', cores: Number.NaN, memoryMb: Number.NaN, load: Number.NaN },
    options,
    // its lines were others: 9 formats, each line with ids of its own
    sets: [{ set: 'S, first lines', mb: Number(options['mb']), streams: Number(options['streams']), edda }],
  }
}
