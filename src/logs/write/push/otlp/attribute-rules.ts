/** `otlp_config`, compiled: what becomes of an attribute by its name. The first rule that names it decides. */
import type { OtlpAction, OtlpConfig, OtlpRule } from '#/logs/model/otlp-rules.ts'
import { compileRegex } from '#/platform/regex/compile.ts'

/** Names remembered per table; a flood of new names only costs time. */
const maxMemo = 4096

export class AttributeRules {
  /** No rule at all: everything becomes structured metadata, and names need not be looked at. */
  readonly isEmpty: boolean
  readonly #tests: readonly { readonly action: OtlpAction; readonly matches: (name: string) => boolean }[]
  readonly #memo = new Map<string, OtlpAction>()

  /** @throws BadRequest when a regular expression is wrong. */
  constructor(rules: readonly OtlpRule[]) {
    this.isEmpty = rules.length === 0
    this.#tests = rules.map(({ action, attributes, regex }) => {
      if (regex === '') {
        const names = new Set(attributes)
        return { action, matches: (name) => names.has(name) }
      }
      const compiled = compileRegex(regex, { anchored: true })
      return { action, matches: (name) => compiled.test(name) }
    })
  }

  actionOf(name: string): OtlpAction {
    const known = this.#memo.get(name)
    if (known !== undefined) return known
    const action = this.#tests.find(({ matches }) => matches(name))?.action ?? 'structured_metadata'
    if (this.#memo.size >= maxMemo) this.#memo.clear()
    this.#memo.set(name, action)
    return action
  }
}

/** The rules of a tenant. */
export type OtlpRules = {
  readonly resource: AttributeRules
  readonly scope: AttributeRules
  readonly log: AttributeRules
  readonly severityTextAsLabel: boolean
}

/** @param defaultLabels Resource attributes that become labels, of the whole server. */
export function compileOtlpRules(config: OtlpConfig, defaultLabels: readonly string[]): OtlpRules {
  const defaults: readonly OtlpRule[] =
    config.ignoreResourceDefaults || defaultLabels.length === 0
      ? []
      : [{ action: 'index_label', attributes: defaultLabels, regex: '' }]
  return {
    resource: new AttributeRules([...defaults, ...config.resourceRules]),
    scope: new AttributeRules(config.scopeRules),
    log: new AttributeRules(config.logRules),
    severityTextAsLabel: config.severityTextAsLabel,
  }
}
