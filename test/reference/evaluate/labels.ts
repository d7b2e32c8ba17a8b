/** The stages that change labels or the line from templates: `label_format`, `line_format`, `drop`, `keep`. */
import type { LabelChoice, LabelFormat } from '#/logs/logql/ast/stage-nodes.ts'
import {
  labelOf,
  visibleLabels,
  withError,
  withParsed,
  withoutLabel,
  type EntryState,
  type Fields,
} from './entry-state.ts'
import { runTemplate, TemplateProblem } from './template.ts'
import { matches } from './text-match.ts'

export function formatLine(template: string, state: EntryState): EntryState {
  return fromTemplate(template, state, visibleLabels(state), (line) => ({ ...state, line }))
}

/** All templates see the labels as they are at the first of them. */
export function formatLabels(formats: readonly LabelFormat[], state: EntryState): EntryState {
  let now = state
  let snapshot: Fields | undefined
  for (const format of formats) {
    if (format.kind === 'rename') {
      now = rename(now, format.source, format.target)
      continue
    }
    const before = now
    snapshot ??= visibleLabels(now)
    now = fromTemplate(format.template, before, snapshot, (value) => withParsed(before, format.target, value))
  }
  return now
}

function rename(state: EntryState, source: string, target: string): EntryState {
  const value = labelOf(state, source)
  if (value === undefined) return state
  const renamed = withParsed(state, target, value)
  return source === target ? renamed : withoutLabel(renamed, source)
}

function fromTemplate(
  template: string,
  state: EntryState,
  labels: Fields,
  accept: (output: string) => EntryState,
): EntryState {
  try {
    return accept(runTemplate(template, { labels, line: state.line, timeNs: state.timeNs }))
  } catch (error) {
    if (!(error instanceof TemplateProblem)) throw error
    return withError(state, 'TemplateFormatErr')
  }
}

export function dropLabels(choices: readonly LabelChoice[], state: EntryState): EntryState {
  return choices.reduce((now, choice) => {
    const isMeant = choice.kind === 'name' || matches(choice, labelOf(now, choice.name) ?? '')
    return isMeant ? withoutLabel(now, choice.name) : now
  }, state)
}

/** Errors are always kept. */
export function keepLabels(choices: readonly LabelChoice[], state: EntryState): EntryState {
  const isKept = (name: string, value: string): boolean =>
    name === '__error__' ||
    choices.some((choice) => choice.name === name && (choice.kind === 'name' || matches(choice, value)))
  return Object.entries(visibleLabels(state)).reduce(
    (now, [name, value]) => (isKept(name, value) ? now : withoutLabel(now, name)),
    state,
  )
}
