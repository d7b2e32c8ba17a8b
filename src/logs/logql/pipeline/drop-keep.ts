/** `| drop a, b="x"` and `| keep a, b="x"`: which labels an entry goes on with. */
import type { LabelChoice } from '#/logs/logql/ast/stage-nodes.ts'
import type { StageCompiler } from './compiler.ts'
import type { RowStage } from './row.ts'
import { ERROR_DETAILS_LABEL, ERROR_LABEL } from './stream-view.ts'
import { compileTextMatch, type TextMatch } from './text-match.ts'

const alwaysKept = new Set([ERROR_LABEL, ERROR_DETAILS_LABEL, '__preserve_error__'])

type CompiledChoice = { readonly name: string; readonly matches: TextMatch | undefined }

export function compileDrop(choices: readonly LabelChoice[], compiler: StageCompiler): RowStage {
  const compiled = compileChoices(choices, compiler)
  return (row) => {
    for (const { name, matches } of compiled) if (!matches || matches(row.get(name) ?? '')) row.remove(name)
    return true
  }
}

export function compileKeep(choices: readonly LabelChoice[], compiler: StageCompiler): RowStage {
  const compiled = compileChoices(choices, compiler)
  return (row) => {
    const dropped: string[] = []
    row.forEachLabel((name, value) => {
      if (alwaysKept.has(name)) return
      const isKept = compiled.some((choice) => choice.name === name && (!choice.matches || choice.matches(value)))
      if (!isKept) dropped.push(name)
    })
    for (const name of dropped) row.remove(name)
    return true
  }
}

function compileChoices(choices: readonly LabelChoice[], compiler: StageCompiler): CompiledChoice[] {
  return choices.map((choice) => ({
    name: choice.name,
    matches: choice.kind === 'matcher' ? compileTextMatch(choice.op, choice.value, compiler) : undefined,
  }))
}
