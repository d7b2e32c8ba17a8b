/** Counts what hidden rows leave of the runs of a block. Only pages in which a run is hidden in part are read, without their lines. */
import type { LeftoverPage } from '#/logs/read/scan/scan-job.ts'
import type { LogBlock, PageColumns } from '#/logs/store/log-block.ts'
import type { StreamRuns } from '#/storage/block/contents.ts'
import type { RowMasks } from './mask-cache.ts'
import type { QueryRun } from './query-run.ts'
import { blockSource, readPages } from './source.ts'

const columns: PageColumns = { lengths: true, lines: false, meta: 'all' }
/** Fewer rows are not worth the way to a thread. */
const TINY_ROWS = 4096

type LeftRuns = StreamRuns & { readonly lineBytes: Uint32Array | undefined }
type Part = { readonly run: number; readonly firstRow: number; readonly rowCount: number }

export async function countLeft(run: QueryRun, block: LogBlock, masks: RowMasks): Promise<StreamRuns> {
  const left = copyRuns(block.runs)
  for (const [position, mask] of masks) {
    const parts = hideWhole(left, block.runs, { position, mask })
    if (parts.length > 0) await countParts(run, block, { left, masks, position, parts })
  }
  return left
}

function copyRuns(runs: StreamRuns): LeftRuns {
  const { rowCount, rawBytes, lineBytes, minTime, maxTime } = runs
  return {
    ...runs,
    rowCount: rowCount.slice(),
    rawBytes: rawBytes.slice(),
    lineBytes: lineBytes?.slice(),
    minTime: minTime.slice(),
    maxTime: maxTime.slice(),
  }
}

/** Empties the runs of a page that are hidden as a whole; returns those that are hidden in part. */
function hideWhole(
  left: LeftRuns,
  { pageEnds, rowCount }: StreamRuns,
  { position, mask }: { readonly position: number; readonly mask: Uint8Array },
): readonly Part[] {
  const parts: Part[] = []
  let firstRow = 0
  for (let run = position === 0 ? 0 : pageEnds[position - 1]!; run < pageEnds[position]!; run++) {
    const count = rowCount[run]!
    let hidden = 0
    for (let row = firstRow; row < firstRow + count; row++) hidden += (mask[row >> 3]! >> (row & 7)) & 1
    if (hidden === count) setRun(left, run, nothing, 0)
    else if (hidden > 0) parts.push({ run, firstRow, rowCount: count })
    firstRow += count
  }
  return parts
}

const nothing = { rowCount: [0], rawBytes: [0], lineBytes: [0], minTime: [Infinity], maxTime: [-Infinity] }

type Counts = Readonly<Record<keyof typeof nothing, ArrayLike<number>>>

function setRun(left: LeftRuns, run: number, counts: Counts, at: number): void {
  left.rowCount[run] = counts.rowCount[at]!
  left.rawBytes[run] = counts.rawBytes[at]!
  if (left.lineBytes !== undefined) left.lineBytes[run] = counts.lineBytes[at]!
  left.minTime[run] = counts.minTime[at]!
  left.maxTime[run] = counts.maxTime[at]!
}

type PageParts = {
  readonly left: LeftRuns
  readonly masks: RowMasks
  readonly position: number
  readonly parts: readonly Part[]
}

async function countParts(run: QueryRun, block: LogBlock, { left, masks, position, parts }: PageParts): Promise<void> {
  const source = blockSource(block, 0, false)
  const page = source.pages[position]!
  await run.reserve(page.sizeBytes)
  const memory = run.buffers.lease()
  try {
    const range = { from: -Infinity, to: Infinity }
    const read = await readPages(source, [page], { columns, ...range, dropped: masks, memory, signal: run.signal })
    const leftover: LeftoverPage = {
      page: read[0]!,
      firstRow: Uint32Array.from(parts, ({ firstRow }) => firstRow),
      rowCount: Uint32Array.from(parts, ({ rowCount }) => rowCount),
    }
    const result = await run.runJob({ kind: 'leftover', pages: [leftover] }, page.rowCount <= TINY_ROWS)
    if (result.kind !== 'leftover') throw new TypeError(`a job for what is left answered ${result.kind}`)
    for (const [i, part] of parts.entries()) setRun(left, part.run, result, i)
  } finally {
    run.release(page.sizeBytes)
    memory.release()
  }
}
