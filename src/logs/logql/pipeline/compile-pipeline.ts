/**
 * From the stages of a query to a pipeline that runs. Line filters become page filters when nothing before them changes the
 * line: a filter drops the same entries whether parsers and label filters ran before it or not, so it may run first. The rest
 * become row stages. Parsers learn which labels anything behind them reads, asked from the last stage to the first.
 */
import { unreachable } from '#/kernel/assert.ts'
import { TextCache } from '#/kernel/text-cache.ts'
import type { LineFilterNode, RowStageNode } from '#/logs/logql/ast/stage-nodes.ts'
import type { LogPage } from '#/logs/store/log-page.ts'
import { stageOf } from '#/logs/logql/stages/index.ts'
import { compileRegex } from '#/platform/regex/compile.ts'
import type { PipelineContext, StageCompiler } from './compiler.ts'
import { decolorizeRow } from './decolorize.ts'
import { compileDrop, compileKeep } from './drop-keep.ts'
import { compileLabelFormat, compileLineFormat } from './format.ts'
import { compileJsonExpressions } from './json-expressions.ts'
import { compileJson } from './json.ts'
import { compileLabelFilter } from './label-filter.ts'
import { compileLineFilter, compilePageFilter } from './line-filter.ts'
import { compileLogfmt } from './logfmt.ts'
import { compilePattern } from './pattern.ts'
import { compileRegexp } from './regexp.ts'
import type { MetaFilter, NeededLabels, PageFilter, Pipeline, PipelineEntry, Row, RowStage } from './row.ts'
import { ScanRow } from './scan-row.ts'
import { EXTRACTED_SUFFIX } from './stream-view.ts'
import type { TextFields } from './text-fields.ts'
import { compileTextMatch } from './text-match.ts'
import { compileUnpack } from './unpack.ts'

export type PipelineOptions = {
  /** Labels that are read of the rows that come out; undefined: all. */
  readonly needed: NeededLabels | undefined
}

/** @throws BadRequest when a stage uses something that parses but is not evaluated yet. */
export function compilePipeline(stages: readonly RowStageNode[], options: PipelineOptions): Pipeline {
  const { pageNodes, rowNodes } = hoistLineFilters(stages)
  const rowStages: RowStage[] = []
  const lineStages: RowStage[] = []
  const context: PipelineContext = { nowNs: 0n, check: () => undefined }
  let needed: NeededLabels = options.needed ?? 'all'
  for (const node of rowNodes.toReversed()) {
    const stage = compileStage(node, { needed, context, regex: compileRegex })
    rowStages.unshift(stage)
    if (stageOf(node).reads.line) lineStages.unshift(stage)
    needed = stageOf(node).needs(node, needed)
  }
  return new CompiledPipeline(pageNodes.map(compilePageFilter), rowStages, context, {
    texts: lineStages.map(({ texts }) => texts),
    metaFilters: leadingFilters(rowNodes),
    readsLines: pageNodes.length > 0 || rowNodes.some((node) => stageOf(node).reads.line),
    readsMeta: needed === 'all' ? 'all' : metaNames(needed),
  })
}

/** Takes the line filters that see the line as it was stored to the front. */
function hoistLineFilters(stages: readonly RowStageNode[]): { pageNodes: LineFilterNode[]; rowNodes: RowStageNode[] } {
  const pageNodes: LineFilterNode[] = []
  const rowNodes: RowStageNode[] = []
  let isStoredLine = true
  for (const node of stages) {
    if (node.kind === 'line_filter' && isStoredLine) pageNodes.push(node)
    else rowNodes.push(node)
    if (stageOf(node).reads.writesLine) isStoredLine = false
  }
  return { pageNodes, rowNodes }
}

