/** Puts the columns of a stored label index together: the labels of all of its streams, or of some, in one form for worker threads. */
import { hashPairs, sharedU32, type CodedLabels } from './coded-labels.ts'
import type { NameColumn, NameValues, Owners } from './name-column.ts'

type Chosen = {
  /** Streams of the index. */
  readonly count: number
  /** Streams that are wanted; undefined: all. */
  readonly ordinals?: Uint32Array | undefined
  /** Whether streams keep their ordinals, and those that are not wanted have no labels. */
  readonly keepsOrdinals?: boolean
}

/** `columns` ascend by name. */
export function codeColumns(
  columns: readonly NameColumn[],
  { count: streamCount, ordinals, keepsOrdinals = false }: Chosen,
): CodedLabels {
  const count = keepsOrdinals || ordinals === undefined ? streamCount : ordinals.length
  const parts = columns.map((column) => chosenPart(column, ordinals, keepsOrdinals))
  const pairs = joinPairs(parts)
  const names = columns.map(({ name }) => name)
  const pairHashes = sharedU32(pairs.nameOfPair.length * 2)
  hashPairs({ names, ...pairs }, pairHashes)
  return { names, ...pairs, pairHashes, ...joinRows(parts, count) }
}

/** Bytes of memory. */
export function codedBytes({ nameOfPair, values, valueEnds, pairHashes, pairs, ends }: CodedLabels): number {
  const words = nameOfPair.length + valueEnds.length + pairHashes.length + pairs.length + ends.length
  return values.length + words * 4
}

/** What some streams have of a column: codes are of `values`. */
type ChosenPart = { readonly owners: Owners; readonly values: NameValues }

/** By code: what it becomes when values are left out, 0 for those. Used again, as names may have very many values. */
let newCodes = new Uint32Array(0)

/** Without the values that none of `ordinals` has. */
function chosenPart(column: NameColumn, ordinals: Uint32Array | undefined, keepsOrdinals: boolean): ChosenPart {
  const values = column.values()
  if (ordinals === undefined) return { owners: column.owners(), values }
  const codes = column.codesOf(ordinals)
  if (newCodes.length <= column.valueCount) newCodes = new Uint32Array(column.valueCount + 1)
  newCodes.fill(0, 0, column.valueCount + 1)
  for (const code of codes) newCodes[code] = 1
  newCodes[0] = 0
  const chosen = chooseValues(values, column.valueCount)
  for (let i = 0; i < codes.length; i++) codes[i] = newCodes[codes[i]!]!
  return { owners: { ordinals: keepsOrdinals ? ordinals : undefined, codes }, values: chosen }
}

/** The values whose codes have a 1 in `newCodes`, which gets their codes among these. */
function chooseValues({ bytes, ends }: NameValues, valueCount: number): NameValues {
  const startOf = (code: number): number => (code === 1 ? 0 : ends[code - 2]!)
  let [count, size] = [0, 0]
  for (let code = 1; code <= valueCount; code++) {
    if (newCodes[code] === 0) continue
    newCodes[code] = ++count
    size += ends[code - 1]! - startOf(code)
  }
  const chosen = { bytes: Buffer.allocUnsafe(size), ends: new Uint32Array(count) }
  let end = 0
  for (let code = 1; code <= valueCount; code++) {
    const position = newCodes[code]! - 1
    if (position < 0) continue
    for (let at = startOf(code); at < ends[code - 1]!; at++) chosen.bytes[end++] = bytes[at]!
    chosen.ends[position] = end
  }
  return chosen
}

/** The values of all columns, one behind the other. */
function joinPairs(parts: readonly ChosenPart[]): Pick<CodedLabels, 'nameOfPair' | 'values' | 'valueEnds'> {
  const pairCount = parts.reduce((sum, { values }) => sum + values.ends.length, 0)
  const size = parts.reduce((sum, { values }) => sum + values.bytes.length, 0)
  const nameOfPair = sharedU32(pairCount)
  const valueEnds = sharedU32(pairCount)
  const joined = new Uint8Array(new SharedArrayBuffer(size))
  let [pair, start] = [0, 0]
  for (const [position, { values }] of parts.entries()) {
    const { bytes, ends } = values
    joined.set(bytes, start)
    nameOfPair.fill(position, pair, pair + ends.length)
    for (let i = 0; i < ends.length; i++) valueEnds[pair++] = start + ends[i]!
    start += bytes.length
  }
  return { nameOfPair, values: joined, valueEnds }
}

/** The pairs of `count` streams. */
function joinRows(parts: readonly ChosenPart[], count: number): Pick<CodedLabels, 'pairs' | 'ends'> {
  const next = sharedU32(count + 1)
  for (const { owners } of parts) countOwners(owners, next)
  for (let stream = 1; stream <= count; stream++) next[stream]! += next[stream - 1]!
  const pairs = sharedU32(next[count]!)
  let before = -1
  for (const { owners, values } of parts) {
    putPairs(owners, before, next, pairs)
    before += values.ends.length
  }
  // each start has moved to its end, which is where the next stream begins
  return { pairs, ends: next.subarray(0, count) }
}

/** Adds to `counts[stream + 1]` the streams that have the label. */
function countOwners({ ordinals, codes }: Owners, counts: Uint32Array): void {
  for (let i = 0; i < codes.length; i++) {
    if (codes[i] !== 0) counts[(ordinals === undefined ? i : ordinals[i]!) + 1]!++
  }
}

/** Puts pair `before + code` at the next place of each stream that has the label. */
function putPairs({ ordinals, codes }: Owners, before: number, next: Uint32Array, pairs: Uint32Array): void {
  for (let i = 0; i < codes.length; i++) {
    if (codes[i] !== 0) pairs[next[ordinals === undefined ? i : ordinals[i]!]!++] = before + codes[i]!
  }
}
