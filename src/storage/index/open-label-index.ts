/**
 * Reads a stored label index. Only the directory of names is read at once, and the part of a name when something is asked about it
 * (./name-column.ts); the labels of all streams are put together in one form for worker threads (./coded-labels.ts).
 */
import { codeColumns, codedBytes } from './code-columns.ts'
import type { CodedLabels } from './coded-labels.ts'
import { setPositions } from './label-index-builder.ts'
import type { ChosenLabels, Label, LabelColumn, LabelIndex, LabelMatcher, Labels } from './label-index.ts'
import { NameColumn } from './name-column.ts'
import { groupBytes, groupStreams, type StreamGroups } from './stream-groups.ts'
import { assert } from '#/kernel/assert.ts'
import { ByteReader } from '#/kernel/byte-reader.ts'
import type { ByteOrigin } from '#/kernel/byte-reader.ts'
import { KeptParts } from '#/platform/memory/kept-parts.ts'
import { dropShared } from '#/platform/memory/shared-garbage.ts'

const MAX_STREAMS = 2 ** 28
/** What the directory holds of a name, strings of its values included. */
const BYTES_PER_NAME = 1024

export type OpenLabelIndexOptions = {
  /** Where `bytes` come from, for errors. */
  readonly origin: ByteOrigin
  /** Canonical text of labels. */
  readonly formatText: (labels: Labels) => string
  /** Keeps what is decoded; by default as long as the index lives. */
  readonly parts?: KeptParts | undefined
}

/** @throws Corruption here or, for damage inside the part of a name, when it is first asked for. */
export function openLabelIndex(bytes: Uint8Array, options: OpenLabelIndexOptions): SealedLabelIndex {
  return new SealedLabelIndex(bytes, options)
}

export class SealedLabelIndex implements LabelIndex {
  readonly count: number
  /** Bytes of memory without what `parts` keep. */
  readonly memoryBytes: number
  readonly #formatText: (labels: Labels) => string
  readonly #columns = new Map<string, NameColumn>()
  readonly #parts: KeptParts

