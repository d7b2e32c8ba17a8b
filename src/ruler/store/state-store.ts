/** The alerts of each tenant over restarts: one object, `<tenant>/ruler/alerts`, JSON with a version. */
import { Corruption, NotFound } from '#/kernel/errors.ts'
import type { ObjectStore } from '#/platform/objstore/objstore.ts'
import type { SavedGroup, SavedRule, SavedStates } from '#/ruler/model/saved-state.ts'

const version = 1

export class StateStore {
  readonly #store: ObjectStore

  constructor(store: ObjectStore) {
    this.#store = store
  }

  async save(tenant: string, { groups }: SavedStates): Promise<void> {
    await this.#store.put(keyOf(tenant), [Buffer.from(JSON.stringify({ version, groups: groups.map(writable) }))])
  }

  async delete(tenant: string): Promise<void> {
    await this.#store.delete(keyOf(tenant))
  }

  /** Nothing when there is none, or one of a version that is not known. @throws Corruption */
  async load(tenant: string): Promise<SavedStates> {
    const key = keyOf(tenant)
    let text: string
    try {
      text = (await this.#store.get(key)).toString('utf8')
    } catch (error) {
      if (error instanceof NotFound) return { groups: [] }
      throw error
    }
    return { groups: parse(key, text) }
  }
}

const keyOf = (tenant: string): string => `${tenant}/ruler/alerts`

/** JSON knows no NaN and no infinity: values are texts. */
function writable({ rules, ...group }: SavedGroup): object {
  const alerts = (list: SavedRule['alerts']): object[] => list.map((one) => ({ ...one, value: String(one.value) }))
  return { ...group, rules: rules.map((rule) => ({ ...rule, alerts: alerts(rule.alerts) })) }
}

function readable({ rules, ...group }: SavedGroup): SavedGroup {
  const alerts = (list: SavedRule['alerts']): SavedRule['alerts'] =>
    list.map((one) => ({ ...one, value: Number(one.value) }))
  return { ...group, rules: rules.map((rule) => ({ ...rule, alerts: alerts(rule.alerts) })) }
}

function parse(key: string, text: string): readonly SavedGroup[] {
  try {
    const saved = JSON.parse(text) as { readonly version?: unknown; readonly groups?: unknown }
    if (typeof saved.version !== 'number' || !Array.isArray(saved.groups)) throw new Error('no version or groups')
    return saved.version === version ? (saved.groups as SavedGroup[]).map(readable) : []
  } catch (error) {
    throw new Corruption({ file: key, offset: 0 }, 'not a state of alerts', { cause: error })
  }
}
