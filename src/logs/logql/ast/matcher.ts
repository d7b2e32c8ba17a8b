/** What all nodes are made of: places in the text, matchers, and the head of a stage. */

/** Half-open range of the query text that a node came from, in UTF-16 units. */
export type SourceRange = { readonly start: number; readonly end: number }

export type MatchOp = '=' | '!=' | '=~' | '!~'
/** Regular expressions are anchored at both ends; a missing label has the empty value. */
export type Matcher = { readonly name: string; readonly op: MatchOp; readonly value: string }

/** What every pipeline stage node has; `kind` is the stage's key in the table of stages. */
export type StageBase = { readonly kind: string; readonly at: SourceRange }
