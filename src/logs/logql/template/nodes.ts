/** The tree of a template. Names of functions and variables are known to exist. */
import type { Value } from './values.ts'

export type TemplateNode =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'action'; readonly pipe: Pipe }
  | {
      readonly kind: 'if' | 'with' | 'range'
      readonly pipe: Pipe
      readonly body: readonly TemplateNode[]
      readonly orElse: readonly TemplateNode[]
    }
  | { readonly kind: 'template'; readonly name: string; readonly pipe: Pipe | undefined }
  | { readonly kind: 'break' }
  | { readonly kind: 'continue' }

/** `$a, $b := command | command`; `isAssignment`: `=` instead of `:=`. */
export type Pipe = {
  readonly variables: readonly string[]
  readonly isAssignment: boolean
  readonly commands: readonly Command[]
}

/** A function with its arguments, or one operand. */
export type Command = readonly Operand[]

/** `path`: field names behind it, `$x.a.b`. */
export type Operand =
  | { readonly kind: 'literal'; readonly value: Value }
  | { readonly kind: 'dot'; readonly path: readonly string[] }
  | { readonly kind: 'variable'; readonly name: string; readonly path: readonly string[] }
  | { readonly kind: 'function'; readonly name: string; readonly path: readonly string[] }
  | { readonly kind: 'pipe'; readonly pipe: Pipe; readonly path: readonly string[] }

export type Template = {
  readonly body: readonly TemplateNode[]
  /** What `define` and `block` made. */
  readonly named: ReadonlyMap<string, readonly TemplateNode[]>
}
