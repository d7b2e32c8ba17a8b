/**
 * How much streams have in a window, without reading a page. Heads are counted row by row. Blocks know each run (the rows of one
 * stream that stand together in a page, hardly ever of more than an hour): one that lies in the window counts in full, one that
 * reaches beyond its ends in proportion. So the error is a part of the runs at the two ends of the range, and zero for ranges that
 * end where runs do.
 */
import { HeadSizes } from './head-sizes.ts'
import type { SelectedStreams } from './select-streams.ts'

/** By ordinal. */
export type StreamSizes = { readonly bytes: Float64Array; readonly entries: Float64Array }

export function streamSizes({ source, from, to }: SelectedStreams): StreamSizes {
  const sizes = { bytes: new Float64Array(source.index.count), entries: new Float64Array(source.index.count) }
  const { bytes, entries } = sizes
  if (source.data.kind === 'block') {
    const { stream, rowCount, rawBytes } = source.data.block.runs
    if (source.minTime >= from && source.maxTime < to && source.hidden === undefined) {
      for (let i = 0; i < stream.length; i++) {
        bytes[stream[i]!]! += rawBytes[i]!
        entries[stream[i]!]! += rowCount[i]!
      }
      return sizes
    }
    const { minTime, maxTime } = source.data.block.runs
    for (let i = 0; i < stream.length; i++) {
      const share = shareInside({ from, to }, minTime[i]!, maxTime[i]!, rowCount[i]!)
      bytes[stream[i]!]! += rawBytes[i]! * share
      entries[stream[i]!]! += rowCount[i]! * share
    }
    return sizes
  }
  for (const page of source.data.pages) {
    const { rowCount, stream, time } = page
    const rowSizes = new HeadSizes(page)
    for (let row = 0; row < rowCount; row++) {
      if (time[row]! < from || time[row]! >= to) continue
      entries[stream[row]!]!++
      bytes[stream[row]!]! += rowSizes.of(row)
    }
  }
  return sizes
}

/** The part of the rows of a run that lies in the window: its first and last row are known, the others are taken to be spread evenly. */
function shareInside(
  { from, to }: { readonly from: number; readonly to: number },
  minTime: number,
  maxTime: number,
  rowCount: number,
): number {
  if (minTime >= to || maxTime < from) return 0
  const hasFirst = minTime >= from
  const hasLast = maxTime < to
  if (hasFirst && hasLast) return 1
  const between = (Math.min(maxTime, to) - Math.max(minTime, from)) / (maxTime - minTime)
  const rows = (hasFirst ? 1 : 0) + (hasLast ? 1 : 0) + Math.max(0, rowCount - 2) * between
  return Math.min(1, rows / rowCount)
}
