/** Pages and pipelines for tests and benches of this folder. */
import { parseExpr } from '#/logs/logql/parser/parse-expr.ts'
import type { LogPage } from '#/logs/store/log-page.ts'
import type { Labels } from '#/storage/index/label-index.ts'
import { compilePipeline } from './compile-pipeline.ts'
import type { NeededLabels, Pipeline, Row } from './row.ts'

export type FixtureEntry = {
  readonly line: string | Buffer
  readonly meta?: Readonly<Record<string, string>>
}

export function pageOf(entries: readonly (FixtureEntry | string)[]): LogPage {
  const rows = entries.map((entry) => (typeof entry === 'string' ? { line: entry } : entry))
  const parts = rows.map(({ line }) => Buffer.from(line as string))
  const lineStart = new Uint32Array(rows.length + 1)
  for (const [i, part] of parts.entries()) lineStart[i + 1] = lineStart[i]! + part.length
  const metaNames = [...new Set(rows.flatMap(({ meta }: FixtureEntry) => Object.keys(meta ?? {})))]
  return {
    rowCount: rows.length,
    stream: new Uint32Array(rows.length),
    time: Float64Array.from(rows, (_, i) => i),
    lineStart,
    lines: Buffer.concat(parts),
    metaNames,
    meta: (name) => ({ valueOf: (row) => (rows[row] as FixtureEntry).meta?.[name], dictionary: undefined }),
    release: () => undefined,
  }
}

/** The pipeline of a log query's stages: `| json | a > 5`. */
export function pipelineOf(stages: string, needed?: NeededLabels): Pipeline {
  const query = parseExpr(`{app="a"} ${stages}`)
  if (query.kind !== 'log') throw new Error(`not a log query: ${stages}`)
  const rowStages = query.stages.filter(
    (node) => node.kind !== 'distinct' && node.kind !== 'sort' && node.kind !== 'limit',
  )
  return compilePipeline(rowStages, { needed })
}

/** The rows of a page that pass the page filters, ascending. */
export function selectRows(pipeline: Pipeline, page: LogPage, stream: Labels = []): number[] {
  const rows = Uint32Array.from({ length: page.rowCount }, (_, i) => i)
  let count = page.rowCount
  const mayHave = (name: string): boolean => page.metaNames.includes(name) || stream.some(([other]) => other === name)
  for (const filter of pipeline.pageFilters) {
    if (filter.unlessLabels?.some(mayHave)) continue
    count = filter.select(page.lines, page.lineStart, rows, count)
  }
  return [...rows.subarray(0, count)]
}

export type Outcome = { readonly line: string; readonly labels: Readonly<Record<string, string>> }

/** Runs entries through stages; undefined for those that are dropped. Labels come sorted by name. */
export function runAll(
  stages: string,
  entries: readonly (FixtureEntry | string)[],
  options: { readonly stream?: Labels; readonly needed?: NeededLabels } = {},
): (Outcome | undefined)[] {
  const page = pageOf(entries)
  const pipeline = pipelineOf(stages, options.needed)
  const streamLabels = options.stream ?? [['app', 'a'] as const]
  const passed = new Set(selectRows(pipeline, page, streamLabels))
  const entry = { page, row: 0, day: 0, streamLabels }
  return entries.map((_, row) => {
    if (!passed.has(row)) return undefined
    entry.row = row
    const result = pipeline.run(entry)
    return result && outcomeOf(result)
  })
}

export function outcomeOf(row: Row): Outcome {
  const labels: [string, string][] = []
  row.forEachLabel((name, value) => labels.push([name, value]))
  labels.sort(([a], [b]) => (a < b ? -1 : 1))
  return { line: row.lineText(), labels: Object.fromEntries(labels) }
}

/** The labels of the one entry with this line. */
export function labelsOf(
  stages: string,
  entry: FixtureEntry | string,
  options: { readonly stream?: Labels; readonly needed?: NeededLabels } = {},
): Readonly<Record<string, string>> | undefined {
  return runAll(stages, [entry], options)[0]?.labels
}
