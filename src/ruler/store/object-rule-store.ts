/**
 * Rule groups in the object store: one object for each, `<tenant>/rules/<namespace>/<group>`, the group as YAML. Names are
 * percent-encoded, so that any text can be one. An object that has not changed is not read again.
 */
import { eachConcurrently } from '#/kernel/each-concurrently.ts'
import { BadRequest } from '#/kernel/errors.ts'
import type { ObjectHead, ObjectStore } from '#/platform/objstore/objstore.ts'
import { formatGroup } from '#/ruler/model/format-rules.ts'
import { type ReadRules, readRuleFile } from '#/ruler/model/read-rules.ts'
import type { RuleGroup } from '#/ruler/model/rule-group.ts'
import type { LoadedRules, RuleStore } from './rule-store.ts'

/** Longest encoded name: that of a file in common file systems. */
const maxNameBytes = 255
const readsAtOnce = 8

type Known = { readonly head: ObjectHead; readonly read: ReadRules }

export class ObjectRuleStore implements RuleStore {
  readonly #store: ObjectStore
  /** What was read, by tenant and key. */
  readonly #known = new Map<string, ReadonlyMap<string, Known>>()

  constructor(store: ObjectStore) {
    this.#store = store
  }

  async tenants(): Promise<readonly string[]> {
    const prefixes = await this.#store.listPrefixes('')
    return prefixes.map((prefix) => prefix.slice(0, -1))
  }

  async load(tenant: string): Promise<LoadedRules> {
    const prefix = `${tenant}/rules/`
    const heads = await Array.fromAsync(this.#store.list({ prefix }))
    const known = await this.#readAll(tenant, heads)
    const namespaces = new Map<string, RuleGroup[]>()
    const problems: string[] = []
    for (const { key } of heads) {
      const namespace = namespaceOf(key.slice(prefix.length))
      const read = known.get(key)?.read
      if (namespace === undefined || read === undefined) continue
      problems.push(...read.problems)
      if (read.problems.length === 0) namespaces.set(namespace, [...(namespaces.get(namespace) ?? []), ...read.groups])
    }
    return { namespaces, problems, broken: [] }
  }

  async #readAll(tenant: string, heads: readonly ObjectHead[]): Promise<ReadonlyMap<string, Known>> {
    const before = this.#known.get(tenant)
    const known = new Map<string, Known>()
    await eachConcurrently(heads, readsAtOnce, async (head) => {
      const { key, sizeBytes, modifiedMs } = head
      const old = before?.get(key)
      const isSame = old?.head.sizeBytes === sizeBytes && old.head.modifiedMs === modifiedMs
      if (old !== undefined && isSame) known.set(key, old)
      else {
        const text = (await this.#store.get(key)).toString('utf8')
        known.set(key, { head, read: readRuleFile(key, `groups:\n${asItem(text)}`) })
      }
    })
    if (known.size === 0) this.#known.delete(tenant)
    else this.#known.set(tenant, known)
    return known
  }

  async set(tenant: string, namespace: string, group: RuleGroup): Promise<void> {
    const key = keyOf(tenant, namespace, group.name)
    await this.#store.put(key, [Buffer.from(formatGroup(group))])
    // two writes within a millisecond look the same
    this.#forget(tenant, key)
  }

  async delete(tenant: string, namespace: string, group: string): Promise<void> {
    const key = keyOf(tenant, namespace, group)
    await this.#store.delete(key)
    this.#forget(tenant, key)
  }

  #forget(tenant: string, key: string): void {
    const known = new Map(this.#known.get(tenant))
    known.delete(key)
    this.#known.set(tenant, known)
  }
}

/** A YAML map as the only item of a list. */
function asItem(text: string): string {
  return text
    .split('\n')
    .map((line, index) => (index === 0 ? `- ${line}` : `  ${line}`))
    .join('\n')
}

function keyOf(tenant: string, namespace: string, group: string): string {
  return `${tenant}/rules/${encodeName('namespace', namespace)}/${encodeName('group name', group)}`
}

function encodeName(what: string, name: string): string {
  const encoded = encodeURIComponent(name.toWellFormed()).replaceAll('.', '%2E').replaceAll('*', '%2A')
  const bytes = Buffer.byteLength(encoded)
  if (bytes === 0 || bytes > maxNameBytes) {
    throw new BadRequest(`${what} has ${bytes} bytes in the store, it needs at least 1 and at most ${maxNameBytes}`)
  }
  return encoded
}

/** Undefined when it is not a key of ours. */
function namespaceOf(rest: string): string | undefined {
  const parts = rest.split('/')
  try {
    return parts.length === 2 ? decodeURIComponent(parts[0] ?? '') : undefined
  } catch {
    return undefined
  }
}
