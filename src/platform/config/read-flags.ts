/** Reads a command line in Go's manner: `-x v`, `-x=v`, `--x=v`, `-switch`, `-switch=false`; lists with commas or repeated. */
import { parse as parseYaml } from 'yaml'

import { nearestName } from './nearest-name.ts'
import type { Option } from './option.ts'
import { type NamedOption, flagOf, indexOptions } from './option-paths.ts'
import { type ForeignKey, findForeign, reasonOf } from './read-yaml.ts'

export type FlagContext = {
  readonly options: readonly NamedOption[]
  /** Other names of flags → paths of options. */
  readonly aliases: Readonly<Record<string, string>>
  readonly foreignKeys: readonly ForeignKey[]
  readonly onProblem: (message: string) => void
  readonly onForeign: (key: ForeignKey, where: string) => void
  readonly onValue: (path: string, value: unknown, where: string) => void
}

export function readFlags(argv: readonly string[], context: FlagContext): void {
  const byFlag = indexOptions(context.options, flagOf)
  const byPath = new Map(context.options.map((named) => [named.path, named]))
  const lists = new Map<string, unknown[]>()
  const rest = [...argv]
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    const match = /^--?([^-=][^=]*)(?:=(.*))?$/s.exec(word)
    if (match === null) {
      context.onProblem(`unexpected argument '${word}'`)
      continue
    }
    const [, name = '', inline] = match
    const named = byFlag.get(name) ?? byPath.get(context.aliases[name] ?? '')
    if (named === undefined) {
      readUnknown(name, inline, rest, byFlag, context)
      continue
    }
    const isSwitch = named.option.type === 'bool'
    const value = inline ?? (isSwitch ? 'true' : rest.shift())
    if (value === undefined) context.onProblem(`flag needs an argument: -${name}`)
    else readValue({ ...named, where: `flag -${name}`, value }, lists, context)
  }
}

type FlagValue = NamedOption & { readonly where: string; readonly value: string }

function readValue(flag: FlagValue, lists: Map<string, unknown[]>, context: FlagContext): void {
  const { option, path, where } = flag
  try {
    const parsed = option.parse(textData(option, flag.value))
    if (option.type !== 'list') return context.onValue(path, parsed, where)
    const list = [...(lists.get(path) ?? []), ...(parsed as unknown[])]
    lists.set(path, list)
    context.onValue(path, list, where)
  } catch (error) {
    context.onProblem(`${where}: ${reasonOf(option, error)}`)
  }
}

/** What `parse` gets from the text of a flag or variable. */
export function textData(option: Option<unknown>, text: string): unknown {
  return option.isStructured ? (parseYaml(text) as unknown) : text
}

function readUnknown(
  name: string,
  inline: string | undefined,
  rest: string[],
  byFlag: ReadonlyMap<string, NamedOption>,
  context: FlagContext,
): void {
  const foreign = findForeign(context.aliases[name] ?? name.replaceAll('-', '_'), context.foreignKeys)
  if (foreign === undefined) {
    const near = nearestName(name, [...byFlag.keys(), ...Object.keys(context.aliases)])
    const hint = near === undefined ? '' : `, did you mean -${near}?`
    context.onProblem(`flag provided but not defined: -${name}${hint}`)
    return
  }
  context.onForeign(foreign, `flag -${name}`)
  // whether it is a switch is not known here; what follows is its value unless it looks like a flag
  if (inline === undefined && rest[0] !== undefined && !rest[0].startsWith('-')) rest.shift()
}
