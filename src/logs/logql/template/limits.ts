/** What the execution of a template may take; beyond, it fails. */
export const LIMITS = {
  /** Longest output in UTF-16 units. */
  output: 1 << 20,
  /** Nodes, functions and rounds of loops; reading or making 64 characters of text counts as one more. */
  steps: 100_000,
  /** Templates calling templates. */
  calls: 100,
  /** Blocks in blocks, over all calls: the stack is not endless. */
  depth: 500,
} as const
