/**
 * Streams of an index in groups of those that have the same values of some labels: numbers, made of the columns of these labels
 * without a text or an object for any stream.
 */
import type { Label, Labels } from './label-index.ts'
import type { Codes, NameColumn } from './name-column.ts'

export type StreamGroups = {
  /** More than all numbers in `of`; some may be of no stream. */
  readonly count: number
  /** By stream. */
  readonly of: Codes
  /** What the streams of a group have of the labels that make groups. */
  readonly labelsOf: (group: number) => Labels
}

/** Combinations of two columns are looked up in a table when it has at most so many places for each stream, in another way else. */
const MAX_PLACES_PER_STREAM = 4

/** `columns` ascend by name. */
export function groupStreams(columns: readonly NameColumn[], streamCount: number): StreamGroups {
  const [only] = columns
  if (only !== undefined && columns.length === 1) return groupByOne(only)
  let groups: Combined = { of: new Uint32Array(streamCount), count: Math.min(streamCount, 1) }
  for (const column of columns) groups = combine(groups, column.allCodes(), column.valueCount + 1)
  const { of, count } = groups
  const member = new Uint32Array(count)
  for (let stream = streamCount - 1; stream >= 0; stream--) member[of[stream]!] = stream
  return { count, of, labelsOf: (group) => labelsOfStream(columns, member[group]!) }
}

/** Bytes of memory that groups hold beside the columns. */
export function groupBytes({ of, count }: StreamGroups): number {
  return of.byteLength + count * 4
}

/** The codes of a column are the numbers of its groups. */
function groupByOne(column: NameColumn): StreamGroups {
  const { name } = column
  return {
    count: column.valueCount + 1,
    of: column.allCodes(),
    labelsOf: (group) => (group === 0 ? [] : [[name, column.value(group - 1)]]),
  }
}

function labelsOfStream(columns: readonly NameColumn[], stream: number): Labels {
  const labels: Label[] = []
  for (const column of columns) {
    const value = column.valueReader()(stream)
    if (value !== undefined) labels.push([column.name, value])
  }
  return labels
}

/** Each number below `count` is of a stream. */
type Combined = { readonly of: Uint32Array; readonly count: number }

/** Tells streams of a group apart by another column, whose codes are below `codeCount`. */
function combine(groups: Combined, codes: Codes, codeCount: number): Combined {
  const places = groups.count * codeCount
  if (places <= codes.length * MAX_PLACES_PER_STREAM) return combineByTable(groups, codes, codeCount)
  return combineByHash(groups, codes)
}

function combineByTable({ of: before, count: countBefore }: Combined, codes: Codes, codeCount: number): Combined {
  const numbers = new Uint32Array(countBefore * codeCount)
  const of = new Uint32Array(codes.length)
  let count = 0
  for (let stream = 0; stream < codes.length; stream++) {
    const place = before[stream]! * codeCount + codes[stream]!
    of[stream] = (numbers[place] ||= ++count) - 1
  }
  return { of, count }
}

/** Open addressing: a slot has 1 + a stream of the combination, 0 when it is free; at most half are taken. */
function combineByHash({ of: before }: Combined, codes: Codes): Combined {
  const slots = new Uint32Array(2 ** Math.ceil(Math.log2(codes.length * 2 + 2)))
  const mask = slots.length - 1
  const of = new Uint32Array(codes.length)
  let count = 0
  for (let stream = 0; stream < codes.length; stream++) {
    const group = before[stream]!
    const code = codes[stream]!
    const hash = Math.imul(Math.imul(group, 0x9e3779b1) ^ code, 0x85ebca6b)
    let slot = (hash ^ (hash >>> 15)) & mask
    for (; slots[slot] !== 0; slot = (slot + 1) & mask) {
      const other = slots[slot]! - 1
      if (before[other] === group && codes[other] === code) break
    }
    if (slots[slot] === 0) {
      slots[slot] = stream + 1
      of[stream] = count++
    } else {
      of[stream] = of[slots[slot]! - 1]!
    }
  }
  return { of, count }
}
