/**
 * From the labels of a stream as a client wrote them to what the distributor needs to know of it: the canonical text with
 * `service_name`, or why the stream is refused. This runs once per stream, not per push: see ./stream-cache.ts.
 */
import { clip } from './grouped-errors.ts'
import { normalizeLevel } from './levels.ts'
import type { PolicyTable } from './policies.ts'
import { JsonCursor } from '#/kernel/json-cursor.ts'
import { compareUtf8 } from '#/kernel/utf8.ts'
import type { Limits } from '#/logs/limits.ts'
import { duplicateName, formatLabels, isLabelName, parseLabelPairs, sortLabels } from '#/logs/model/labels.ts'
import type { StreamSyntax } from '#/logs/write/push/push-columns.ts'
import type { Label } from '#/storage/index/label-index.ts'

export type ResolvedStream = {
  /** Canonical text; of a refused stream as much as could be read. */
  readonly text: string
  readonly refusal: { readonly reason: string; readonly message: string } | undefined
  /** The value of a level label, normalised. */
  readonly level: string | undefined
  readonly policy: string
  /** Edda's own streams get neither `service_name` nor `detected_level`. */
  readonly isInternal: boolean
}

export type StreamRules = {
  readonly tenant: string
  readonly limits: Limits
  readonly policies: PolicyTable
  /** Value of `__backfill_shard__` that every stream of the push gets. */
  readonly backfillShard: string | undefined
  /** Policy of every stream of the push, instead of the one its labels give. */
  readonly policy: string | undefined
}

const backfillLabels = ['__backfill__', '__backfill_shard__']
const internalLabels = new Set(['__aggregated_metric__', '__pattern__'])

export function resolveStream(raw: string, syntax: StreamSyntax, rules: StreamRules): ResolvedStream {
  let labels: Label[]
  try {
    labels = syntax === 'json' ? parseJsonLabels(raw) : parseLabelPairs(utf8Text(raw))
  } catch (error) {
    const message = `error parsing labels '${clip(utf8Text(raw))}' with error: ${(error as Error).message}`
    return refused(clip(utf8Text(raw)), 'invalid_labels', message)
  }
  const refusal = checkLabels(labels, rules.limits) ?? checkBackfill(labels, rules)
  if (refusal !== undefined) return refusal
  if (rules.backfillShard !== undefined) {
    labels.push(['__backfill__', 'true'], ['__backfill_shard__', rules.backfillShard])
    sortLabels(labels)
  }
  return describe(labels, rules)
}

/** A stream whose labels are good. */
function describe(labels: Label[], rules: StreamRules): ResolvedStream {
  const { limits } = rules
  const isInternal = labels.some(([name]) => internalLabels.has(name))
  const policy = rules.policy ?? rules.policies.policyOf(labels)
  if (!isInternal) addServiceName(labels, limits.discover_service_name)
  const text = formatLabels(labels)
  const missing = missingLabels(labels, [...limits.enforced_labels, ...(limits.policy_enforced_labels[policy] ?? [])])
  if (missing.length > 0) {
    const message = `missing required labels '${missing.join(',')}' for user '${rules.tenant}' for stream '${clip(text)}' (policy: '${policy}')`
    return { ...refused(text, 'missing_enforced_labels', message), policy, isInternal }
  }
  const level = firstOf(labels, limits.log_level_fields)?.[1]
  return {
    text,
    refusal: undefined,
    level: level === undefined ? undefined : normalizeLevel(level),
    policy,
    isInternal,
  }
}

function checkLabels(labels: readonly Label[], limits: Limits): ResolvedStream | undefined {
  const refuse = (reason: string, messageOf: (stream: string) => string): ResolvedStream => {
    const text = formatLabels(labels)
    return refused(text, reason, messageOf(clip(text)))
  }
  if (labels.length === 0) {
    return refuse('missing_labels', () => 'error at least one label pair is required per stream')
  }
  const {
    max_label_names_per_series: maxNames,
    max_label_name_length: maxName,
    max_label_value_length: maxValue,
  } = limits
  const count = labels.length > maxNames ? labels.filter(([name]) => name !== 'service_name').length : 0
  if (count > maxNames) {
    const message = (stream: string): string =>
      `entry for stream '${stream}' has ${count} label names; limit ${maxNames}`
    return refuse('max_label_names_per_series', message)
  }
  for (const [name, value] of labels) {
    if (isLonger(name, maxName)) {
      return refuse('label_name_too_long', (stream) => `stream '${stream}' has label name too long: '${clip(name)}'`)
    }
    if (isLonger(value, maxValue)) {
      return refuse('label_value_too_long', (stream) => `stream '${stream}' has label value too long: '${clip(value)}'`)
    }
  }
  const twice = duplicateName(labels)
  if (twice === undefined) return undefined
  return refuse('duplicate_label_names', (stream) => `stream '${stream}' has duplicate label name: '${clip(twice)}'`)
}

/** Whether `text` has more bytes than `limit`. No character has more than three in UTF-8 for each unit of a string. */
function isLonger(text: string, limit: number): boolean {
  return text.length * 3 > limit && Buffer.byteLength(text) > limit
}

function checkBackfill(labels: readonly Label[], rules: StreamRules): ResolvedStream | undefined {
  if (rules.backfillShard === undefined) return undefined
  const taken = labels.find(([name]) => backfillLabels.includes(name))
  if (taken === undefined) return undefined
  const text = formatLabels(labels)
  return refused(text, 'invalid_labels', `stream '${clip(text)}' has the reserved label name '${taken[0]}'`)
}

function addServiceName(labels: Label[], sources: readonly string[]): void {
  if (sources.length === 0 || labels.some(([name]) => name === 'service_name')) return
  const label: Label = ['service_name', firstOf(labels, sources)?.[1] ?? 'unknown_service']
  const place = labels.findIndex(([name]) => compareUtf8(name, 'service_name') > 0)
  if (place < 0) labels.push(label)
  else labels.splice(place, 0, label)
}

/** The label whose name comes first in `names`. */
function firstOf(labels: readonly Label[], names: readonly string[]): Label | undefined {
  let best = names.length
  let found: Label | undefined
  for (const label of labels) {
    const place = names.indexOf(label[0])
    if (place < 0 || place >= best) continue
    best = place
    found = label
  }
  return found
}

function missingLabels(labels: readonly Label[], required: readonly string[]): string[] {
  return required.filter((name) => labels.every((label) => label[0] !== name))
}

function refused(text: string, reason: string, message: string): ResolvedStream {
  return { text, refusal: { reason, message }, level: undefined, policy: '', isInternal: false }
}

/** Labels from a JSON object: texts are unescaped, any other value counts as its own source text. The last duplicate wins. */
function parseJsonLabels(raw: string): Label[] {
  const cursor = new JsonCursor(Buffer.from(raw, 'latin1'))
  const labels = new Map<string, string>()
  cursor.open('{')
  while (cursor.nextMember()) {
    const name = cursor.keyText()
    labels.set(name, cursor.isString() ? cursor.stringText() : cursor.rawText())
  }
  const invalid = [...labels.keys()].find((name) => !isLabelName(name))
  if (invalid !== undefined) throw new Error(`invalid label name ${JSON.stringify(clip(invalid))}`)
  return sortLabels([...labels].filter(([, value]) => value !== ''))
}

/** The text whose UTF-8 bytes are the characters of `raw`. */
function utf8Text(raw: string): string {
  return Buffer.from(raw, 'latin1').toString('utf8')
}
