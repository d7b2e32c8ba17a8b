/** `| drop a, b="x"` and `| keep a, b="x"`: which labels an entry goes on with. */
import { internText } from '#/kernel/intern.ts'
import type { LabelChoice } from '#/logs/logql/ast/stage-nodes.ts'
import type { RegexCompiler } from './compiler.ts'
import type { Row, RowStage } from './row.ts'
import { ERROR_DETAILS_LABEL, ERROR_LABEL } from './stream-view.ts'
import { compileTextMatch, type TextMatch } from './text-match.ts'

const alwaysKept = new Set([ERROR_LABEL, ERROR_DETAILS_LABEL, '__preserve_error__'])

type CompiledChoice = { readonly name: string; readonly matches: TextMatch | undefined }

export function compileDrop(choices: readonly LabelChoice[], compiler: RegexCompiler): RowStage {
  const compiled = compileChoices(choices, compiler)
  return (row) => {
    for (const { name, matches } of compiled) if (!matches || matches(row.get(name) ?? '')) row.remove(name)
    return true
  }
}

export function compileKeep(choices: readonly LabelChoice[], compiler: RegexCompiler): RowStage {
  const compiled = compileChoices(choices, compiler)
  const isKept = (row: Row, name: string): boolean => {
    for (const choice of compiled) {
      if (choice.name === name && (!choice.matches || choice.matches(row.get(name) ?? ''))) return true
    }
    return alwaysKept.has(name)
  }
  return (row) => {
    row.removeExcept(isKept)
    return true
  }
}

function compileChoices(choices: readonly LabelChoice[], compiler: RegexCompiler): CompiledChoice[] {
  return choices.map((choice) => ({
    name: internText(choice.name),
    matches: choice.kind === 'matcher' ? compileTextMatch(choice.op, choice.value, compiler) : undefined,
  }))
}
