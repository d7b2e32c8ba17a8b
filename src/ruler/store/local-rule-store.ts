/** Rule groups in files that somebody else writes: `<directory>/<tenant>/<file>.yaml`; the file's name is the namespace. */
import { join } from 'node:path'

import { EddaError } from '#/kernel/errors.ts'
import type { Disk } from '#/kernel/world.ts'
import { parseTenantId } from '#/platform/tenant/tenant-id.ts'
import { maxRuleTextBytes, readRuleFile } from '#/ruler/model/read-rules.ts'
import type { RuleGroup } from '#/ruler/model/rule-group.ts'
import type { LoadedRules, RuleStore } from './rule-store.ts'

export class LocalRuleStore implements RuleStore {
  readonly #disk: Disk
  readonly #directory: string

  constructor(disk: Disk, directory: string) {
    this.#disk = disk
    this.#directory = directory
  }

  async tenants(): Promise<readonly string[]> {
    const entries = await this.#disk.list(this.#directory)
    return entries.filter(({ name, isDirectory }) => isDirectory && isTenant(name)).map(({ name }) => name)
  }

  async load(tenant: string): Promise<LoadedRules> {
    const directory = join(this.#directory, tenant)
    const namespaces = new Map<string, readonly RuleGroup[]>()
    const problems: string[] = []
    const broken: string[] = []
    for (const { name, isDirectory } of await this.#disk.list(directory)) {
      // what begins with a point is on its way to its real name, or a mount's own
      if (isDirectory || name.startsWith('.')) continue
      const path = join(directory, name)
      const before = problems.length
      const text = await this.#read(path, problems)
      const read = text === undefined ? undefined : readRuleFile(path, text)
      problems.push(...(read?.problems ?? []))
      if (problems.length > before) broken.push(name)
      else if (read !== undefined && read.groups.length > 0) namespaces.set(name, read.groups)
    }
    return { namespaces, problems, broken }
  }

  async #read(path: string, problems: string[]): Promise<string | undefined> {
    try {
      const size = (await this.#disk.stat(path))?.sizeBytes ?? 0
      if (size <= maxRuleTextBytes) return (await this.#disk.readFile(path)).toString('utf8')
      problems.push(`${path}: ${size} bytes exceed the limit of ${maxRuleTextBytes}`)
    } catch (error) {
      problems.push(`${path}: ${(error as Error).message}`)
    }
    return undefined
  }

  set(): Promise<void> {
    return Promise.reject(new EddaError('internal', 'SetRuleGroup unsupported in rule local store'))
  }

  delete(): Promise<void> {
    return Promise.reject(new EddaError('internal', 'DeleteRuleGroup unsupported in rule local store'))
  }
}

/** `lost+found` is none. */
function isTenant(name: string): boolean {
  try {
    return !name.startsWith('.') && parseTenantId(name) === name
  } catch {
    return false
  }
}
