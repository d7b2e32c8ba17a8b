/**
 * Puts a configuration together: defaults, then the file, then the environment, then flags; later ones win. Derived defaults come
 * last and only where nothing was set.
 */
import { ConfigError } from './config-error.ts'
import { expandVariables, type Variables } from './expand-variables.ts'
import { nearestName } from './nearest-name.ts'
import { type Section, type ValuesOf, defaultsOf } from './option.ts'
import { type NamedOption, indexOptions, listOptions, valuesWith, variableOf } from './option-paths.ts'
import { processFlags } from './process-flags.ts'
import { readFlags, textData } from './read-flags.ts'
import { type ForeignKey, findForeign, parseYaml, readSection, reasonOf } from './read-yaml.ts'

export type ConfigInputs<S extends Section, P extends Section> = {
  /** Without the names of the program and the script. */
  readonly argv: readonly string[]
  readonly env: Variables
  /** Gives the text of a file. @throws an error with `code: 'ENOENT'` when it is not there. */
  readonly readFile: (path: string) => Promise<string>
  /** Flags that are not part of the file, besides those in ./process-flags.ts. */
  readonly extraFlags?: P
  /** Other names of flags → paths of options. */
  readonly flagAliases?: Readonly<Record<string, string>>
  readonly foreignKeys?: readonly ForeignKey[]
  /**
   * Values by path that follow from others, e.g. directories from a common prefix; each counts only when its path is not set.
   * `isSet` is also true for a section in which something is set.
   */
  readonly derive?: (values: ValuesOf<S>, isSet: (path: string) => boolean) => Readonly<Record<string, unknown>>
  /** What is wrong with the whole, after everything was read. */
  readonly check?: (values: ValuesOf<S>) => readonly string[]
}

export type LoadedConfig<S extends Section, P extends Section> = {
  readonly values: ValuesOf<S>
  /** Values of the flags that are not part of the file. */
  readonly flags: ValuesOf<typeof processFlags> & ValuesOf<P>
  /** Where a value comes from, by path: `edda.yaml:12`, `flag -target`, `EDDA_TARGET`, `derived`; defaults are not in it. */
  readonly origins: ReadonlyMap<string, string>
  readonly warnings: readonly string[]
  /** The file that was read, if any. */
  readonly file: string | undefined
}

/** @throws ConfigError with everything that is wrong. */
export async function loadConfig<S extends Section, const P extends Section = Record<never, never>>(
  sections: S,
  inputs: ConfigInputs<S, P>,
): Promise<LoadedConfig<S, P>> {
  const reading = new Reading(listOptions(sections), inputs.foreignKeys ?? [])
  const extra = { ...processFlags, ...inputs.extraFlags } as typeof processFlags & P
  const extraSet = readCommandLine(extra, inputs, reading)
  // a wrong command line is reported alone: it may name another file
  if (reading.problems.length > 0) throw new ConfigError(reading.problems, 2)
  const flags = valuesWith<Section>(extra, defaultsOf<Section>(extra), extraSet) as LoadedConfig<S, P>['flags']
  const file = await readConfigFile(
    sections,
    { path: flags['config.file'], isExplicit: extraSet.has('config.file') },
    inputs,
    reading,
  )
  readEnvironment(inputs.env, reading)
  const values = finish(sections, inputs, reading)
  if (reading.problems.length > 0) throw new ConfigError(reading.problems)
  return { values, flags, origins: reading.origins(), warnings: reading.warnings, file }
}

type Layer = 'file' | 'environment' | 'flags' | 'derived'
type Found = { readonly value: unknown; readonly where: string }

