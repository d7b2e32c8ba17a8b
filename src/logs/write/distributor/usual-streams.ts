/**
 * What `resolveStream` does, from bytes to bytes, for streams as clients mostly send them: labels in the canonical form already, values
 * of printable ASCII, within all limits. What their names mean is found out once for all streams with the same names; what is unusual,
 * or will be refused, is for `resolveStream`.
 */
import { normalizeLevel } from './levels.ts'
import type { StreamRules } from './resolve-stream.ts'
import { asDataView } from '#/kernel/byte-reader.ts'
import { compareUtf8 } from '#/kernel/utf8.ts'
import { labelRanges, scanLabels } from '#/storage/index/scan-labels.ts'

/** Sets of names that are remembered. */
const maxNameSets = 64
/** Longer labels are for `resolveStream`. */
const maxTextBytes = 4096
const FIRST_PRINTABLE = 0x20
const LAST_PRINTABLE = 0x7e

const beforeService = Buffer.from('service_name="')
const betweenLabels = Buffer.from('", ')
const unknownService = Buffer.from('unknown_service')

/** What all streams with the same label names have in common. */
type NameSet = {
  /** Names back to back. */
  readonly bytes: Buffer
  readonly ends: readonly number[]
  /** Label before which `service_name` belongs, and the one that tells its value, or -1. Undefined: none is added. */
  readonly service: { readonly place: number; readonly source: number } | undefined
  /** Label that tells the level; -1: none does. */
  readonly level: number
  /** Whether it is for `resolveStream` all the same. */
  readonly isUnusual: boolean
}

/** A stream that was resolved; good until the next one. */
export type UsualStream = {
  /** The canonical text is `view[0, size)`. */
  readonly view: DataView
  size: number
  level: string | undefined
  readonly policy: string
}

export class UsualStreams {
  readonly #rules: StreamRules
  readonly #bytes = Buffer.allocUnsafeSlow(2 * maxTextBytes + 64)
  readonly #stream: UsualStream
  /** The one that was met last is the first. */
  readonly #sets: NameSet[] = []

  /** Undefined when no stream is usual under `rules`. */
  static under(rules: StreamRules): UsualStreams | undefined {
    const hasPolicies = rules.policy === undefined && !rules.policies.isEmpty
    const isLevelMadeUp = rules.limits.log_level_fields.includes('service_name')
    return hasPolicies || isLevelMadeUp || rules.backfillShard !== undefined ? undefined : new UsualStreams(rules)
  }

  private constructor(rules: StreamRules) {
    this.#rules = rules
    this.#stream = { view: asDataView(this.#bytes), size: 0, level: undefined, policy: rules.policy ?? '' }
  }

  /** The stream with the labels `sent[from, to)`; undefined when it is not a usual one. */
  resolve(sent: Buffer, from: number, to: number): UsualStream | undefined {
    if (to - from > maxTextBytes) return undefined
    const count = scanLabels(sent, from, to)
    if (count <= 0 || !this.#isWithinLimits(count) || !isPrintable(sent, from, to)) return undefined
    const set = this.#setOf(sent, count)
    if (set.isUnusual) return undefined
    const stream = this.#stream
    stream.size = this.#write(set, sent, [from, to], count)
    stream.level = undefined
    if (set.level >= 0) {
      const ranges = labelRanges()
      const at = set.level * 4
      stream.level = normalizeLevel(sent.toString('latin1', ranges[at + 2], ranges[at + 3]))
    }
    return stream
  }

  #isWithinLimits(count: number): boolean {
    const { limits } = this.#rules
    const ranges = labelRanges()
    if (count > limits.max_label_names_per_series) return false
    for (let at = 0; at < count * 4; at += 4) {
      if (ranges[at + 1]! - ranges[at]! > limits.max_label_name_length) return false
      if (ranges[at + 3]! - ranges[at + 2]! > limits.max_label_value_length) return false
    }
    return true
  }

  #setOf(sent: Buffer, count: number): NameSet {
    const sets = this.#sets
    for (let i = 0; i < sets.length; i++) {
      const set = sets[i]!
      if (!hasNames(set, sent, count)) continue
      if (i > 0) {
        sets[i] = sets[0]!
        sets[0] = set
      }
      return set
    }
    const set = this.#makeSet(sent, count)
    if (sets.length === maxNameSets) sets.pop()
    sets.unshift(set)
    return set
  }

  #makeSet(sent: Buffer, count: number): NameSet {
    const { limits, policy } = this.#rules
    const ranges = labelRanges()
    const names = Array.from({ length: count }, (_, i) => sent.toString('latin1', ranges[i * 4], ranges[i * 4 + 1]))
    const sources = limits.discover_service_name
    const addsService = sources.length > 0 && !names.includes('service_name')
    const behind = names.findIndex((name) => compareUtf8(name, 'service_name') > 0)
    const required = [...limits.enforced_labels, ...(limits.policy_enforced_labels[policy ?? ''] ?? [])]
    const isMissing = required.some((name) => !names.includes(name) && !(addsService && name === 'service_name'))
    let end = 0
    return {
      bytes: Buffer.from(names.join(''), 'latin1'),
      ends: names.map(({ length }) => (end += length)),
      service: addsService
        ? { place: behind < 0 ? count : behind, source: names.indexOf(firstOf(sources, names)) }
        : undefined,
      level: names.indexOf(firstOf(limits.log_level_fields, names)),
      isUnusual: isMissing || names.includes('__aggregated_metric__') || names.includes('__pattern__'),
    }
  }

  /** Writes the canonical text; returns its size. */
  #write({ service }: NameSet, sent: Buffer, [from, to]: readonly [number, number], count: number): number {
    const target = this.#bytes
    if (service === undefined) return copy(sent, from, to, target, 0)
    const ranges = labelRanges()
    const isLast = service.place === count
    // up to the label that follows, or up to the last quote
    const middle = isLast ? to - 2 : ranges[service.place * 4]!
    let at = copy(sent, from, middle, target, 0)
    if (isLast) at = copy(betweenLabels, 0, betweenLabels.length, target, at)
    at = copy(beforeService, 0, beforeService.length, target, at)
    const value = service.source * 4
    if (service.source < 0) at = copy(unknownService, 0, unknownService.length, target, at)
    else at = copy(sent, ranges[value + 2]!, ranges[value + 3]!, target, at)
    if (!isLast) at = copy(betweenLabels, 0, betweenLabels.length, target, at)
    return copy(sent, middle, to, target, at)
  }
}

/** The first of `wanted` that is one of `names`; '' when none is. */
function firstOf(wanted: readonly string[], names: readonly string[]): string {
  return wanted.find((name) => names.includes(name)) ?? ''
}

function hasNames({ bytes, ends }: NameSet, sent: Buffer, count: number): boolean {
  if (ends.length !== count) return false
  const ranges = labelRanges()
  let at = 0
  for (let i = 0; i < count; i++) {
    const start = ranges[i * 4]!
    const end = ranges[i * 4 + 1]!
    if (ends[i]! - at !== end - start) return false
    for (let from = start; from < end; from++) if (bytes[at++] !== sent[from]) return false
  }
  return true
}

function isPrintable(bytes: Buffer, from: number, to: number): boolean {
  for (let at = from; at < to; at++) if (bytes[at]! < FIRST_PRINTABLE || bytes[at]! > LAST_PRINTABLE) return false
  return true
}

function copy(source: Buffer, from: number, to: number, target: Buffer, at: number): number {
  for (let i = from; i < to; i++) target[at++] = source[i]!
  return at
}
