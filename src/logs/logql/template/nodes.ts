/**
 * The tree of a template. Names of functions are known to exist, and so are variables but for those that are only assigned.
 * `at` is the place in the template's text that errors name, as Go counts it.
 */
import type { Signature } from './signatures.ts'
import type { Value } from './values.ts'

export type TemplateNode =
  | { readonly kind: 'text'; readonly text: string; readonly at: number }
  | { readonly kind: 'action'; readonly pipe: Pipe; readonly at: number }
  | BranchNode
  | { readonly kind: 'template'; readonly name: string; readonly pipe: Pipe | undefined; readonly at: number }
  | { readonly kind: 'break'; readonly at: number }
  | { readonly kind: 'continue'; readonly at: number }

export type BranchNode = {
  readonly kind: 'if' | 'with' | 'range'
  readonly pipe: Pipe
  readonly body: readonly TemplateNode[]
  readonly orElse: readonly TemplateNode[]
  readonly at: number
}

/** `$a, $b := command | command`; `isAssignment`: `=` instead of `:=`. */
export type Pipe = {
  readonly variables: readonly string[]
  readonly isAssignment: boolean
  readonly commands: readonly Command[]
  readonly at: number
}

/** A function with its arguments, or one operand. */
export type Command = readonly Operand[]

/** `path`: field names behind it, `$x.a.b`. */
export type Operand =
  | { readonly kind: 'literal'; readonly value: Value; readonly source: string; readonly at: number }
  | { readonly kind: 'dot'; readonly path: readonly string[]; readonly at: number }
  | { readonly kind: 'variable'; readonly name: string; readonly path: readonly string[]; readonly at: number }
  | FunctionOperand
  | { readonly kind: 'pipe'; readonly pipe: Pipe; readonly path: readonly string[]; readonly at: number }

export type FunctionOperand = {
  readonly kind: 'function'
  readonly name: string
  readonly path: readonly string[]
  readonly at: number
}

export type Template = {
  /** As errors call it. */
  readonly name: string
  readonly text: string
  readonly body: readonly TemplateNode[]
  /** What `define` and `block` made. */
  readonly named: ReadonlyMap<string, readonly TemplateNode[]>
  /** The functions that it may call. */
  readonly signatures: Readonly<Record<string, Signature>>
}
