/**
 * The patterns of the lines of some streams, with counts by time: those of blocks were found when the blocks were written, those of
 * heads are found now, in worker threads. The same text with the same level is one pattern wherever it comes from.
 */
import type { IngesterReader } from '#/logs/wire/head-view.ts'
import type { Pattern, PatternsQuery } from '#/logs/wire/index-query.ts'
import type { PatternsJob, PatternsResult } from '#/logs/read/scan/scan-job.ts'
import type { PageColumns } from '#/logs/store/log-block.ts'
import { LEVEL_NAME } from '#/logs/store/patterns/level-codes.ts'
import type { QueryRun } from './query-run.ts'
import { takeBatch } from './page-batch.ts'
import { runBounded } from './run-bounded.ts'
import { hiddenOf, readPages, selectPages, type Source } from './source.ts'
import { eachOrdinal, selectStreams, type SelectedStreams } from './select-streams.ts'
import { VolumeBuckets } from './volume-buckets.ts'
import type { SharedLease } from '#/platform/memory/shared-buffers.ts'

/** Most patterns of an answer, those with most lines; and most that are kept on the way there. */
const MAX_PATTERNS = 1000
const MAX_KEPT_PATTERNS = 20_000
/** Counts are not known in shorter steps. */
const MIN_STEP_NS = 10_000_000_000n
/** Memory for a stored pattern section while it is decoded, in terms of its size; and for a kept pattern and one count. */
const BYTES_PER_STORED_BYTE = 40
const BYTES_PER_COUNT = 64
const BYTES_PER_PATTERN = 1024
/** About what a miner has in memory, however many lines it sees. */
const MAX_MINER_BYTES = 24 * 1024 * 1024
/** Fewer bytes are not worth the way to a thread. */
const TINY_STORED_BYTES = 4096
const TINY_HEAD_BYTES = 64 * 1024

type Kept = { readonly pattern: string; readonly level: string; lines: number; readonly buckets: Map<number, number> }

/** Most lines first, then by text and level. */
export async function findPatterns(
  run: QueryRun,
  ingesters: readonly IngesterReader[],
  query: PatternsQuery,
): Promise<readonly Pattern[]> {
  const stepNs = query.stepNs > MIN_STEP_NS ? query.stepNs : MIN_STEP_NS
  const buckets = new VolumeBuckets(query, stepNs)
  const kept = new Map<string, Kept>()
  await runBounded(
    jobs(run, ingesters, query, buckets),
    run.concurrency,
    async ({ job, isTiny, bytes, memory }) => {
      try {
        await run.reserve(bytes)
      } catch (error) {
        memory?.release()
        throw error
      }
      try {
        const result = await run.runJob(job, isTiny)
        if (result.kind !== 'patterns') throw new TypeError(`a job for patterns answered ${result.kind}`)
        return result
      } finally {
        run.release(bytes)
        memory?.release()
      }
    },
    async (result) => run.reserve(merge(kept, result)),
  )
  const firstNs = query.startNs - (((query.startNs % stepNs) + stepNs) % stepNs)
  return [...kept.values()]
    .toSorted((a, b) => b.lines - a.lines || compare(a.pattern, b.pattern) || compare(a.level, b.level))
    .slice(0, MAX_PATTERNS)
    .map(({ pattern, level, buckets: counts }) => ({
      pattern,
      level,
      samples: [...counts]
        .toSorted(([a], [b]) => a - b)
        .map(([bucket, lines]) => ({ timeNs: firstNs + BigInt(bucket) * stepNs, lines })),
    }))
}

type Planned = {
  readonly job: PatternsJob
  readonly isTiny: boolean
  readonly bytes: number
  /** Memory of the pages of the job. */
  readonly memory?: SharedLease
}

