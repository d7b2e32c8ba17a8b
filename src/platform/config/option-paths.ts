/** The names of options: `server.http_listen_port` in YAML, `-server.http-listen-port`, `EDDA_SERVER_HTTP_LISTEN_PORT`. */
import { assert } from '#/kernel/assert.ts'
import { type Option, type Section, type ValuesOf, isOption } from './option.ts'

export type NamedOption = { readonly path: string; readonly option: Option<unknown> }

/** Values that were set, by path. */
export type SetValues = ReadonlyMap<string, unknown>

export const joinPath = (parent: string, key: string): string => (parent === '' ? key : `${parent}.${key}`)
export const flagOf = (path: string): string => path.replaceAll('_', '-')
export const variableOf = (path: string): string => `EDDA_${path.replaceAll('.', '_').toUpperCase()}`

/** An entry of a section, whichever it is. */
export function entryOf(section: Section, key: string): Option<unknown> | Section | undefined {
  return Object.hasOwn(section, key) ? (section[key] as Option<unknown> | Section) : undefined
}

/** All options of a section and the sections in it, in the order of their declaration. */
export function listOptions(section: Section, parent = ''): NamedOption[] {
  return Object.keys(section).flatMap((key) => {
    const entry = entryOf(section, key)
    const path = joinPath(parent, key)
    if (entry === undefined) return []
    return isOption(entry) ? [{ path, option: entry }] : listOptions(entry, path)
  })
}

/** Options by name. @throws AssertionFailed when two have the same name. */
export function indexOptions(
  options: readonly NamedOption[],
  nameOf: (path: string) => string,
): ReadonlyMap<string, NamedOption> {
  const index = new Map<string, NamedOption>()
  for (const named of options) {
    const name = nameOf(named.path)
    assert(!index.has(name), `options ${index.get(name)?.path} and ${named.path} do not share the name ${name}`)
    index.set(name, named)
  }
  return index
}

/** The typed values: what is set, else what `base` has. */
export function valuesWith<S extends Section>(section: S, base: ValuesOf<S>, set: SetValues, parent = ''): ValuesOf<S> {
  const entries = Object.keys(section).map((key) => {
    const entry = entryOf(section, key)
    const path = joinPath(parent, key)
    const fallback = (base as Record<string, unknown>)[key]
    if (entry === undefined || isOption(entry)) return [key, set.has(path) ? set.get(path) : fallback]
    return [key, valuesWith(entry, fallback as ValuesOf<Section>, set, path)]
  })
  return Object.fromEntries(entries) as ValuesOf<S>
}
