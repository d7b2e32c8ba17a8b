/** Where rule groups are kept. */
import type { Namespaces, RuleGroup } from '#/ruler/model/rule-group.ts'

export type LoadedRules = {
  readonly namespaces: Namespaces
  /** What could not be read; it is left out. */
  readonly problems: readonly string[]
  /** Namespaces that are there, and left out as a whole because something in them is wrong. */
  readonly broken: readonly string[]
}

export interface RuleStore {
  /** Tenants that have rules, and maybe others. */
  tenants(): Promise<readonly string[]>
  load(tenant: string): Promise<LoadedRules>
  /** Writes a group, over one of the same name. @throws EddaError when the store, or this namespace, is only read. */
  set(tenant: string, namespace: string, group: RuleGroup): Promise<void>
  /** No error when there is no such group. */
  delete(tenant: string, namespace: string, group: string): Promise<void>
}
