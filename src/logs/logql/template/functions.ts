/** The table of template functions. Arguments come evaluated; their number and types were checked against ./signatures.ts. */
import { builtinFunctions } from './builtin-functions.ts'
import { numberFunctions } from './number-functions.ts'
import { regexFunctions } from './regex-functions.ts'
import { textFunctions } from './text-functions.ts'
import { timeFunctions } from './time-functions.ts'
import type { Value, ValueMap } from './values.ts'
import type { Zone } from './zones.ts'

/** What a template sees: an entry, or an alert. */
export interface TemplateData {
  /** Value of a label, or of another field at the root; undefined when missing. */
  label(name: string): Value
  /** All labels, for templates that use the whole map. */
  labels(): ValueMap
  line(): string
  /** Nanoseconds since the epoch. */
  timestampNs(): bigint
  /** The current time, equal for all entries of a query. */
  nowNs(): bigint
  /** The server's own time zone. */
  zone(): Zone
}

export interface FunctionContext {
  readonly data: TemplateData
  /** Counts work beyond that of reading the arguments. @throws TemplateFailure when it is too much. */
  spend(steps: number): void
}

/** @throws TemplateFailure */
// oxlint-disable-next-line typescript/no-explicit-any
export type TemplateFunction = (args: readonly any[], context: FunctionContext) => Value

export const functions: Readonly<Record<string, TemplateFunction>> = {
  ...builtinFunctions,
  ...textFunctions,
  ...regexFunctions,
  ...numberFunctions,
  ...timeFunctions,
}
