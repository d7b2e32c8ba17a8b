/**
 * The section "patterns" of a block, sealed as a whole; docs/formats/block-v1.md describes it.
 *
 *     step in seconds uvarint · uncounted lines uvarint · texts uvarint · text … · levels uvarint · text …
 *     series uvarint · streams packed · levels packed · texts packed · steps of each packed
 *     per step: steps since the one before, or since midnight, packed · lines packed
 */
import type { MinedPatterns } from './pattern-miner.ts'
import { MAX_LEVELS, type PatternColumns } from './pattern-counts.ts'
import type { ByteOrigin } from '#/kernel/byte-reader.ts'
import { ByteReader } from '#/kernel/byte-reader.ts'
import { ByteWriter } from '#/kernel/byte-writer.ts'
import { sortByKey } from '#/kernel/sort-by-key.ts'
import { sealSection, unsealSection } from '#/storage/block/v1/sealed-section.ts'
import { decodePackedU32, encodePackedU32 } from '#/storage/column/packed-u32.ts'

/** Lengths of steps, each a multiple of the one before: a block has the shortest with which its patterns stay small. */
export const STEP_SECONDS = [10, 60, 300, 900, 3600] as const
export const SHORTEST_STEP_NS = STEP_SECONDS[0] * 1e9
/** The part of a block that its patterns may take, and what they may take in any case. */
const MAX_PART = 0.01
const MIN_BUDGET_BYTES = 4096
/** More than needed is given up, so that a second attempt is hardly ever needed. */
const SHRINK = 0.8
const SECONDS_PER_DAY = 86_400
/** What a decoder believes. */
const MAX_TEXTS = 65_536
const MAX_SERIES = 1_048_576

export type StoredPatterns = {
  readonly stepSeconds: number
  readonly texts: readonly string[]
  readonly levels: readonly string[]
  readonly counts: PatternColumns
  /** Lines of the block that are in no pattern. */
  readonly uncounted: number
}

/**
 * The section for patterns with the shortest step, in a block of `blockBytes`. Steps are lengthened until it is small enough; when the
 * longest do not suffice, the rarest patterns are given up, and their lines are uncounted.
 */
export function encodePatternSection(
  { counts, texts, uncounted }: MinedPatterns,
  levels: readonly string[],
  blockBytes: number,
): Uint8Array {
  const budget = Math.max(MIN_BUDGET_BYTES, Math.floor(blockBytes * MAX_PART))
  const shortest: StoredPatterns = { stepSeconds: STEP_SECONDS[0], texts, levels, counts, uncounted }
  const stepSeconds = STEP_SECONDS.find((seconds) => leastBytes(shortest, seconds) <= budget) ?? STEP_SECONDS.at(-1)!
  let patterns = withStep(shortest, stepSeconds)
  let section = sealPatterns(patterns)
  while (section.length > budget && seriesOf(patterns) > 1) {
    const longer = STEP_SECONDS.find((seconds) => seconds > patterns.stepSeconds)
    const kept = Math.floor((seriesOf(patterns) * budget * SHRINK) / section.length)
    patterns = longer === undefined ? withoutRarest(patterns, kept) : withStep(patterns, longer)
    section = sealPatterns(patterns)
  }
  return section
}

/** What the section takes for certain with these steps, about: most of the time, steps that are too short need not be tried. */
function leastBytes({ counts, stepSeconds: ownSeconds }: StoredPatterns, stepSeconds: number): number {
  const factor = stepSeconds / ownSeconds
  const { ends, steps } = counts
  let entries = 0
  for (let series = 0, i = 0; series < ends.length; series++) {
    for (let last = -1; i < ends[series]!; i++) {
      const step = Math.floor(steps[i]! / factor)
      if (step !== last) entries++
      last = step
    }
  }
  return entries * 0.75 + ends.length
}

function seriesOf({ counts }: StoredPatterns): number {
  return counts.stream.length
}

function sealPatterns({ stepSeconds, texts, levels, counts, uncounted }: StoredPatterns): Uint8Array {
  const out = new ByteWriter(16 * 1024)
  out.uvarint(stepSeconds)
  out.uvarint(uncounted)
  for (const list of [texts, levels]) {
    out.uvarint(list.length)
    for (const text of list) out.text(text)
  }
  const { stream, level, text, ends, steps } = counts
  out.uvarint(stream.length)
  for (const column of [stream, level, text, ends.map((end, i) => end - (ends[i - 1] ?? 0))])
    encodePackedU32(column, out)
  const deltas = steps.slice()
  for (let i = 0, series = 0; i < steps.length; i++) {
    while (i === ends[series]) series++
    if (i > (ends[series - 1] ?? 0)) deltas[i]! -= steps[i - 1]!
  }
  encodePackedU32(deltas, out)
  encodePackedU32(counts.counts, out)
  return sealSection(out.written)
}