function compileStage(node: RowStageNode, compiler: StageCompiler): RowStage {
  switch (node.kind) {
    case 'line_filter':
      return compileLineFilter(node)
    case 'label_filter':
      return compileLabelFilter(node.filter, compiler)
    case 'json':
      return node.extractions.length > 0
        ? compileJsonExpressions(node.extractions, compiler.needed)
        : compileJson(compiler.needed)
    case 'logfmt':
      return compileLogfmt(node, compiler.needed)
    case 'regexp':
      return compileRegexp(node.pattern, compiler.needed)
    case 'pattern':
      return compilePattern(node.pattern, compiler.needed)
    case 'unpack':
      return compileUnpack(compiler.needed)
    case 'line_format':
      return compileLineFormat(node.template, compiler.context)
    case 'label_format':
      return compileLabelFormat(node.formats, compiler.context)
    case 'drop':
      return compileDrop(node.choices, compiler)
    case 'keep':
      return compileKeep(node.choices, compiler)
    case 'decolorize':
      return decolorizeRow
    default:
      return unreachable(node)
  }
}

/** A parser must know whether the metadata has a name, also to tell when a label is called `<name>_extracted`. */
function metaNames(needed: ReadonlySet<string>): string[] {
  const names = new Set(needed)
  for (const name of needed) if (name.endsWith(EXTRACTED_SUFFIX)) names.add(name.slice(0, -EXTRACTED_SUFFIX.length))
  return [...names]
}

/** Conditions on single labels in the label filters before which nothing changes a label. */
function leadingFilters(rowNodes: readonly RowStageNode[]): MetaFilter[] {
  const end = rowNodes.findIndex(({ kind }) => kind !== 'label_filter')
  const leading = end < 0 ? rowNodes : rowNodes.slice(0, end)
  return leading.flatMap((node) => {
    if (node.kind !== 'label_filter') return []
    const terms = node.filter.kind === 'and' ? node.filter.terms : [node.filter]
    return terms.flatMap((term): MetaFilter[] => {
      if (term.kind !== 'text') return []
      const { name, op, value } = term
      const only = op === '=' && value !== '' ? Buffer.from(value) : undefined
      return [{ name, passes: compileTextMatch(op, value, { regex: compileRegex }), only }]
    })
  })
}

class CompiledPipeline implements Pipeline {
  readonly pageFilters: readonly PageFilter[]
  readonly metaFilters: readonly MetaFilter[]
  readonly readsLines: boolean
  readonly readsMeta: 'all' | readonly string[]
  readonly #stages: readonly RowStage[]
  readonly #context: PipelineContext
  readonly #row = new ScanRow(new TextCache())
  /** Of the stages that read lines; undefined where one of them reads any line. */
  readonly #texts: readonly TextFields[] | undefined
  readonly #allTexts: readonly TextFields[]

  constructor(
    pageFilters: readonly PageFilter[],
    stages: readonly RowStage[],
    context: PipelineContext,
    reads: Pick<Pipeline, 'metaFilters' | 'readsLines' | 'readsMeta'> & { readonly texts: RowStage['texts'][] },
  ) {
    this.#allTexts = reads.texts.filter((one) => one !== undefined)
    this.#texts = this.#allTexts.length === reads.texts.length ? this.#allTexts : undefined
    this.pageFilters = pageFilters
    this.#stages = stages
    this.#context = context
    this.metaFilters = reads.metaFilters
    this.readsLines = reads.readsLines
    this.readsMeta = reads.readsMeta
  }

  get isTrivial(): boolean {
    return this.#stages.length === 0
  }

  begin(nowNs: bigint, check: () => void): void {
    this.#context.nowNs = nowNs
    this.#context.check = check
  }

  end(): void {
    this.#row.leave()
    for (const texts of this.#allTexts) texts.leave()
  }

  linesToRead(page: LogPage, rows: Uint32Array): Uint32Array {
    const texts = this.#texts
    if (texts === undefined) return rows
    const [only] = texts
    if (texts.length === 1) return only!.rowsToRead(page, rows)
    const read = new Set(texts.flatMap((one) => [...one.rowsToRead(page, rows)]))
    return rows.filter((row) => read.has(row))
  }

  run(entry: PipelineEntry): Row | undefined {
    const row = this.#row
    row.reset(entry)
    const stages = this.#stages
    for (let i = 0; i < stages.length; i++) if (!stages[i]!(row)) return undefined
    return row
  }
}
