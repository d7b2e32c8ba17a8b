/**
 * What groups of streams have in a block, added up from its runs: no page is read. Totals of all streams are facts about the block,
 * and kept; who asks sees to it that no row of it is hidden.
 */
import type { LabelGrouping } from '#/series/labels.ts'
import type { LogBlock } from '#/logs/store/log-block.ts'
import type { BlockGroups } from '#/logs/read/cache/block-results.ts'
import type { StreamGroups } from '#/storage/index/stream-groups.ts'
import type { QueryRun } from './query-run.ts'
import type { Source } from './source.ts'
import { groupsOf } from './source-groups.ts'

export type BlockSource = Source & { readonly data: Source['data'] & { readonly kind: 'block' } }

/** Rows are always counted; bytes are those of lines, or those of lines and metadata. */
export type TotalsMeasure = 'rows' | 'line bytes' | 'raw bytes'

export type TotalsQuestion = { readonly grouping: LabelGrouping; readonly measure: TotalsMeasure }

/** Totals of more groups would drive those of many other questions out of the cache. */
const MAX_KEPT_GROUPS = 4096

export function isBlock(source: Source): source is BlockSource {
  return source.data.kind === 'block'
}

/** Totals of all streams of a block. Undefined when the block does not tell. */
export function blockTotals(
  run: Pick<QueryRun, 'results'>,
  source: BlockSource,
  question: TotalsQuestion,
): BlockGroups | undefined {
  const { kind, labels } = question.grouping
  const fragment = `totals ${question.measure} ${kind} ${JSON.stringify(labels.toSorted())}`
  const key = { block: source.id, showsTenant: source.showsTenant, fragment, grid: undefined }
  const known = run.results?.groups(key)
  if (known !== undefined) return known
  const found = sumGroups(source, question, undefined)
  if (found !== undefined && found.labels.length <= MAX_KEPT_GROUPS) run.results?.keepGroups(key, found)
  return found
}

/** The same of the streams that have a 1 in `isWanted`; undefined: all. */
export function sumGroups(
  source: BlockSource,
  { grouping, measure }: TotalsQuestion,
  isWanted: Uint8Array | undefined,
): BlockGroups | undefined {
  const { runs } = source.data.block
  const bytes = measure === 'rows' ? undefined : bytesOf(runs, measure)
  if (bytes === undefined && measure !== 'rows') return undefined
  const groups = groupsOf(source.index, grouping)
  const rows = addByGroup(runs, runs.rowCount, groups, isWanted)
  const sums = bytes && addByGroup(runs, bytes, groups, isWanted)
  const used: number[] = []
  for (let group = 0; group < rows.length; group++) if (rows[group]! > 0) used.push(group)
  const pick = (all: Float64Array): Float64Array => Float64Array.from(used, (group) => all[group]!)
  return { labels: used.map((group) => groups.labelsOf(group)), rows: pick(rows), bytes: sums && pick(sums) }
}

function bytesOf(runs: LogBlock['runs'], measure: TotalsMeasure): Uint32Array | undefined {
  return measure === 'line bytes' ? runs.lineBytes : runs.rawBytes
}

/** Adds up what each run has of a column. */
function addByGroup(
  { stream }: LogBlock['runs'],
  counts: Uint32Array,
  { count, of }: StreamGroups,
  isWanted: Uint8Array | undefined,
): Float64Array {
  const sums = new Float64Array(count)
  if (isWanted === undefined) {
    for (let run = 0; run < stream.length; run++) sums[of[stream[run]!]!]! += counts[run]!
  } else {
    for (let run = 0; run < stream.length; run++) {
      if (isWanted[stream[run]!] === 1) sums[of[stream[run]!]!]! += counts[run]!
    }
  }
  return sums
}
