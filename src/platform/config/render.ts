/** Shows configurations: the effective one as YAML, all options as a reference in Markdown, all flags as help. */
import { stringify } from 'yaml'

import { type Option, type Section, type ValuesOf, defaultsOf, isOption } from './option.ts'
import { entryOf, flagOf, joinPath, listOptions, variableOf } from './option-paths.ts'

const mask = '********'

/** `diff` shows what is not as by default. */
export type RenderMode = 'full' | 'diff' | 'defaults'

/** The values as YAML that `loadConfig` reads, but for secrets. */
export function renderConfig<S extends Section>(sections: S, values: ValuesOf<S>, mode: RenderMode): string {
  const defaults = defaultsOf(sections)
  const tree = toTree(sections, mode === 'defaults' ? defaults : values, mode === 'diff' ? defaults : undefined)
  return Object.keys(tree).length === 0 ? '{}\n' : stringify(tree, { lineWidth: 0, aliasDuplicateObjects: false })
}

type Values = Readonly<Record<string, unknown>>

/** Values of a section as plain data, as they stand in YAML. `values` may hold more than the section. */
export function plainValues(section: Section, values: unknown): Readonly<Record<string, unknown>> {
  return toTree(section, values, undefined)
}

/** Plain data of a section; without what equals `base`, if there is one. */
function toTree(section: Section, values: unknown, base: unknown): Values {
  const entries: [string, unknown][] = []
  for (const key of Object.keys(section)) {
    const entry = entryOf(section, key)
    const value = (values as Values)[key]
    const baseValue = (base as Values | undefined)?.[key]
    if (entry === undefined) continue
    if (isOption(entry)) {
      if (base === undefined || !isSame(entry, value, baseValue)) entries.push([key, shown(entry, value)])
      continue
    }
    const tree = toTree(entry, value, baseValue)
    if (base === undefined || Object.keys(tree).length > 0) entries.push([key, tree])
  }
  return Object.fromEntries(entries)
}

function shown(option: Option<unknown>, value: unknown): unknown {
  const text = option.format(value)
  return option.isSecret && text !== '' ? mask : text
}

function isSame(option: Option<unknown>, a: unknown, b: unknown): boolean {
  return JSON.stringify(option.format(a)) === JSON.stringify(option.format(b))
}

/** One table for each section, with every name of every option. */
export function renderReference(sections: Section): string {
  const top = Object.keys(sections).filter((key) => isLeaf(sections, key))
  const parts = Object.keys(sections).filter((key) => !isLeaf(sections, key))
  const tables = parts.map((key) => `## ${key}\n\n${renderTable(entryOf(sections, key) as Section, key)}`)
  const topSection = Object.fromEntries(top.map((key) => [key, entryOf(sections, key)])) as Section
  return [...(top.length === 0 ? [] : [`## Top level\n\n${renderTable(topSection, '')}`]), ...tables].join('\n')
}

function isLeaf(section: Section, key: string): boolean {
  const entry = entryOf(section, key)
  return entry !== undefined && isOption(entry)
}

function renderTable(section: Section, parent: string): string {
  const rows = listOptions(section).map(({ path, option }) => {
    const full = joinPath(parent, path)
    const names = [`\`${path}\``, `\`-${flagOf(full)}\``, `\`${variableOf(full)}\``]
    return `| ${[...names, escapeCell(option.type), `\`${defaultText(option)}\``, escapeCell(option.doc)].join(' | ')} |`
  })
  return ['| Key | Flag | Variable | Type | Default | Meaning |', '|---|---|---|---|---|---|', ...rows, ''].join('\n')
}

const escapeCell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ')

function defaultText(option: Option<unknown>): string {
  const value = option.format(option.default)
  if (value === '') return '""'
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** All flags as Go programs print them. */
export function renderHelp(...sections: readonly Section[]): string {
  const flags = sections.flatMap((section) => listOptions(section))
  const lines = flags
    .toSorted((a, b) => (a.path < b.path ? -1 : 1))
    .map(({ path, option }) => {
      const type = option.type === 'bool' ? '' : ` ${option.type}`
      const isPlain = option.default === '' || option.default === false
      const note = isPlain ? '' : ` (default ${defaultText(option)})`
      return `  -${flagOf(path)}${type}\n    \t${option.doc}${note}`
    })
  return `${lines.join('\n')}\n`
}