/** @throws Corruption when anything in it cannot be. */
export function decodePatternSection(
  section: Uint8Array,
  origin: ByteOrigin,
  block: { readonly streamCount: number; readonly rowCount: number },
): StoredPatterns {
  const reader = new ByteReader(unsealSection(section, origin), origin)
  const stepSeconds = reader.count(SECONDS_PER_DAY, 'step of patterns')
  if (stepSeconds === 0 || SECONDS_PER_DAY % stepSeconds !== 0)
    throw reader.corruption(`steps of ${stepSeconds} s do not divide a day`)
  const uncounted = reader.count(block.rowCount, 'uncounted lines')
  const texts = readTexts(reader, MAX_TEXTS)
  const levels = readTexts(reader, MAX_LEVELS)
  const count = reader.count(MAX_SERIES, 'patterns of streams')
  const stream = readBelow(reader, count, { limit: block.streamCount, what: 'stream' })
  const level = readBelow(reader, count, { limit: levels.length, what: 'level' })
  const text = readBelow(reader, count, { limit: texts.length, what: 'text' })
  const stepCount = SECONDS_PER_DAY / stepSeconds
  const ends = readBelow(reader, count, { limit: stepCount + 1, what: 'count of steps' })
  for (let i = 1; i < count; i++) ends[i]! += ends[i - 1]!
  const total = ends[count - 1] ?? 0
  if (total > block.rowCount) throw reader.corruption(`${total} counts of ${block.rowCount} lines`)
  const steps = decodePackedU32(reader, total)
  const counts = decodePackedU32(reader, total)
  reader.end()
  for (let i = 0, series = 0; i < total; i++) {
    while (i === ends[series]) series++
    if (i > (ends[series - 1] ?? 0)) {
      if (steps[i] === 0) throw reader.corruption(`pattern ${series} has a step twice`)
      steps[i]! += steps[i - 1]!
    }
    if (steps[i]! >= stepCount) throw reader.corruption(`pattern ${series} has a step behind its day`)
  }
  const lines = counts.reduce((sum, one) => sum + one, uncounted)
  if (lines !== block.rowCount) throw reader.corruption(`patterns of ${lines} lines, not ${block.rowCount}`)
  return { stepSeconds, texts, levels, counts: { stream, level, text, ends, steps, counts }, uncounted }
}

function readTexts(reader: ByteReader, max: number): string[] {
  const count = reader.count(max, 'texts')
  const texts: string[] = []
  for (let i = 0; i < count; i++) texts.push(reader.text())
  return texts
}

function readBelow(
  reader: ByteReader,
  count: number,
  { limit, what }: { readonly limit: number; readonly what: string },
): Uint32Array {
  // a packed group without width takes two bytes at least
  if (count > reader.remaining * 64) throw reader.corruption(`${count} values in ${reader.remaining} bytes`)
  const values = decodePackedU32(reader, count)
  for (const value of values) if (value >= limit) throw reader.corruption(`${what} ${value} of ${limit}`)
  return values
}

/** Counts in longer steps; nothing is lost but time. */
function withStep(patterns: StoredPatterns, stepSeconds: number): StoredPatterns {
  const factor = stepSeconds / patterns.stepSeconds
  if (factor === 1) return patterns
  const { steps, counts, ends, ...columns } = patterns.counts
  const merged = { ends: new Uint32Array(ends.length), steps: steps.slice(), counts: counts.slice() }
  let size = 0
  for (let series = 0, i = 0; series < ends.length; series++) {
    const first = size
    for (; i < ends[series]!; i++) {
      const step = Math.floor(steps[i]! / factor)
      if (size > first && merged.steps[size - 1] === step) merged.counts[size - 1]! += counts[i]!
      else {
        merged.steps[size] = step
        merged.counts[size++] = counts[i]!
      }
    }
    merged.ends[series] = size
  }
  const cut = { steps: merged.steps.subarray(0, size), counts: merged.counts.subarray(0, size), ends: merged.ends }
  return { ...patterns, stepSeconds, counts: { ...columns, ...cut } }
}

/** Keeps the series with the most lines. */
function withoutRarest(patterns: StoredPatterns, keep: number): StoredPatterns {
  const { ends, counts } = patterns.counts
  const fewness = new Float64Array(ends.length)
  for (let series = 0, i = 0; series < ends.length; series++) {
    for (; i < ends[series]!; i++) fewness[series]! -= counts[i]!
  }
  const byLines = Uint32Array.from(ends.keys())
  sortByKey(byLines, fewness, { from: 0, to: byLines.length }, new Uint32Array(byLines.length))
  let { uncounted } = patterns
  for (const series of byLines.subarray(Math.max(1, keep))) uncounted -= fewness[series]!
  const kept = byLines.slice(0, Math.max(1, keep)).sort()
  const used = [...new Set(kept.map((series) => patterns.counts.text[series]!))].sort((a, b) => a - b)
  const textOf = new Map(used.map((old, position) => [old, position]))
  const columns = seriesAt(patterns.counts, kept)
  const text = columns.text.map((old) => textOf.get(old)!)
  return { ...patterns, texts: used.map((old) => patterns.texts[old]!), counts: { ...columns, text }, uncounted }
}

/** The columns of the series `kept`, which ascend. */
function seriesAt({ stream, level, text, ends, steps, counts }: PatternColumns, kept: Uint32Array): PatternColumns {
  const startOf = (series: number): number => (series === 0 ? 0 : ends[series - 1]!)
  let entries = 0
  const keptEnds = kept.map((series) => (entries += ends[series]! - startOf(series)))
  const gather = (from: Uint32Array): Uint32Array => {
    const gathered = new Uint32Array(entries)
    for (let i = 0, at = 0; i < kept.length; i++) {
      for (let entry = startOf(kept[i]!); entry < ends[kept[i]!]!; entry++) gathered[at++] = from[entry]!
    }
    return gathered
  }
  const select = (from: Uint32Array): Uint32Array => kept.map((series) => from[series]!)
  return {
    stream: select(stream),
    level: select(level),
    text: select(text),
    ends: keptEnds,
    steps: gather(steps),
    counts: gather(counts),
  }
}
