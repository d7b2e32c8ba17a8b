/** The syntax tree of an RE2 regular expression: flags are resolved, classes are ranges of runes. */
import type { Ranges } from './re2-classes.ts'

export type Re2Node =
  | { readonly op: 'empty' }
  /** At least one rune. `fold`: equal but for case; only set when at least one rune has a case. */
  | { readonly op: 'literal'; readonly text: string; readonly fold: boolean }
  | { readonly op: 'class'; readonly ranges: Ranges }
  /** `.`; `newline` says whether it matches \n too. */
  | { readonly op: 'any'; readonly newline: boolean }
  | { readonly op: Re2Assertion }
  /** `index` counts from 1; `name` is undefined for a plain group. */
  | { readonly op: 'capture'; readonly index: number; readonly name: string | undefined; readonly sub: Re2Node }
  /** `max` is Infinity when there is none. */
  | { readonly op: 'repeat'; readonly sub: Re2Node; readonly min: number; readonly max: number; readonly lazy: boolean }
  | { readonly op: 'concat'; readonly subs: readonly Re2Node[] }
  | { readonly op: 'alternate'; readonly subs: readonly Re2Node[] }

export type Re2Assertion = 'begin_text' | 'end_text' | 'begin_line' | 'end_line' | 'word_boundary' | 'no_word_boundary'

export type Re2 = {
  readonly root: Re2Node
  /** The pattern with plain groups in place of named ones: for engines that refuse a name that occurs twice. */
  readonly anonymous: string
  /** Name of each capturing group, from group 1 on; Go allows a name more than once. */
  readonly groupNames: readonly (string | undefined)[]
}

const assertions: ReadonlySet<string> = new Set<Re2Assertion>([
  'begin_text',
  'end_text',
  'begin_line',
  'end_line',
  'word_boundary',
  'no_word_boundary',
])

export function isAssertion(node: Re2Node): boolean {
  return assertions.has(node.op)
}

/** The nodes directly below. */
export function childrenOf(node: Re2Node): readonly Re2Node[] {
  if (node.op === 'capture' || node.op === 'repeat') return [node.sub]
  return node.op === 'concat' || node.op === 'alternate' ? node.subs : []
}

/** Whether `test` holds for the node or for one below it. */
export function someNode(node: Re2Node, test: (node: Re2Node) => boolean): boolean {
  return test(node) || childrenOf(node).some((child) => someNode(child, test))
}
