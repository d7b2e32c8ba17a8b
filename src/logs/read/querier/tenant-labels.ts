/**
 * The streams of one tenant in a query that reads several: each has the label `__tenant_id__`, and what the tenant itself stored
 * under that name is called `original___tenant_id__`. Everything behind the view works on labels, so matchers, groupings and
 * answers need to know nothing of tenants.
 */
import { compareUtf8 } from '#/kernel/utf8.ts'
import { formatLabels, sortLabels } from '#/logs/model/labels.ts'
import { codeLabels, type CodedLabels } from '#/storage/index/coded-labels.ts'
import type { Label, LabelIndex, LabelMatcher, Labels } from '#/storage/index/label-index.ts'

export const TENANT_LABEL = '__tenant_id__'
export const ORIGINAL_TENANT_LABEL = `original_${TENANT_LABEL}`

/** A source belongs to one tenant, so its index has one view; with it goes the text that was shared with worker threads. */
const views = new WeakMap<LabelIndex, TenantLabelIndex>()

export function withTenantLabel(index: LabelIndex, tenant: string): LabelIndex {
  let view = views.get(index)
  if (view === undefined) views.set(index, (view = new TenantLabelIndex(index, tenant)))
  return view
}

/** Whether any of the selectors, each a list of matchers, may want streams of `tenant`; none at all wants every one. */
export function wantsTenant(selectors: readonly (readonly LabelMatcher[])[], tenant: string): boolean {
  const accepts = ({ name, matches }: LabelMatcher): boolean => name !== TENANT_LABEL || matches(tenant)
  return selectors.length === 0 || selectors.some((matchers) => matchers.every(accepts))
}

class TenantLabelIndex implements LabelIndex {
  readonly #index: LabelIndex
  readonly #tenant: string
  #coded: CodedLabels | undefined

  constructor(index: LabelIndex, tenant: string) {
    this.#index = index
    this.#tenant = tenant
  }

  get count(): number {
    return this.#index.count
  }

  labels(ordinal: number): Labels {
    const stored = this.#index.labels(ordinal)
    const own = stored.find(([name]) => name === TENANT_LABEL)
    const others = stored.filter(([name]) => !this.#isReplaced(name, own))
    const added: Label[] = [[TENANT_LABEL, this.#tenant]]
    if (own !== undefined) added.push([ORIGINAL_TENANT_LABEL, own[1]])
    return sortLabels([...others, ...added])
  }

  text(ordinal: number): string {
    return formatLabels(this.labels(ordinal))
  }

  match(matchers: readonly LabelMatcher[]): Uint32Array {
    if (!wantsTenant([matchers], this.#tenant)) return new Uint32Array(0)
    const plain = matchers.filter(({ name }) => name !== TENANT_LABEL && name !== ORIGINAL_TENANT_LABEL)
    const renamed = matchers.filter(({ name }) => name === ORIGINAL_TENANT_LABEL)
    const found = this.#index.match(plain)
    if (renamed.length === 0) return found
    return found.filter((ordinal) => {
      const value = this.labels(ordinal).find(([name]) => name === ORIGINAL_TENANT_LABEL)?.[1] ?? ''
      return renamed.every(({ matches }) => matches(value))
    })
  }

  names(ordinals: Uint32Array | undefined): readonly string[] {
    if ((ordinals?.length ?? this.count) === 0) return []
    const stored = this.#index.names(ordinals)
    const names = new Set([...stored, TENANT_LABEL])
    if (stored.includes(TENANT_LABEL)) names.add(ORIGINAL_TENANT_LABEL)
    return [...names].sort(compareUtf8)
  }

  values(name: string, ordinals: Uint32Array | undefined): readonly string[] {
    if (name !== TENANT_LABEL && name !== ORIGINAL_TENANT_LABEL) return this.#index.values(name, ordinals)
    if (name === TENANT_LABEL) return (ordinals?.length ?? this.count) === 0 ? [] : [this.#tenant]
    const values = new Set<string>()
    for (let i = 0; i < (ordinals?.length ?? this.count); i++) {
      const found = this.labels(ordinals?.[i] ?? i).find(([own]) => own === name)
      if (found !== undefined) values.add(found[1])
    }
    return [...values].sort(compareUtf8)
  }

  coded(): CodedLabels {
    if (this.#coded?.ends.length !== this.count) this.#coded = codeLabels(this.count, (stream) => this.labels(stream))
    return this.#coded
  }

  /** A stored label of the same name as one that takes its place. */
  #isReplaced(name: string, own: Label | undefined): boolean {
    return name === TENANT_LABEL || (name === ORIGINAL_TENANT_LABEL && own !== undefined)
  }
}
