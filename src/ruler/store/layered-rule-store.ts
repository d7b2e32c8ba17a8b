/** Files and the object store together: the API writes to the object store, and a namespace that is a file is only read. */
import { EddaError } from '#/kernel/errors.ts'
import type { RuleGroup } from '#/ruler/model/rule-group.ts'
import type { LoadedRules, RuleStore } from './rule-store.ts'

export class LayeredRuleStore implements RuleStore {
  readonly #files: RuleStore
  readonly #objects: RuleStore

  constructor(files: RuleStore, objects: RuleStore) {
    this.#files = files
    this.#objects = objects
  }

  async tenants(): Promise<readonly string[]> {
    const both = await Promise.all([this.#files.tenants(), this.#objects.tenants()])
    return [...new Set(both.flat())]
  }

  async load(tenant: string): Promise<LoadedRules> {
    const [files, objects] = await Promise.all([this.#files.load(tenant), this.#objects.load(tenant)])
    return {
      namespaces: new Map([...objects.namespaces, ...files.namespaces]),
      problems: [...files.problems, ...objects.problems],
      broken: [...files.broken, ...objects.broken],
    }
  }

  async set(tenant: string, namespace: string, group: RuleGroup): Promise<void> {
    await this.#checkWritable(tenant, namespace)
    await this.#objects.set(tenant, namespace, group)
  }

  async delete(tenant: string, namespace: string, group: string): Promise<void> {
    await this.#checkWritable(tenant, namespace)
    await this.#objects.delete(tenant, namespace, group)
  }

  async #checkWritable(tenant: string, namespace: string): Promise<void> {
    const { namespaces, broken } = await this.#files.load(tenant)
    if (namespaces.has(namespace) || broken.includes(namespace))
      throw new EddaError('forbidden', `namespace ${namespace} is a file, which is only read`)
  }
}
