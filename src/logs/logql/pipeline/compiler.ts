/** What a stage may ask while it is compiled. */
import type { NeededLabels } from './row.ts'

/** What changes between jobs. */
export type PipelineContext = {
  /** The current time as templates see it. */
  nowNs: bigint
  /** @throws when nobody waits for the result any more; stages that may take long for one row call it. */
  check: () => void
}

export interface RegexCompiler {
  /** A regular expression in RE2's language, anchored at both ends for label matchers. No pattern can hang the thread. */
  regex(pattern: string, options: { readonly anchored: boolean }): TextMatcher
}

export interface StageCompiler extends RegexCompiler {
  /** Labels that anything behind this stage reads; parsers extract only these in metric queries. */
  readonly needed: NeededLabels
  readonly context: PipelineContext
}

export interface TextMatcher {
  test(text: string): boolean
}
