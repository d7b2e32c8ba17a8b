/**
 * What stages cost: lines per second and core in MB/s, by class, rounded from the pipeline's benchmark over lines of 190 bytes with
 * eight fields. For comparisons and rough estimates; `docs/reference/explain.md` shows the same table.
 */
import type { RowStageNode } from '#/logs/logql/ast/stage-nodes.ts'
import type { NeededLabels } from '#/logs/logql/pipeline/row.ts'
import { lineFilterClass, lineFilterSpeed } from './rules/line-filter-class.ts'

/** Decompressing lines, in MB/s per core. */
export const LINE_DECODE_SPEED = 700
/** Rows per second and core whose stream and time are decoded and which are selected, counted, or compared with other rows. */
export const ROWS_PER_SECOND = 8_000_000

/** A parser that nobody asks for anything does nothing. */
const NOTHING = 100_000

const rowStageSpeed = {
  labelFilter: 3000,
  parseFew: 450,
  parseAll: 200,
  pattern: 350,
  regexp: 300,
  lineFormat: 150,
  labelFormat: 200,
  decolorize: 2000,
  choose: 1500,
} as const

/** `needed`: the labels that are read behind the stage. */
export function stageSpeed(node: RowStageNode, needed: NeededLabels): number {
  const isUnread = needed !== 'all' && needed.size === 0
  switch (node.kind) {
    case 'line_filter':
      return lineFilterSpeed[lineFilterClass(node)]
    case 'label_filter':
      return rowStageSpeed.labelFilter
    case 'json':
    case 'logfmt':
      if (isUnread) return NOTHING
      return needed === 'all' && node.extractions.length === 0 ? rowStageSpeed.parseAll : rowStageSpeed.parseFew
    case 'unpack':
      return rowStageSpeed.parseAll
    case 'regexp':
    case 'pattern':
      return isUnread ? NOTHING : rowStageSpeed[node.kind]
    case 'line_format':
      return rowStageSpeed.lineFormat
    case 'label_format':
      return rowStageSpeed.labelFormat
    case 'decolorize':
      return rowStageSpeed.decolorize
    case 'drop':
    case 'keep':
      return rowStageSpeed.choose
  }
}
