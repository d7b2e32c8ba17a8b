/** The value that a row counts with under `unwrap`, or the text under `count_distinct_over_time`. */
import { goDurationFault, goSeconds, parseGoDuration } from '#/kernel/duration.ts'
import { parseGoFloat, parseHumanBytes, type Conversion } from '#/kernel/go-number.ts'
import type { Unwrap } from '#/logs/logql/ast/nodes.ts'
import type { RowStageNode } from '#/logs/logql/ast/stage-nodes.ts'
import { compileLabelFilter } from '#/logs/logql/pipeline/label-filter.ts'
import type { Row, RowStage } from '#/logs/logql/pipeline/row.ts'
import { compileRegex } from '#/platform/regex/compile.ts'
import type { Sample } from './range/sample.ts'

const EXTRACTION_ERROR = 'SampleExtractionErr'

/** Fills in the value or text of `sample`; false when the row does not count. */
export type ReadSample = (row: Row, sample: Sample) => boolean

/** Rows without the label, or with an empty one, do not count; nor do those that a filter behind `unwrap` drops. */
export function unwrapReader({ label, conversion, filters }: Unwrap<RowStageNode>): ReadSample {
  const convert = conversions[conversion ?? 'plain']
  const isPlain = conversion === undefined
  const passes = compileFilters(filters)
  return (row, sample) => {
    const digits = isPlain ? row.decimalOf(label) : NaN
    // most values are plain decimals, which need no string; NaN says that this one is not
    if (digits === digits) sample.value = digits
    else {
      const text = row.get(label)
      if (text === undefined || text === '') return false
      const value = convert(text)
      if (typeof value === 'number') sample.value = value
      else {
        sample.value = 0
        row.setError(EXTRACTION_ERROR, value)
      }
    }
    for (let i = 0; i < passes.length; i++) if (!passes[i]!(row)) return false
    return true
  }
}

export function textReader(label: string): ReadSample {
  return (row, sample) => {
    const text = row.get(label)
    if (text === undefined || text === '') return false
    sample.text = text
    return true
  }
}

function compileFilters(filters: readonly RowStageNode[]): readonly RowStage[] {
  const compiler = { regex: compileRegex }
  return filters.flatMap((node) => (node.kind === 'label_filter' ? [compileLabelFilter(node.filter, compiler)] : []))
}

const conversions: Readonly<Record<NonNullable<Unwrap['conversion']> | 'plain', (text: string) => Conversion>> = {
  plain: parseGoFloat,
  bytes: parseHumanBytes,
  duration: toSeconds,
  duration_seconds: toSeconds,
}

function toSeconds(text: string): Conversion {
  const ns = parseGoDuration(text)
  return ns === undefined ? goDurationFault(text) : goSeconds(ns)
}
