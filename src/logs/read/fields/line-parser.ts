/** Finds fields in a line: as JSON if it is an object, else as logfmt as far as that goes. */
import type { JsonNode, LogfmtNode } from '#/logs/logql/ast/stage-nodes.ts'
import { compilePipeline } from '#/logs/logql/pipeline/compile-pipeline.ts'
import type { Pipeline } from '#/logs/logql/pipeline/row.ts'
import type { LogPage } from '#/logs/store/log-page.ts'
import type { Labels } from '#/storage/index/label-index.ts'

export type LineParserName = 'json' | 'logfmt'
export type LineFields = { readonly parser: LineParserName; readonly fields: readonly (readonly [string, string])[] }

const at = { start: 0, end: 0 }
const jsonNode: JsonNode = { kind: 'json', extractions: [], at }
const logfmtNode: LogfmtNode = { kind: 'logfmt', strict: false, keepEmpty: false, extractions: [], at }

export class LineParser {
  readonly #json = compilePipeline([jsonNode], { needed: undefined })
  readonly #logfmt = compilePipeline([logfmtNode], { needed: undefined })

  /** `taken`: labels that the entry has already; a field of the same name is called `<name>_extracted`. */
  parse(line: Buffer, taken: Labels): LineFields {
    const json = fieldsOf(this.#json, line, taken)
    if (json !== undefined) return { parser: 'json', fields: json }
    return { parser: 'logfmt', fields: fieldsOf(this.#logfmt, line, taken) ?? [] }
  }
}

/** Undefined when the line is not what the parser reads. */
function fieldsOf(pipeline: Pipeline, line: Buffer, taken: Labels): (readonly [string, string])[] | undefined {
  const row = pipeline.run({ page: pageOf(line), row: 0, day: 0, streamLabels: taken })
  if (row === undefined || row.get('__error__') !== undefined) return undefined
  const fields: (readonly [string, string])[] = []
  row.forEachLabel((name, value, category) => {
    if (category === 'parsed' && !name.startsWith('__error')) fields.push([name, value])
  })
  return fields
}

/** A page of one line. */
function pageOf(line: Buffer): LogPage {
  return {
    rowCount: 1,
    stream: new Uint32Array(1),
    time: new Float64Array(1),
    lineStart: Uint32Array.of(0, line.length),
    lines: line,
    metaNames: [],
    meta: () => undefined,
    release: () => undefined,
  }
}
