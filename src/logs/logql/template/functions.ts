/** The table of template functions. Arguments come evaluated; their number was checked. */
import { builtinFunctions } from './builtin-functions.ts'
import { numberFunctions } from './number-functions.ts'
import { textFunctions } from './text-functions.ts'
import { timeFunctions } from './time-functions.ts'
import type { Value } from './values.ts'

/** @throws TemplateFailure */
export type TemplateFunction = (args: readonly Value[]) => Value

export const functions: Readonly<Record<string, TemplateFunction>> = {
  ...builtinFunctions,
  ...textFunctions,
  ...numberFunctions,
  ...timeFunctions,
}

/** Functions that the execution itself knows, because they need the entry or must not evaluate all arguments. */
export const lazyFunctions: ReadonlySet<string> = new Set(['and', 'or', '__line__', '__timestamp__'])
