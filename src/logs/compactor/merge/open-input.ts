/** An opened input of a merge: its index for worker threads, and which of its pages an output needs. */
import { isRowBefore, type IndexOfInput, type RankedInput, type RowKey } from './merge-input.ts'
import type { LogBlock } from '#/logs/store/log-block.ts'

export type OpenInput = LogBlock

/** In shared memory, as it goes to a worker again and again. */
export function indexOf({ streams, runs, pages }: OpenInput): IndexOfInput {
  return {
    labels: streams.coded(),
    pageEnds: sharedU32(runs.pageEnds),
    runStream: sharedU32(runs.stream),
    runRows: sharedU32(runs.rowCount),
    runBytes: sharedU32(runs.lineBytes ?? runs.rawBytes),
    runMinTime: sharedF64(runs.minTime),
    runMaxTime: sharedF64(runs.maxTime),
    pageBytes: sharedU32(Uint32Array.from(pages, ({ sizeBytes }) => sizeBytes)),
  }
}

/** Positions of the pages that may have rows from `start` on and before `end`. */
export function positionsIn(input: RankedInput, start: RowKey, end: RowKey): number[] {
  const { pageEnds, runStream, runMinTime, runMaxTime, rankOf } = input
  const positions: number[] = []
  for (let page = 0; page < pageEnds.length; page++) {
    const first = page === 0 ? 0 : pageEnds[page - 1]!
    const last = pageEnds[page]! - 1
    if (last < first) continue
    const endsBefore = isRowBefore(rankOf[runStream[last]!]!, runMaxTime[last]!, start)
    if (!endsBefore && isRowBefore(rankOf[runStream[first]!]!, runMinTime[first]!, end)) positions.push(page)
  }
  return positions
}

function sharedU32(values: Uint32Array): Uint32Array<SharedArrayBuffer> {
  const shared = new Uint32Array(new SharedArrayBuffer(values.byteLength))
  shared.set(values)
  return shared
}

function sharedF64(values: Float64Array): Float64Array<SharedArrayBuffer> {
  const shared = new Float64Array(new SharedArrayBuffer(values.byteLength))
  shared.set(values)
  return shared
}
