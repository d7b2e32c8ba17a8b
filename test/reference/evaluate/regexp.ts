/** `| regexp "(?P<method>\\w+)"`: named groups of the first match. */
import { compileRegex } from '#/platform/regex/compile.ts'
import { Extraction, type EntryState, type Needed } from './entry-state.ts'

export function runRegexp(pattern: string, state: EntryState, needed: Needed): EntryState {
  const regex = compileRegex(pattern, { anchored: false })
  const match = regex.exec(state.line)
  const extraction = new Extraction(state, needed)
  if (match === undefined) return state
  for (const [index, name] of regex.groupNames.entries()) {
    if (name !== undefined) extraction.add(name, match.groups[index + 1] ?? '')
  }
  return extraction.state
}
