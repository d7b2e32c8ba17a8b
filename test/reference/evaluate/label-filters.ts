/** `| status >= 500 and method = "GET"`. */
import type { CompareOp, LabelPredicate } from '#/logs/logql/ast/stage-nodes.ts'
import { toBytes, toDuration, toNumber } from './conversions.ts'
import { labelOf, withError, type EntryState } from './entry-state.ts'
import { hasIp } from './ip-addresses.ts'
import { matches } from './text-match.ts'

type Verdict = { readonly state: EntryState; readonly passes: boolean }

/** The state behind the filter, as filters may set an error; undefined when the entry is dropped. */
export function runLabelFilter(predicate: LabelPredicate, state: EntryState): EntryState | undefined {
  const verdict = judge(predicate, state)
  return verdict.passes ? verdict.state : undefined
}

function judge(predicate: LabelPredicate, state: EntryState): Verdict {
  switch (predicate.kind) {
    case 'and': {
      let verdict: Verdict = { state, passes: true }
      for (const term of predicate.terms) {
        const next = judge(term, verdict.state)
        verdict = { state: next.state, passes: verdict.passes && next.passes }
      }
      return verdict
    }
    case 'or': {
      let verdict: Verdict = { state, passes: false }
      for (const term of predicate.terms) {
        verdict = judge(term, verdict.state)
        if (verdict.passes) return verdict
      }
      return verdict
    }
    case 'text':
      return { state, passes: matches(predicate, labelOf(state, predicate.name) ?? '') }
    case 'in':
      return { state, passes: (predicate.values ?? []).includes(labelOf(state, predicate.name) ?? '') }
    case 'ip': {
      const text = labelOf(state, predicate.name)
      const isFound = text !== undefined && hasIp(text, predicate.pattern)
      return { state, passes: state.error !== '' || (text !== undefined && isFound === (predicate.op === '=')) }
    }
    case 'number':
      return judgeNumber(predicate, toNumber, state)
    case 'duration':
      return judgeNumber(predicate, toDuration, state)
    case 'bytes':
      return judgeNumber(predicate, toBytes, state)
  }
}

/** An entry with an error passes; one without the label does not; one whose label is no number passes with an error. */
function judgeNumber(
  { name, op, value }: { readonly name: string; readonly op: CompareOp; readonly value: number },
  convert: (text: string) => number | undefined,
  state: EntryState,
): Verdict {
  if (state.error !== '') return { state, passes: true }
  const text = labelOf(state, name)
  if (text === undefined) return { state, passes: false }
  const number = convert(text)
  if (number === undefined) return { state: withError(state, 'LabelFilterErr'), passes: true }
  return { state, passes: compareNumbers(op, number, value) }
}

export function compareNumbers(op: CompareOp, a: number, b: number): boolean {
  switch (op) {
    case '==':
      return a === b
    case '!=':
      return a !== b
    case '<':
      return a < b
    case '<=':
      return a <= b
    case '>':
      return a > b
    case '>=':
      return a >= b
  }
}
