/** Fields of the newest entries of a log query, and the values of one of them. Entries are looked at one by one on the main thread, with pauses. */
import { compareUtf8 } from '#/kernel/utf8.ts'
import type { StageNode } from '#/logs/logql/ast/stage-nodes.ts'
import { entryFields, FieldTable } from '#/logs/read/fields/field-table.ts'
import { shownValue } from '#/logs/read/fields/field-type.ts'
import { LineParser } from '#/logs/read/fields/line-parser.ts'
import type { DetectedField } from '#/logs/wire/index-query.ts'
import type { ResultStream } from '#/logs/wire/query.ts'
import type { Pace } from './pace.ts'

/** Streams with pure stream labels. */
type Streams = readonly ResultStream[]

export async function findFields(
  streams: Streams,
  pace: Pace,
  { stages, limit }: { readonly stages: readonly StageNode[]; readonly limit: number },
): Promise<readonly DetectedField[]> {
  const table = new FieldTable({ maxFields: limit, queryParsers: parsersOf(stages) })
  for (const { labels, entries } of streams) {
    for (const entry of entries) {
      table.add(entry, labels)
      if (pace.isTired()) await pace.rest()
    }
  }
  return table.fields()
}

/** At most `limit` values of the field, sorted. */
export async function findFieldValues(
  streams: Streams,
  pace: Pace,
  { name, limit }: { readonly name: string; readonly limit: number },
): Promise<readonly string[]> {
  const values = new Set<string>()
  const parser = new LineParser()
  for (const { labels, entries } of streams) {
    for (const entry of entries) {
      for (const field of entryFields(entry, labels, parser)) {
        if (field.name === name && values.size < limit) values.add(shownValue(field.value))
      }
      if (values.size >= limit) break
      if (pace.isTired()) await pace.rest()
    }
  }
  return [...values].toSorted(compareUtf8)
}

/** Parsers of a query, in the words that clients write into queries. */
function parsersOf(stages: readonly StageNode[]): readonly string[] {
  return ['json', 'logfmt'].filter((parser) => stages.some(({ kind }) => kind === parser))
}
