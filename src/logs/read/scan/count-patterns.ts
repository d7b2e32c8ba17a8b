/**
 * Lines by pattern, level and bucket of time. Blocks know their patterns; the lines of heads are looked at here, and when there are
 * very many, every so many of them only, each of which then counts for as many.
 */
import { MetaCursor } from '#/logs/store/meta-cursor.ts'
import type { HeadPageColumns, LogPage } from '#/logs/store/log-page.ts'
import { decodePatterns } from '#/logs/store/patterns/decode-patterns.ts'
import { LEVEL_NAME, LevelCodes } from '#/logs/store/patterns/level-codes.ts'
import { type MinedRow, PatternMiner } from '#/logs/store/patterns/pattern-miner.ts'
import { SHORTEST_STEP_NS, type StoredPatterns } from '#/logs/store/patterns/pattern-section.ts'
import type { PatternsJob, PatternsResult, ScanPage } from './scan-job.ts'
import { selectRows } from './select-rows.ts'

/** Bytes of lines of one head that are looked at for one request. */
const MAX_HEAD_BYTES = 64 * 1024 * 1024
const ROWS_BETWEEN_CHECKS = 4096

export function countPatterns(job: PatternsJob, open: (page: ScanPage) => LogPage, check: () => void): PatternsResult {
  const { data } = job
  if (data.kind === 'block') return inBuckets(decodePatterns(data.bytes), job)
  const mined = data.kind === 'head' ? mineHead(job, data, check) : minePages(job, data.pages, { open, check })
  return inBuckets(mined, job)
}

/** Counts of the wanted streams, in the buckets of the job. */
function inBuckets({ stepSeconds, texts, levels, counts }: StoredPatterns, job: PatternsJob): PatternsResult {
  const { streams, from, to } = job
  const { first, originTime, step } = job.buckets
  const stepNs = stepSeconds * 1e9
  const found = { text: [] as number[], level: [] as number[], bucket: [] as number[], lines: [] as number[] }
  for (let series = 0, i = 0; series < counts.ends.length; series++) {
    const isWanted = streams === undefined || streams[counts.stream[series]!] === 1
    for (; i < counts.ends[series]!; i++) {
      const time = counts.steps[i]! * stepNs
      // a step that reaches into the range counts as a whole
      if (!isWanted || time >= to || time + stepNs <= from) continue
      found.text.push(counts.text[series]!)
      found.level.push(counts.level[series]!)
      found.bucket.push(Math.max(first, first + Math.floor((time - originTime) / step)))
      found.lines.push(counts.counts[i]!)
    }
  }
  return {
    kind: 'patterns',
    texts,
    levels,
    text: Uint32Array.from(found.text),
    level: Uint32Array.from(found.level),
    bucket: Uint32Array.from(found.bucket),
    lines: Float64Array.from(found.lines),
  }
}

function mineHead(
  { streams, from, to }: PatternsJob,
  { pages }: { readonly pages: readonly HeadPageColumns[] },
  check: () => void,
): StoredPatterns {
  const miner = new PatternMiner(SHORTEST_STEP_NS)
  const levels = new LevelCodes()
  const isWanted = ({ stream, time }: HeadPageColumns, i: number): boolean =>
    time[i]! >= from && time[i]! < to && (streams === undefined || streams[stream[i]!] === 1)
  const group = Math.ceil(wantedBytes(pages, isWanted) / MAX_HEAD_BYTES)
  const row: MinedRow = { stream: 0, level: 0, time: 0, lines: group }
  let position = 0
  for (const page of pages) {
    const { rowCount, stream, time, lineStart, lines, meta, metaStart } = page
    const cursor = new MetaCursor(meta)
    const level = page.metaNames.indexOf(LEVEL_NAME)
    for (let i = 0; i < rowCount; i++) {
      if (i % ROWS_BETWEEN_CHECKS === 0) check()
      if (!isWanted(page, i) || position++ % group !== 0) continue
      cursor.seek(metaStart[i]!, metaStart[i + 1]!)
      const hasLevel = level >= 0 && cursor.find(level)
      row.stream = stream[i]!
      row.time = time[i]!
      row.level = hasLevel ? levels.codeOf(meta, cursor.valueStart, cursor.valueEnd) : 0
      miner.add(lines, lineStart[i]!, lineStart[i + 1]!, row)
    }
  }
  return { ...miner.finish(), stepSeconds: SHORTEST_STEP_NS / 1e9, levels: levels.texts() }
}

type PageSource = { readonly open: (page: ScanPage) => LogPage; readonly check: () => void }

/** Pages of a job are few, so that each of their rows is looked at. */
function minePages(
  { streams, from, to }: PatternsJob,
  pages: readonly ScanPage[],
  { open, check }: PageSource,
): StoredPatterns {
  const miner = new PatternMiner(SHORTEST_STEP_NS)
  const levels = new LevelCodes()
  const mined: MinedRow = { stream: 0, level: 0, time: 0, lines: 1 }
  for (const scanPage of pages) {
    check()
    const page = open(scanPage)
    const rows = new Uint32Array(page.rowCount)
    const { isInside, dropped } = scanPage
    const count = selectRows(page, { streams, from, to, isInside, dropped }, rows)
    const level = page.meta(LEVEL_NAME)
    for (let i = 0; i < count; i++) {
      if (i % ROWS_BETWEEN_CHECKS === 0) check()
      const row = rows[i]!
      const text = Buffer.from(level?.valueOf(row) ?? '')
      mined.stream = page.stream[row]!
      mined.time = page.time[row]!
      mined.level = text.length === 0 ? 0 : levels.codeOf(text, 0, text.length)
      miner.add(page.lines, page.lineStart[row]!, page.lineStart[row + 1]!, mined)
    }
    page.release()
  }
  return { ...miner.finish(), stepSeconds: SHORTEST_STEP_NS / 1e9, levels: levels.texts() }
}

function wantedBytes(
  pages: readonly HeadPageColumns[],
  isWanted: (page: HeadPageColumns, row: number) => boolean,
): number {
  let bytes = 0
  for (const page of pages) {
    const { rowCount, lineStart } = page
    for (let i = 0; i < rowCount; i++) if (isWanted(page, i)) bytes += lineStart[i + 1]! - lineStart[i]!
  }
  return bytes
}
