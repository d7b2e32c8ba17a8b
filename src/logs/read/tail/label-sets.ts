/** The labels of entries as they leave a pipeline. Entries with equal labels share one object. */
import type { LabelCategory, Row } from '#/logs/logql/pipeline/row.ts'
import { sortLabels } from '#/logs/model/labels.ts'
import type { TailLabels } from '#/logs/wire/tail.ts'
import type { Label, Labels } from '#/storage/index/label-index.ts'

/** Sets that are kept ready; beyond, all are forgotten and made anew. */
const MAX_SETS = 1024
/** What a label takes beside its texts. */
const LABEL_OVERHEAD_BYTES = 100

export class LabelSets {
  readonly #sets = new Map<string, TailLabels>()
  /** Memory of the set that `of` gave last, if it was a new one. */
  newBytes = 0

  of(row: Row): TailLabels {
    let key = ''
    row.forEachLabel((name, value, category) => {
      key += `${category[0]}${name}\u0000${value}\u0000`
    })
    const known = this.#sets.get(key)
    this.newBytes = 0
    if (known !== undefined) return known
    if (this.#sets.size >= MAX_SETS) this.#sets.clear()
    const labels = makeLabels(row)
    this.newBytes = labelBytes(labels.all)
    this.#sets.set(key, labels)
    return labels
  }
}

/** Memory of labels. */
export function labelBytes(labels: Labels): number {
  return labels.reduce((sum, [name, value]) => sum + name.length + value.length + LABEL_OVERHEAD_BYTES, 0)
}

function makeLabels(row: Row): TailLabels {
  const all: Label[] = []
  const byCategory: Record<LabelCategory, Label[]> = { stream: [], metadata: [], parsed: [] }
  row.forEachLabel((name, value, category) => {
    const label: Label = [name, value]
    all.push(label)
    byCategory[category].push(label)
  })
  return {
    all: sortLabels(all),
    stream: sortLabels(byCategory.stream),
    structuredMetadata: sortLabels(byCategory.metadata),
    parsed: sortLabels(byCategory.parsed),
  }
}
