/**
 * Limits by tenant: the process's defaults, and over them what the runtime file says of the tenant. The file is read again and
 * again while the process runs; a bad one stops a start, but a running process keeps what it had.
 */
import { createHash } from 'node:crypto'

import { isMap, isScalar, stringify } from 'yaml'

import type { Disk, Clock } from '#/kernel/world.ts'
import { ConfigError } from '#/platform/config/config-error.ts'
import type { Section, ValuesOf } from '#/platform/config/option.ts'
import { listOptions, type SetValues, valuesWith } from '#/platform/config/option-paths.ts'
import {
  findForeign,
  type ForeignKey,
  parseYaml,
  type ReadContext,
  readSection,
  type YamlFile,
} from '#/platform/config/read-yaml.ts'
import { plainValues } from '#/platform/config/render.ts'
import type { Logger } from '#/platform/telemetry/logger.ts'
import type { Metrics } from '#/platform/telemetry/metrics.ts'
import { parseTenantId } from './tenant-id.ts'

export type OverridesOptions<S extends Section> = {
  /** The declaration of the limits, and their values for tenants without any of their own. */
  readonly section: S
  readonly defaults: ValuesOf<S>
  /** Runtime files, separated by commas; later ones win. Empty: there are none. */
  readonly files: string
  readonly periodMs: number
  /** Limits of Loki that are accepted without effect; paths without `limits_config.`. */
  readonly foreignKeys: readonly ForeignKey[]
  readonly disk: Pick<Disk, 'readFile'>
  readonly clock: Clock
  readonly logger: Logger
  readonly metrics: Metrics
}

/** Top-level keys of a runtime file besides `overrides`. */
const runtimeKeys: readonly ForeignKey[] = [
  { path: 'overrides', fate: 'ignored', instead: 'read separately' },
  { path: 'configs', fate: 'not yet', instead: 'logging is not set by tenant' },
  { path: 'multi_kv_config', fate: 'ignored', instead: 'there is one key-value store' },
]

type ByTenant<S extends Section> = ReadonlyMap<string, { readonly values: ValuesOf<S>; readonly set: SetValues }>

export class Overrides<S extends Section> {
  readonly #options: OverridesOptions<S>
  readonly #recordReload: (isGood: boolean, hash: string) => void
  #byTenant: ByTenant<S> = new Map()
  #hash = ''
  #stop: () => void = () => undefined
  #reloading: Promise<void> | undefined

  private constructor(options: OverridesOptions<S>) {
    this.#options = options
    this.#recordReload = reloadMetrics(options.metrics)
  }

  /** Reads the files and goes on reading them. @throws ConfigError when they are wrong or not there. */
  static async open<S extends Section>(options: OverridesOptions<S>): Promise<Overrides<S>> {
    const overrides = new Overrides(options)
    if (options.files === '') return overrides
    await overrides.#load()
    overrides.#stop = options.clock.every(options.periodMs, () => void overrides.reload())
    return overrides
  }

  /** The limits of a tenant as they are now. The same object until they change. */
  forTenant(tenant: string): ValuesOf<S> {
    return this.#byTenant.get(tenant)?.values ?? this.#options.defaults
  }

  /** Tenants with limits of their own. */
  get tenants(): readonly string[] {
    return [...this.#byTenant.keys()]
  }

  /** What holds for several tenants together: the smallest positive value; 0 (no limit) when none is positive. */
  smallestPositive(tenants: readonly string[], pick: (limits: ValuesOf<S>) => number): number {
    const values = tenants.map((tenant) => pick(this.forTenant(tenant))).filter((value) => value > 0)
    return values.length === 0 ? 0 : Math.min(...values)
  }

  /** The runtime file as YAML: every limit of the tenants in it, or only what it says of them. Undefined when there is none. */
  render(mode: 'full' | 'diff'): string | undefined {
    const { files, section } = this.#options
    if (files === '') return undefined
    const overrides = [...this.#byTenant].map(([tenant, { values, set }]) => {
      const all = plainValues(section, values)
      return [tenant, mode === 'full' ? all : pickPaths(all, [...set.keys()])]
    })
    return stringify({ overrides: Object.fromEntries(overrides) }, { lineWidth: 0, aliasDuplicateObjects: false })
  }

  /** Reads the files now. Wrong files change nothing, but are logged and counted. */
  reload(): Promise<void> {
    this.#reloading ??= this.#tryLoad().finally(() => (this.#reloading = undefined))
    return this.#reloading
  }

  stop(): void {
    this.#stop()
  }

