/** What was seen of each field of the entries of a log query. */
import { hash64, hashWords } from '#/kernel/hash64.ts'
import { compareUtf8 } from '#/kernel/utf8.ts'
import type { DetectedField } from '#/logs/wire/index-query.ts'
import type { ResultEntry } from '#/logs/wire/query.ts'
import { sortLabels } from '#/logs/model/labels.ts'
import type { Labels } from '#/storage/index/label-index.ts'
import { fieldTypeOf } from './field-type.ts'
import { jsonPaths } from './json-paths.ts'
import { LineParser } from './line-parser.ts'

/** Values that are counted for all fields together; beyond, a count says how many there were at least. */
const MAX_COUNTED_VALUES = 250_000
const EXTRACTED_SUFFIX = '_extracted'

type Field = {
  lastValue: string
  /** Hashes of 53 bits. */
  readonly values: Set<number>
  readonly parsers: Set<string>
  jsonPath: readonly string[] | undefined
}

export type FieldTableOptions = {
  /** Fields that come later are not kept. */
  readonly maxFields: number
  /** Parsers of the query itself: what made the labels that it extracted. */
  readonly queryParsers: readonly string[]
}

export class FieldTable {
  readonly #options: FieldTableOptions
  readonly #parser = new LineParser()
  readonly #fields = new Map<string, Field>()
  #countedValues = 0

  constructor(options: FieldTableOptions) {
    this.#options = options
  }

  /** `labels` are those of the entry's stream. */
  add(entry: ResultEntry, labels: Labels): void {
    let isWithoutPath = false
    for (const { name, value, origin } of entryFields(entry, labels, this.#parser)) {
      let known = this.#fields.get(name)
      if (known === undefined) {
        if (this.#fields.size >= this.#options.maxFields) continue
        known = { lastValue: value, values: new Set(), parsers: new Set(), jsonPath: undefined }
        this.#fields.set(name, known)
      }
      known.lastValue = value
      this.#count(known, value)
      if (origin === 'query') for (const parser of this.#options.queryParsers) known.parsers.add(parser)
      if (origin !== 'json' && origin !== 'logfmt') continue
      isWithoutPath ||= origin === 'json' && !known.parsers.has('json')
      known.parsers.add(origin)
    }
    if (isWithoutPath) this.#findPaths(entry.line)
  }

  /** By name. */
  fields(): readonly DetectedField[] {
    return [...this.#fields]
      .toSorted(([a], [b]) => compareUtf8(a, b))
      .map(([label, { lastValue, values, parsers, jsonPath }]) => ({
        label,
        type: fieldTypeOf(lastValue),
        cardinality: values.size,
        parsers: [...parsers].sort(),
        jsonPath,
      }))
  }

  #count({ values }: Field, value: string): void {
    if (this.#countedValues >= MAX_COUNTED_VALUES) return
    hash64(value)
    const before = values.size
    values.add((hashWords.high >>> 11) * 2 ** 32 + hashWords.low)
    this.#countedValues += values.size - before
  }

  /** All new fields of a line have their paths from one look at it. */
  #findPaths(line: Buffer): void {
    for (const [label, path] of jsonPaths(line.toString())) {
      for (const name of [label, label + EXTRACTED_SUFFIX]) {
        const field = this.#fields.get(name)
        if (field?.parsers.has('json') === true) field.jsonPath ??= path
      }
    }
  }
}

export type EntryField = {
  readonly name: string
  readonly value: string
  readonly origin: 'metadata' | 'query' | 'json' | 'logfmt'
}

/** Structured metadata, what the query has extracted, and what can be extracted from the line. */
export function entryFields(
  { structuredMetadata, parsed, line }: ResultEntry,
  labels: Labels,
  parser: LineParser,
): readonly EntryField[] {
  const fields: EntryField[] = []
  for (const [name, value] of structuredMetadata) fields.push({ name, value, origin: 'metadata' })
  for (const [name, value] of parsed) {
    if (!name.startsWith('__error')) fields.push({ name, value, origin: 'query' })
  }
  const found = parser.parse(line, sortLabels([...labels, ...structuredMetadata]))
  for (const [name, value] of found.fields) fields.push({ name, value, origin: found.parser })
  return fields
}
