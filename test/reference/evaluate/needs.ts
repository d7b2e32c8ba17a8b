/**
 * Which labels something behind a stage reads. Metric queries that keep only some labels let their parsers look for these and no
 * others, which shows in two ways: a parser that nobody reads never fails, and one that has found everything reads no further.
 */
import type { LabelPredicate, RowStageNode } from '#/logs/logql/ast/stage-nodes.ts'
import type { Needed } from './entry-state.ts'
import { templateLabels } from './template.ts'

/** `atEnd` are the labels that are read of the entries which leave the pipeline. */
export function neededBehind(stages: readonly RowStageNode[], position: number, atEnd: Needed): Needed {
  if (atEnd === 'all') return 'all'
  return new Set([...atEnd, ...stages.slice(position + 1).flatMap(namesOf)])
}

function namesOf(stage: RowStageNode): string[] {
  switch (stage.kind) {
    case 'label_filter':
      return predicateNames(stage.filter)
    case 'drop':
    case 'keep':
      return stage.choices.flatMap((choice) => (choice.kind === 'matcher' ? [choice.name] : []))
    case 'label_format':
      return stage.formats.flatMap((format) =>
        format.kind === 'rename' ? [format.source] : templateLabels(format.template),
      )
    case 'line_format':
      return templateLabels(stage.template)
    case 'line_filter':
    case 'json':
    case 'logfmt':
    case 'regexp':
    case 'pattern':
    case 'unpack':
    case 'decolorize':
      return []
  }
}

export function predicateNames(predicate: LabelPredicate): string[] {
  return predicate.kind === 'and' || predicate.kind === 'or'
    ? predicate.terms.flatMap(predicateNames)
    : [predicate.name]
}
