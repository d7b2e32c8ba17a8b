/** The groups of streams of a volume, and the bytes of each by bucket. */
import { BadRequest } from '#/kernel/errors.ts'
import { compareUtf8 } from '#/kernel/utf8.ts'
import { formatLabels } from '#/logs/model/labels.ts'
import type { Volume, VolumeQuery } from '#/logs/wire/index-query.ts'
import { labelsKey, type LabelGrouping } from '#/series/labels.ts'
import type { Labels } from '#/storage/index/label-index.ts'
import type { QueryRun } from './query-run.ts'

/** Labels and name of a group, estimated. */
const GROUP_OVERHEAD_BYTES = 512

type Group = { readonly labels: Labels; readonly name: string; readonly bytes: Float64Array }

export type GroupOptions = {
  readonly query: VolumeQuery
  readonly bucketCount: number
  /** 0: no limit. */
  readonly maxGroups: number
}

export class VolumeGroups {
  readonly #run: Pick<QueryRun, 'reserve'>
  readonly #options: GroupOptions
  /** Names that make a group; undefined: all. */
  readonly #names: ReadonlySet<string> | undefined
  /** Streams that have the same of these labels are of the same groups. */
  readonly grouping: LabelGrouping
  readonly #groups: Group[] = []
  readonly #numberOf = new Map<string, number>()
  #reservedGroups = 0

  constructor(run: Pick<QueryRun, 'reserve'>, options: GroupOptions) {
    this.#run = run
    this.#options = options
    this.#names = groupingNames(options.query)
    this.grouping =
      this.#names === undefined ? { kind: 'without', labels: [] } : { kind: 'by', labels: [...this.#names] }
  }

  /** The groups to which a stream belongs. @throws BadRequest beyond the most groups. */
  of(labels: Labels): readonly number[] {
    const { aggregateBy, targetLabels } = this.#options.query
    const chosen = this.#names === undefined ? labels : labels.filter(([name]) => this.#names!.has(name))
    if (aggregateBy === 'labels') return chosen.map(([name]) => this.#group([[name, '']]))
    const isComplete = targetLabels.length === 0 || chosen.length === this.#names!.size
    return isComplete ? [this.#group(chosen)] : []
  }

  /** To be called between sources, as memory may have to be waited for. */
  async reserve(): Promise<void> {
    const added = this.#groups.length - this.#reservedGroups
    this.#reservedGroups = this.#groups.length
    await this.#run.reserve(added * (this.#options.bucketCount * 8 + GROUP_OVERHEAD_BYTES))
  }

  add(groups: readonly number[], bucket: number, bytes: number): void {
    for (const group of groups) this.#groups[group]!.bytes[bucket]! += bytes
  }

  /** Largest first, cut to the limit of the query. */
  volumes(): readonly Volume[] {
    return this.#groups
      .map(({ labels, name, bytes }) => ({ labels, name, bytes, total: bytes.reduce((sum, one) => sum + one, 0) }))
      .filter(({ total }) => total > 0)
      .toSorted((a, b) => Math.round(b.total) - Math.round(a.total) || compareUtf8(a.name, b.name))
      .slice(0, this.#options.query.limit)
      .map(({ labels, bytes }) => ({ labels, samples: samplesOf(bytes) }))
  }

  #group(labels: Labels): number {
    const key = labelsKey(labels)
    const known = this.#numberOf.get(key)
    if (known !== undefined) return known
    const { maxGroups, bucketCount } = this.#options
    if (maxGroups > 0 && this.#groups.length >= maxGroups) {
      throw new BadRequest(`the query hit the max number of series limit (limit: ${maxGroups} series)`)
    }
    this.#numberOf.set(key, this.#groups.length)
    return this.#groups.push({ labels, name: formatLabels(labels), bytes: new Float64Array(bucketCount) }) - 1
  }
}

/** Shares of runs are no whole bytes; what is there is never rounded away. */
function samplesOf(bytes: Float64Array): Volume['samples'] {
  const samples: { bucket: number; bytes: number }[] = []
  for (const [bucket, sum] of bytes.entries())
    if (sum > 0) samples.push({ bucket, bytes: Math.max(1, Math.round(sum)) })
  return samples
}

function groupingNames({ aggregateBy, targetLabels, selectors }: VolumeQuery): ReadonlySet<string> | undefined {
  if (targetLabels.length > 0) return new Set(targetLabels)
  const names = new Set(selectors.flat().map(({ name }) => name))
  return aggregateBy === 'labels' || names.size === 0 ? undefined : names
}