  async #tryLoad(): Promise<void> {
    try {
      await this.#load()
    } catch (error) {
      this.#recordReload(false, this.#hash)
      this.#options.logger.error('runtime config is wrong, the previous one stays', { err: error })
    }
  }

  async #load(): Promise<void> {
    const { files, disk, logger } = this.#options
    const names = files.split(',').map((name) => name.trim())
    const texts = await Promise.all(names.map((name) => readText(name, disk)))
    const hash = createHash('sha256').update(texts.join('\0')).digest('hex')
    if (hash !== this.#hash) {
      this.#byTenant = this.#parse(names, texts)
      this.#hash = hash
      logger.info('runtime config is loaded', { files, tenants: this.#byTenant.size })
    }
    this.#recordReload(true, hash)
  }

  #parse(names: readonly string[], texts: readonly string[]): ByTenant<S> {
    const { section, defaults, foreignKeys, logger } = this.#options
    const problems: string[] = []
    const warn = (message: string): void => logger.warn(message)
    const set = new Map<string, Map<string, unknown>>()
    for (const [index, name] of names.entries()) {
      const file = parseYaml(name, texts[index] ?? '', (problem) => problems.push(problem))
      if (file === undefined) continue
      readRuntimeFile(file, {
        section,
        foreignKeys,
        set,
        onProblem: (problem) => problems.push(problem),
        onWarning: warn,
      })
    }
    if (problems.length > 0) throw new ConfigError(problems)
    return new Map(
      [...set].map(([tenant, given]) => [tenant, { values: valuesWith(section, defaults, given), set: given }]),
    )
  }
}

type Plain = Readonly<Record<string, unknown>>

/** The part of nested plain data that lies at the given paths, `a.b`. */
function pickPaths(data: Plain, paths: readonly string[]): Plain {
  const byKey = Map.groupBy(paths, (path) => path.split('.', 1)[0] ?? '')
  return Object.fromEntries(
    [...byKey].map(([key, inside]) => [
      key,
      inside.includes(key)
        ? data[key]
        : pickPaths(
            data[key] as Plain,
            inside.map((path) => path.slice(key.length + 1)),
          ),
    ]),
  )
}

async function readText(name: string, disk: Pick<Disk, 'readFile'>): Promise<string> {
  try {
    return (await disk.readFile(name)).toString()
  } catch (error) {
    throw new ConfigError([`cannot read runtime_config.file ${name}: ${(error as Error).message}`])
  }
}

type RuntimeReading = {
  readonly section: Section
  readonly foreignKeys: readonly ForeignKey[]
  readonly set: Map<string, Map<string, unknown>>
  readonly onProblem: (message: string) => void
  readonly onWarning: (message: string) => void
}

function readRuntimeFile(file: YamlFile, reading: RuntimeReading): void {
  const { section, set, onProblem, onWarning } = reading
  const context: ReadContext = {
    file,
    allPaths: listOptions(section).map(({ path }) => path),
    foreignKeys: reading.foreignKeys,
    onProblem,
    onForeign: ({ path, instead }, where) => {
      if (path !== 'overrides') onWarning(`${where}: ${path} has no effect: ${instead}`)
    },
    onValue: () => undefined,
  }
  readSection({}, file.document.contents, '', { ...context, foreignKeys: runtimeKeys })
  const contents: unknown = file.document.contents
  const overrides: unknown = isMap(contents) ? contents.get('overrides', true) : undefined
  if (overrides === undefined || (isScalar(overrides) && overrides.value === null)) return
  if (!isMap(overrides)) return onProblem(`${file.name}: overrides: expected tenants with their limits`)
  for (const { key, value } of overrides.items) {
    const tenant = String(isScalar(key) ? key.value : key)
    try {
      parseTenantId(tenant)
    } catch (error) {
      onProblem(`${file.name}: overrides: ${(error as Error).message}`)
      continue
    }
    if (value === null || (isScalar(value) && value.value === null)) {
      onWarning(`${file.name}: overrides of tenant ${tenant} are empty`)
      continue
    }
    const values = set.get(tenant) ?? new Map<string, unknown>()
    set.set(tenant, values)
    readSection(section, value, '', {
      ...context,
      onProblem: (problem) => onProblem(`${problem} (tenant ${tenant})`),
      onValue: (path, limit, where) => {
        values.set(path, limit)
        const foreign = findForeign(path, reading.foreignKeys)
        if (foreign !== undefined) context.onForeign(foreign, where)
      },
    })
  }
}

function reloadMetrics(metrics: Metrics): (isGood: boolean, hash: string) => void {
  const successful = metrics.gauge({
    name: 'loki_runtime_config_last_reload_successful',
    help: 'Whether the runtime file was good when it was last read.',
  })
  const hashes = metrics.gauge({
    name: 'loki_runtime_config_hash',
    help: 'Hash of the runtime files in effect.',
    labels: ['sha256'],
  })
  return (isGood, hash) => {
    successful.set(isGood ? 1 : 0)
    hashes.reset()
    hashes.set({ sha256: hash }, 1)
  }
}
