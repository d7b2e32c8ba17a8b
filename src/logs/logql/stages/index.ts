/** The table of pipeline stages: the only place that lists them. */
import type { StageBase } from '#/logs/logql/ast/matcher.ts'
import type { StageNode } from '#/logs/logql/ast/stage-nodes.ts'
import { decolorize } from './decolorize.ts'
import { drop } from './drop.ts'
import { json } from './json.ts'
import { keep } from './keep.ts'
import { labelFilter } from './label-filter.ts'
import { labelFormat } from './label-format.ts'
import { lineFilter } from './line-filter.ts'
import { lineFormat } from './line-format.ts'
import { logfmt } from './logfmt.ts'
import { pattern } from './pattern.ts'
import { regexp } from './regexp.ts'
import type { StageDefinition, TokenKind } from './stage.ts'
import { unpack } from './unpack.ts'

export type { StageNode } from '#/logs/logql/ast/stage-nodes.ts'

type StageTable = { readonly [K in StageNode['kind']]: StageDefinition<Extract<StageNode, { kind: K }>> }

export const stages: StageTable = {
  line_filter: lineFilter,
  json,
  logfmt,
  regexp,
  pattern,
  unpack,
  label_filter: labelFilter,
  line_format: lineFormat,
  label_format: labelFormat,
  drop,
  keep,
  decolorize,
}

/** The definition that a node belongs to. The one cast: the table pairs each kind with its own node type. */
export function stageOf(node: StageNode): StageDefinition<StageNode> {
  return stages[node.kind] as StageDefinition<StageBase> as StageDefinition<StageNode>
}

const byKeyword: ReadonlyMap<TokenKind, StageDefinition<StageNode>> = new Map(
  Object.values(stages).flatMap((stage) =>
    stage.keywords.map(
      (keyword) => [keyword, stage as StageDefinition<StageBase> as StageDefinition<StageNode>] as const,
    ),
  ),
)

/** The stage that this token begins: behind `|`, or by itself for the operators of line filters. */
export function stageByKeyword(keyword: TokenKind): StageDefinition<StageNode> | undefined {
  return byKeyword.get(keyword)
}

export function printStage(node: StageNode): string {
  return stageOf(node).print(node)
}