  constructor(bytes: Uint8Array, { origin, formatText, parts = new KeptParts() }: OpenLabelIndexOptions) {
    this.#formatText = formatText
    this.#parts = parts
    const reader = new ByteReader(bytes, origin)
    this.count = reader.count(MAX_STREAMS, 'streams')
    const nameCount = reader.uvarint()
    const expected = reader.uvarint()
    // bytes of all values: nobody makes room for them beforehand
    reader.uvarint()
    let labelCount = 0
    for (let i = 0; i < nameCount; i++) {
      const column = new NameColumn(reader, { streamCount: this.count, origin, parts })
      if (this.#columns.has(column.name)) throw reader.corruption(`label name '${column.name}' occurs twice`)
      this.#columns.set(column.name, column)
      labelCount += column.ownerCount
    }
    reader.end()
    if (labelCount !== expected) throw reader.corruption(`${labelCount} labels, not ${expected}`)
    this.memoryBytes = bytes.length + nameCount * BYTES_PER_NAME
  }

  coded(): CodedLabels {
    return this.#allStreams('coded', [...this.#columns.values()])
  }

  codedOf({ names, ordinals, keepsOrdinals = false }: ChosenLabels): CodedLabels {
    const all = [...this.#columns.values()]
    const columns = names === undefined ? all : all.filter(({ name }) => names.has(name))
    if (ordinals === undefined) return this.#allStreams(`coded ${columns.map(({ name }) => name).join('\0')}`, columns)
    const coded = codeColumns(columns, { count: this.count, ordinals, keepsOrdinals })
    // nobody keeps it for long
    dropShared(codedBytes(coded))
    return coded
  }

  #allStreams(name: string, columns: readonly NameColumn[]): CodedLabels {
    return this.#parts.get(name, () => {
      const value = codeColumns(columns, { count: this.count })
      return { value, bytes: codedBytes(value), isShared: true }
    })
  }

  columnsOf(ordinals: Uint32Array | undefined): readonly LabelColumn[] {
    return [...this.#columns.values()].map((column) => {
      const codes = ordinals === undefined ? column.allCodes() : column.codesOf(ordinals)
      return { name: column.name, codes, values: column.values() }
    })
  }

  groupsOf(names: ReadonlySet<string>): StreamGroups {
    const columns = [...this.#columns.values()].filter(({ name }) => names.has(name))
    return this.#parts.get(`groups ${columns.map(({ name }) => name).join('\0')}`, () => {
      const value = groupStreams(columns, this.count)
      return { value, bytes: groupBytes(value) }
    })
  }

  labels(ordinal: number): Labels {
    assert(ordinal >= 0 && ordinal < this.count, `stream ${ordinal} is one of ${this.count}`)
    const readers = this.#parts.hold('readers', () =>
      [...this.#columns.values()].map((column) => ({ name: column.name, valueOf: column.valueReader() })),
    )
    const labels: Label[] = []
    for (const { name, valueOf } of readers) {
      const value = valueOf(ordinal)
      if (value !== undefined) labels.push([name, value])
    }
    return labels
  }

  text(ordinal: number): string {
    return this.#formatText(this.labels(ordinal))
  }

  match(matchers: readonly LabelMatcher[]): Uint32Array {
    let kept: Uint8Array | undefined
    for (const matcher of matchers) {
      const passing = this.#passing(matcher)
      if (passing === 'none') return new Uint32Array(0)
      if (passing !== 'all') kept = both(kept, passing)
    }
    return kept === undefined ? firstOrdinals(this.count) : setPositions(kept)
  }

  names(ordinals: Uint32Array | undefined): readonly string[] {
    const columns = [...this.#columns.values()]
    const found = ordinals === undefined ? columns : columns.filter((column) => isUsed(column, ordinals))
    return found.map(({ name }) => name)
  }

  values(name: string, ordinals: Uint32Array | undefined): readonly string[] {
    const column = this.#columns.get(name)
    if (column === undefined) return []
    const isWanted = ordinals && usedCodes(column, ordinals)
    const values: string[] = []
    for (let i = 0; i < column.valueCount; i++)
      if (isWanted === undefined || isWanted[i + 1] === 1) values.push(column.value(i))
    return values
  }

  /** Which streams a matcher keeps, a flag for each; what holds for all of them needs no look at who has which value. */
  #passing(matcher: LabelMatcher): Uint8Array | 'all' | 'none' {
    const passesWithout = matcher.equals === undefined && matcher.matches('')
    const column = this.#columns.get(matcher.name)
    if (column === undefined) return passesWithout ? 'all' : 'none'
    const verdicts = verdictsOf(column, matcher)
    verdicts[0] = passesWithout ? 1 : 0
    const asked = column.isEverywhere ? verdicts.subarray(1) : verdicts
    if (!asked.includes(0)) return 'all'
    if (!asked.includes(1)) return 'none'
    const { ordinals, codes } = column.owners()
    const passing = new Uint8Array(this.count)
    if (ordinals === undefined) {
      for (let stream = 0; stream < codes.length; stream++) passing[stream] = verdicts[codes[stream]!]!
    } else {
      passing.fill(verdicts[0])
      for (let i = 0; i < ordinals.length; i++) passing[ordinals[i]!] = verdicts[codes[i]!]!
    }
    return passing
  }
}

/** What a matcher says of each value of a column, by code; nothing of code 0. */
function verdictsOf(column: NameColumn, { equals, matches }: LabelMatcher): Uint8Array {
  const verdicts = new Uint8Array(column.valueCount + 1)
  if (equals === undefined) {
    for (let i = 0; i < column.valueCount; i++) verdicts[i + 1] = matches(column.value(i)) ? 1 : 0
  } else {
    const found = column.find(equals)
    if (found !== undefined) verdicts[found + 1] = 1
  }
  return verdicts
}

function both(kept: Uint8Array | undefined, passing: Uint8Array): Uint8Array {
  if (kept !== undefined) for (let i = 0; i < passing.length; i++) passing[i]! &= kept[i]!
  return passing
}

let manyOrdinals = new Uint32Array(0)

/** 0 … count - 1, to be read only: the largest index so far has made them for all. */
function firstOrdinals(count: number): Uint32Array {
  if (count > manyOrdinals.length) {
    manyOrdinals = new Uint32Array(count)
    for (let ordinal = 0; ordinal < count; ordinal++) manyOrdinals[ordinal] = ordinal
  }
  return manyOrdinals.subarray(0, count)
}

/** Whether one of `ordinals` has the label. */
function isUsed(column: NameColumn, ordinals: Uint32Array): boolean {
  return column.isEverywhere ? ordinals.length > 0 : column.codesOf(ordinals).some((code) => code > 0)
}

/** 1 for each code that one of `ordinals` has. */
function usedCodes(column: NameColumn, ordinals: Uint32Array): Uint8Array {
  const used = new Uint8Array(column.valueCount + 1)
  for (const code of column.codesOf(ordinals)) used[code] = 1
  return used
}
