/** The table of pipeline stages: the only place that lists them. */
import { printSelector } from '#/logs/logql/ast/literals.ts'
import type { StageBase } from '#/logs/logql/ast/matcher.ts'
import type { LogExpr } from '#/logs/logql/ast/nodes.ts'
import type { StageNode } from '#/logs/logql/ast/stage-nodes.ts'
import { decolorize } from './decolorize.ts'
import { distinct } from './distinct.ts'
import { drop } from './drop.ts'
import { json } from './json.ts'
import { keep } from './keep.ts'
import { labelFilter } from './label-filter.ts'
import { labelFormat } from './label-format.ts'
import { limit } from './limit.ts'
import { lineFilter } from './line-filter.ts'
import { lineFormat } from './line-format.ts'
import { logfmt } from './logfmt.ts'
import { pattern } from './pattern.ts'
import { regexp } from './regexp.ts'
import { sort } from './sort.ts'
import type { StageCursor, StageDefinition, TokenKind } from './stage.ts'
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
  distinct,
  sort,
  limit,
}

/** The definition that a node belongs to. The one cast: the table pairs each kind with its own node type. */
export function stageOf(node: StageNode): StageDefinition<StageNode> {
  return stages[node.kind] as StageDefinition<StageBase> as StageDefinition<StageNode>
}

const definitions = Object.values(stages) as unknown as readonly StageDefinition<StageNode>[]
const isExtension = ({ begins }: StageDefinition<StageNode>): boolean => begins !== undefined
const byKeyword = keywordsOf(definitions.filter((stage) => !isExtension(stage)))
const byWord = keywordsOf(definitions.filter(isExtension))

function keywordsOf(some: readonly StageDefinition<StageNode>[]): ReadonlyMap<TokenKind, StageDefinition<StageNode>> {
  return new Map(some.flatMap((stage) => stage.keywords.map((keyword) => [keyword, stage] as const)))
}

/** The stage that this token begins: behind `|`, or by itself for the operators of line filters. */
export function stageByKeyword(keyword: TokenKind): StageDefinition<StageNode> | undefined {
  return byKeyword.get(keyword)
}

/** The stage that begins at the cursor, behind a `|`; undefined when none does. */
export function stageBehindPipe(cursor: StageCursor): StageDefinition<StageNode> | undefined {
  const keyword = cursor.peek()
  const extension = keyword === 'IDENTIFIER' ? byWord.get(cursor.word()) : undefined
  if (extension?.begins?.(cursor)) return extension
  const stage = byKeyword.get(keyword)
  return stage?.kind === 'line_filter' ? undefined : stage
}

export function printStage(node: StageNode): string {
  return stageOf(node).print(node, printLog)
}

/** `{a="b"} | json` */
export function printLog({ matchers, stages: nodes }: LogExpr): string {
  return [printSelector(matchers), ...nodes.map(printStage)].join(' ')
}

/** What is wrong with a stage that parses, in Loki's words; undefined when nothing is. */
export function problemOf(node: StageNode): string | undefined {
  return stageOf(node).problem(node, printLog)
}
