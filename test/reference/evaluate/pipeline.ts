/** An entry through the stages of a query, one after the other. */
import type { Matcher } from '#/logs/logql/ast/nodes.ts'
import type { RowStageNode } from '#/logs/logql/ast/stage-nodes.ts'
import { decolorized } from './decolorize.ts'
import { firstState, type EntryState, type Needed, type StoredEntry } from './entry-state.ts'
import { runJson, runUnpack } from './json.ts'
import { dropLabels, formatLabels, formatLine, keepLabels } from './labels.ts'
import { runLabelFilter } from './label-filters.ts'
import { linePasses } from './line-filters.ts'
import { runLogfmt } from './logfmt.ts'
import { neededBehind } from './needs.ts'
import { runPattern } from './pattern.ts'
import { runRegexp } from './regexp.ts'
import { matches } from './text-match.ts'

/** What is left of the entries, in their order. `needed` names the labels that are read behind the pipeline. */
export function runPipeline(
  { matchers, stages }: { readonly matchers: readonly Matcher[]; readonly stages: readonly RowStageNode[] },
  entries: readonly StoredEntry[],
  needed: Needed,
): EntryState[] {
  return entries.flatMap((entry) => {
    let state: EntryState | undefined = firstState(entry)
    const { base } = state
    if (!matchers.every((matcher) => matches(matcher, base[matcher.name] ?? ''))) return []
    for (const [position, stage] of stages.entries()) {
      state = state && runStage(stage, state, neededBehind(stages, position, needed))
    }
    return state ? [state] : []
  })
}

/** Undefined when the stage drops the entry. */
function runStage(stage: RowStageNode, state: EntryState, needed: Needed): EntryState | undefined {
  const isRead = needed === 'all' || needed.size > 0
  switch (stage.kind) {
    case 'line_filter':
      return linePasses(stage, state.line) ? state : undefined
    case 'label_filter':
      return runLabelFilter(stage.filter, state)
    case 'json':
      return isRead ? runJson(stage, state, needed) : state
    case 'logfmt':
      return isRead ? runLogfmt(stage, state, needed) : state
    case 'regexp':
      return runRegexp(stage.pattern, state, needed)
    case 'pattern':
      return runPattern(stage.pattern, state, needed)
    case 'unpack':
      return runUnpack(state, needed)
    case 'line_format':
      return formatLine(stage.template, state)
    case 'label_format':
      return formatLabels(stage.formats, state)
    case 'drop':
      return dropLabels(stage.choices, state)
    case 'keep':
      return keepLabels(stage.choices, state)
    case 'decolorize':
      return { ...state, line: decolorized(state.line) }
  }
}
