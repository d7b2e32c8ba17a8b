/**
 * Which identities (label sets) exist, by ordinal. A head grows one as streams arrive; a block carries one, sealed.
 */
import type { CodedLabels } from './coded-labels.ts'
import type { Codes, NameValues } from './name-column.ts'
import type { SharedTexts } from './shared-texts.ts'
import type { StreamGroups } from './stream-groups.ts'

/** Name and value. */
export type Label = readonly [name: string, value: string]
/** Sorted by name, names unique, no empty values. */
export type Labels = readonly Label[]

/** A condition on one label; a missing label has the value ''. It is asked once per distinct value, never per stream. */
export type LabelMatcher = {
  readonly name: string
  readonly matches: (value: string) => boolean
  /** The one value, not empty, for which it holds, where there is but one. */
  readonly equals?: string | undefined
}

/** Labels of these names (undefined: all) of these streams (undefined: all). */
export type ChosenLabels = {
  readonly names?: ReadonlySet<string> | undefined
  readonly ordinals?: Uint32Array | undefined
  /** Whether streams keep their ordinals, and all others have no labels; else their numbers are their places in `ordinals`. */
  readonly keepsOrdinals?: boolean
}

/** Who has which value of a name: 0 for none, else 1 + the position of the value. */
export type LabelColumn = { readonly name: string; readonly codes: Codes; readonly values: NameValues }

export interface LabelIndex {
  /** Ordinals are 0 … count - 1. */
  readonly count: number
  labels(ordinal: number): Labels
  /** Canonical text `{a="b", c="d"}`. */
  text(ordinal: number): string
  /** The texts of all streams that there are now, of an index that has them in shared memory. */
  sharedTexts?(): SharedTexts
  /** Ordinals for which all matchers hold, ascending. No matchers: all. */
  match(matchers: readonly LabelMatcher[]): Uint32Array
  /** Distinct names among `ordinals` (all when undefined), sorted. */
  names(ordinals: Uint32Array | undefined): readonly string[]
  /** Distinct values of `name` among `ordinals` (all when undefined), sorted; streams without the label do not count. */
  values(name: string, ordinals: Uint32Array | undefined): readonly string[]
  /** The labels of all streams that there are now. A call without growth in between returns the same object. */
  coded(): CodedLabels
  /** The same of some labels, of an index that has them by name: far less than all of a large one. */
  codedOf?(chosen: ChosenLabels): CodedLabels
  /** The labels of `ordinals` (all when undefined) name by name, ascending, of an index that has them so. */
  columnsOf?(ordinals: Uint32Array | undefined): readonly LabelColumn[]
  /** All streams grouped by their labels of these names, of an index that has them by name. */
  groupsOf?(names: ReadonlySet<string>): StreamGroups
}