async function* jobs(
  run: QueryRun,
  ingesters: readonly IngesterReader[],
  query: PatternsQuery,
  buckets: VolumeBuckets,
): AsyncGenerator<Planned> {
  for await (const selected of selectStreams(run, ingesters, query)) {
    const { source, day, from, to } = selected
    const job = { kind: 'patterns', from, to, buckets: buckets.inDay(day, from), streams: flagsOf(selected) } as const
    if (source.data.kind === 'head') {
      const pages = source.data.pages.filter(({ minTime, maxTime }) => minTime < to && maxTime >= from)
      const lineBytes = pages.reduce((sum, { lineStart, rowCount }) => sum + lineStart[rowCount]! - lineStart[0]!, 0)
      const isTiny = lineBytes <= TINY_HEAD_BYTES
      yield { job: { ...job, data: { kind: 'head', pages } }, isTiny, bytes: Math.min(lineBytes, MAX_MINER_BYTES) }
      continue
    }
    const hiding = hidingStreams(source)
    const bytes = await source.data.block.readPatterns(run.signal)
    if (bytes === undefined) continue
    run.countBlockRead(source.id)
    const size = bytes.bytes.length
    const data = { kind: 'block', bytes } as const
    const stored = { ...job, streams: without(source, job.streams, hiding) }
    yield { job: { ...stored, data }, isTiny: size <= TINY_STORED_BYTES, bytes: size * BYTES_PER_STORED_BYTE }
    if (hiding !== undefined) yield* minedJobs(run, selected, job, hiding)
  }
}

const minedColumns: PageColumns = { lengths: true, lines: true, meta: [LEVEL_NAME] }

type JobBase = Omit<PatternsJob, 'data'>

/** 1 for each stream of a block of which rows are hidden: what the block knows of its patterns holds for the others only. */
function hidingStreams({ data, hidden, index }: Source): Uint8Array | undefined {
  if (data.kind === 'head' || hidden === undefined) return undefined
  const isHiding = new Uint8Array(index.count)
  const { stream, rowCount } = data.block.runs
  for (let i = 0; i < stream.length; i++) if (rowCount[i] !== hidden.storedRows[i]) isHiding[stream[i]!] = 1
  return isHiding
}

function without({ index }: Source, streams: JobBase['streams'], hiding: Uint8Array | undefined): JobBase['streams'] {
  if (hiding === undefined) return streams
  const left = new Uint8Array(new SharedArrayBuffer(index.count))
  for (let i = 0; i < left.length; i++) left[i] = (streams?.[i] ?? 1) & (hiding[i]! ^ 1)
  return left
}

/** Finds the patterns of what is left of such streams anew. */
async function* minedJobs(
  run: QueryRun,
  { source, from, to }: SelectedStreams,
  job: JobBase,
  hiding: Uint8Array,
): AsyncGenerator<Planned> {
  const streams = new Uint8Array(new SharedArrayBuffer(hiding.length))
  for (let i = 0; i < streams.length; i++) streams[i] = (job.streams?.[i] ?? 1) & hiding[i]!
  const ordinals = Uint32Array.from(streams.keys().filter((ordinal) => streams[ordinal] === 1))
  const pages = selectPages(source, ordinals, { from, to })
  for (let at = 0; at < pages.length;) {
    const batch = takeBatch(pages, at, { lineBytes: run.jobSizes.maxBytes, readBytes: run.maxReadBytes })
    at += batch.pages.length
    const memory = run.buffers.lease()
    const options = { columns: minedColumns, from, to, dropped: hiddenOf(source), memory, signal: run.signal }
    const read = await readPages(source, batch.pages, options)
    const data = { kind: 'pages', pages: read } as const
    yield { job: { ...job, streams, data }, isTiny: false, bytes: batch.sizeBytes + batch.lineBytes, memory }
  }
}

function flagsOf(selected: SelectedStreams): Uint8Array<SharedArrayBuffer> | undefined {
  if (selected.ordinals === undefined) return undefined
  const flags = new Uint8Array(new SharedArrayBuffer(selected.source.index.count))
  for (const ordinal of eachOrdinal(selected)) flags[ordinal] = 1
  return flags
}

/** Returns the bytes of memory that it took. */
function merge(kept: Map<string, Kept>, { texts, levels, text, level, bucket, lines }: PatternsResult): number {
  let bytes = 0
  for (let i = 0; i < text.length; i++) {
    const pattern = texts[text[i]!]!
    const levelText = levels[level[i]!]!
    const key = `${levelText}\n${pattern}`
    let one = kept.get(key)
    if (one === undefined) {
      if (kept.size >= MAX_KEPT_PATTERNS) continue
      one = { pattern, level: levelText, lines: 0, buckets: new Map() }
      kept.set(key, one)
      bytes += BYTES_PER_PATTERN
    }
    const before = one.buckets.get(bucket[i]!)
    if (before === undefined) bytes += BYTES_PER_COUNT
    one.buckets.set(bucket[i]!, (before ?? 0) + lines[i]!)
    one.lines += lines[i]!
  }
  return bytes
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
