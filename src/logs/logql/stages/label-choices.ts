/** The list behind `drop` and `keep`: label names and matchers. */
import { printMatcher } from '#/logs/logql/ast/literals.ts'
import type { MatchOp } from '#/logs/logql/ast/matcher.ts'
import type { LabelChoice } from '#/logs/logql/ast/stage-nodes.ts'
import { regexProblem } from './regex-problem.ts'
import type { StageCursor } from './stage.ts'

export function parseChoices(cursor: StageCursor): LabelChoice[] {
  const choices = [parseChoice(cursor)]
  while (cursor.accept(',')) choices.push(parseChoice(cursor))
  return choices
}

function parseChoice(cursor: StageCursor): LabelChoice {
  const name = cursor.expect('IDENTIFIER').text
  for (const op of ['=', '!=', '=~', '!~'] as const satisfies readonly MatchOp[]) {
    if (cursor.accept(op)) return { kind: 'matcher', name, op, value: cursor.expect('STRING').text }
  }
  return { kind: 'name', name }
}

export function printChoices(choices: readonly LabelChoice[]): string {
  return choices.map((choice) => (choice.kind === 'name' ? choice.name : printMatcher(choice))).join(', ')
}

/** The first bad regular expression. */
export function choicesProblem(choices: readonly LabelChoice[]): string | undefined {
  for (const choice of choices) {
    if (choice.kind === 'name' || (choice.op !== '=~' && choice.op !== '!~')) continue
    const problem = regexProblem(choice.value)
    if (problem !== undefined) return problem
  }
  return undefined
}

/** Labels whose values decide. */
export function choiceNeeds(choices: readonly LabelChoice[]): string[] {
  return choices.flatMap((choice) => (choice.kind === 'matcher' ? [choice.name] : []))
}