/** What was read so far: values by layer, and what is to be said about them. */
class Reading {
  readonly options: readonly NamedOption[]
  readonly foreignKeys: readonly ForeignKey[]
  readonly problems: string[] = []
  readonly warnings: string[] = []
  readonly #layers: Readonly<Record<Layer, Map<string, Found>>> = {
    derived: new Map(),
    file: new Map(),
    environment: new Map(),
    flags: new Map(),
  }
  readonly #warned = new Set<ForeignKey>()

  constructor(options: readonly NamedOption[], foreignKeys: readonly ForeignKey[]) {
    this.options = options
    this.foreignKeys = foreignKeys
  }

  readonly onProblem = (message: string): void => void this.problems.push(message)

  /** Warns once for each key, wherever and however often it occurs. */
  readonly onForeign = (key: ForeignKey, where: string): void => {
    if (this.#warned.has(key)) return
    this.#warned.add(key)
    const fate = key.fate === 'ignored' ? 'is ignored' : 'is not supported yet'
    this.warnings.push(`${where}: ${key.path} ${fate}: ${key.instead}`)
  }

  set(layer: Layer): (path: string, value: unknown, where: string) => void {
    return (path, value, where) => {
      this.#layers[layer].set(path, { value, where })
      // an option may be declared, so that its value is checked, and still be of no effect
      const foreign = layer === 'derived' ? undefined : findForeign(path, this.foreignKeys)
      if (foreign !== undefined) this.onForeign(foreign, where)
    }
  }

  /** Everything that is set; later layers win. */
  #merged(): Map<string, Found> {
    const { derived, file, environment, flags } = this.#layers
    return new Map([...derived, ...file, ...environment, ...flags])
  }

  values(): ReadonlyMap<string, unknown> {
    return new Map([...this.#merged()].map(([path, { value }]) => [path, value]))
  }

  origins(): ReadonlyMap<string, string> {
    return new Map([...this.#merged()].map(([path, { where }]) => [path, where]))
  }
}

/** Reads flags of both kinds; gives the values of those that are not part of the file. */
function readCommandLine<S extends Section, P extends Section>(
  extra: Section,
  { argv, flagAliases = {} }: ConfigInputs<S, P>,
  reading: Reading,
): ReadonlyMap<string, unknown> {
  const extraOptions = listOptions(extra)
  const extraPaths = new Set(extraOptions.map(({ path }) => path))
  const extraSet = new Map<string, unknown>()
  const setOption = reading.set('flags')
  readFlags(argv, {
    options: [...reading.options, ...extraOptions],
    aliases: flagAliases,
    foreignKeys: reading.foreignKeys,
    onProblem: reading.onProblem,
    onForeign: reading.onForeign,
    onValue: (path, value, where) => {
      if (extraPaths.has(path)) extraSet.set(path, value)
      else setOption(path, value, where)
    },
  })
  return extraSet
}

/** Reads the first file of the list that exists. None is fine unless the list was given by the user. */
async function readConfigFile<S extends Section, P extends Section>(
  sections: S,
  { path, isExplicit }: { readonly path: string; readonly isExplicit: boolean },
  inputs: ConfigInputs<S, P>,
  reading: Reading,
): Promise<string | undefined> {
  for (const name of path.split(',').map((one) => one.trim())) {
    if (name === '') continue
    try {
      readText(sections, name, await inputs.readFile(name), inputs.env, reading)
      return name
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException
      if (code === 'ENOENT') continue
      reading.onProblem(`cannot read ${name}: ${message}`)
      return undefined
    }
  }
  if (isExplicit) reading.onProblem(`${path} does not exist, set config.file for custom config path`)
  return undefined
}

function readText(sections: Section, name: string, text: string, env: Variables, reading: Reading): void {
  const lineAt = (offset: number): number => text.slice(0, offset).split('\n').length
  const expanded = expandVariables(text, env, (message, offset) =>
    reading.onProblem(`${name}:${lineAt(offset)}: ${message}`),
  )
  const file = parseYaml(name, expanded, reading.onProblem)
  if (file === undefined) return
  readSection(sections, file.document.contents, '', {
    file,
    allPaths: reading.options.map(({ path }) => path),
    foreignKeys: reading.foreignKeys,
    onProblem: reading.onProblem,
    onForeign: reading.onForeign,
    onValue: reading.set('file'),
  })
}

function readEnvironment(env: Variables, reading: Reading): void {
  const byVariable = indexOptions(reading.options, variableOf)
  const set = reading.set('environment')
  for (const [name, text] of Object.entries(env)) {
    if (!name.startsWith('EDDA_') || text === undefined) continue
    const named = byVariable.get(name)
    if (named === undefined) {
      const near = nearestName(name, byVariable.keys())
      reading.warnings.push(`${name}: there is no such option${near === undefined ? '' : `, did you mean ${near}?`}`)
      continue
    }
    try {
      set(named.path, named.option.parse(textData(named.option, text)), name)
    } catch (error) {
      reading.onProblem(`${name}: ${reasonOf(named.option, error)}`)
    }
  }
}

function finish<S extends Section, P extends Section>(
  sections: S,
  { derive, check }: ConfigInputs<S, P>,
  reading: Reading,
): ValuesOf<S> {
  const defaults = defaultsOf(sections)
  let values = valuesWith(sections, defaults, reading.values())
  if (derive !== undefined) {
    const paths = [...reading.values().keys()]
    const isSet = (path: string): boolean => paths.some((one) => one === path || one.startsWith(`${path}.`))
    const set = reading.set('derived')
    for (const [path, value] of Object.entries(derive(values, isSet))) set(path, value, 'derived')
    values = valuesWith(sections, defaults, reading.values())
  }
  // values that could not be read would only make it complain about defaults
  if (check !== undefined && reading.problems.length === 0) for (const one of check(values)) reading.onProblem(one)
  return values
}
