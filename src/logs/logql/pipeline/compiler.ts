/** What a stage may ask while it is compiled. */
import type { NeededLabels } from './row.ts'

export interface StageCompiler {
  /** Labels that anything behind this stage reads; parsers extract only these in metric queries. */
  readonly needed: NeededLabels
  /** A regular expression in RE2's language, anchored at both ends for label matchers. No pattern can hang the thread. */
  regex(pattern: string, options: { readonly anchored: boolean }): TextMatcher
}

export interface TextMatcher {
  test(text: string): boolean
}
