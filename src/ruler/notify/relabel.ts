/** Prometheus' relabeling, for the labels of alerts on their way out: the rules change them one after another, or drop the alert. */
import { createHash } from 'node:crypto'

import { expandTemplate } from '#/logs/logql/planner/expand-template.ts'
import { isLabelName, sortLabels } from '#/logs/model/labels.ts'
import { compileRegex } from '#/platform/regex/compile.ts'
import { checkKeys, countOf, type Data, mapOf, textOf } from '#/ruler/model/config-values.ts'
import type { LabelPairs } from '#/ruler/model/sample.ts'

export type RelabelRule = {
  readonly action: Action
  readonly sourceLabels: readonly string[]
  readonly separator: string
  /** RE2, of the whole text. */
  readonly regex: string
  readonly targetLabel: string
  readonly replacement: string
  readonly modulus: number
}

const actions = [
  'replace',
  'keep',
  'drop',
  'keepequal',
  'dropequal',
  'hashmod',
  'labelmap',
  'labeldrop',
  'labelkeep',
  'lowercase',
  'uppercase',
] as const
type Action = (typeof actions)[number]

const keys = ['action', 'source_labels', 'separator', 'regex', 'target_label', 'replacement', 'modulus']
const targeted: readonly Action[] = ['replace', 'hashmod', 'lowercase', 'uppercase', 'keepequal', 'dropequal']
const maxRules = 100

/** Of Prometheus' `relabel_configs`. @throws Error naming the key and what is wrong with it. */
export function parseRelabelRules(value: unknown): readonly RelabelRule[] {
  if (value === null || value === undefined) return []
  if (!Array.isArray(value)) throw new Error('expected a list of rules')
  if (value.length > maxRules) throw new Error(`${value.length} rules are more than ${maxRules}`)
  return value.map((one, index) => parseRule(mapOf(one, `rule ${index + 1}`), `rule ${index + 1}`))
}

function parseRule(data: Data, where: string): RelabelRule {
  checkKeys(data, keys, where)
  const text = (key: string, otherwise: string): string => textOf(data[key] ?? otherwise, `${where}.${key}`)
  const name = text('action', 'replace').toLowerCase()
  const action = actions.find((one) => one === name)
  if (action === undefined) throw new Error(`${where}.action: '${name}' is none of ${actions.join(', ')}`)
  const sources = data['source_labels'] ?? []
  if (!Array.isArray(sources)) throw new Error(`${where}.source_labels: expected a list of names`)
  const rule = {
    action,
    sourceLabels: sources.map((one) => textOf(one, `${where}.source_labels`)),
    separator: text('separator', ';'),
    regex: text('regex', '(.*)'),
    targetLabel: text('target_label', ''),
    replacement: text('replacement', '$1'),
    modulus: action === 'hashmod' ? countOf(data['modulus'] ?? 0, `${where}.modulus`) : 0,
  }
  const isPattern = action === 'replace' && rule.targetLabel.includes('$')
  if (targeted.includes(action) && !isPattern && !isLabelName(rule.targetLabel)) {
    throw new Error(`${where}.target_label: ${action} needs the name of a label, found '${rule.targetLabel}'`)
  }
  try {
    compileRegex(rule.regex, { anchored: true })
  } catch (error) {
    throw new Error(`${where}.regex: ${(error as Error).message}`, { cause: error })
  }
  return rule
}

/** As it may be written. */
export function formatRelabelRule(rule: RelabelRule): Data {
  const { action, sourceLabels, separator, regex, targetLabel, replacement, modulus } = rule
  return {
    action,
    source_labels: sourceLabels,
    separator,
    regex,
    target_label: targetLabel,
    replacement,
    ...(action === 'hashmod' ? { modulus } : {}),
  }
}

/** Undefined: dropped, also when no label is left. */
export function relabel(labels: LabelPairs, rules: readonly RelabelRule[]): LabelPairs | undefined {
  if (rules.length === 0) return labels
  const changed = new Map(labels)
  for (const rule of rules) if (!applyRule(changed, rule)) return undefined
  const left = [...changed].filter(([, value]) => value !== '')
  return left.length === 0 ? undefined : sortLabels(left)
}

/** Whether what has the labels is kept. */
function applyRule(labels: Map<string, string>, rule: RelabelRule): boolean {
  const { action, targetLabel } = rule
  const value = rule.sourceLabels.map((name) => labels.get(name) ?? '').join(rule.separator)
  const regex = compileRegex(rule.regex, { anchored: true })
  switch (action) {
    case 'keep':
      return regex.test(value)
    case 'drop':
      return !regex.test(value)
    case 'keepequal':
      return (labels.get(targetLabel) ?? '') === value
    case 'dropequal':
      return (labels.get(targetLabel) ?? '') !== value
    case 'lowercase':
      labels.set(targetLabel, value.toLowerCase())
      return true
    case 'uppercase':
      labels.set(targetLabel, value.toUpperCase())
      return true
    case 'hashmod':
      labels.set(targetLabel, hashOf(value, rule.modulus))
      return true
    case 'replace':
      replace(labels, value, rule)
      return true
    case 'labelmap':
    case 'labeldrop':
    case 'labelkeep':
      changeNames(labels, rule)
      return true
  }
}

function replace(labels: Map<string, string>, value: string, { regex, targetLabel, replacement }: RelabelRule): void {
  const compiled = compileRegex(regex, { anchored: true })
  const match = compiled.exec(value)
  if (match === undefined) return
  const target = expandTemplate(targetLabel, compiled, match)
  if (isLabelName(target)) labels.set(target, expandTemplate(replacement, compiled, match))
}

function changeNames(labels: Map<string, string>, { action, regex, replacement }: RelabelRule): void {
  const compiled = compileRegex(regex, { anchored: true })
  for (const [name, value] of new Map(labels)) {
    const match = compiled.exec(name)
    if (action === 'labelmap') {
      if (match !== undefined) labels.set(expandTemplate(replacement, compiled, match), value)
    } else if ((match !== undefined) === (action === 'labeldrop')) labels.delete(name)
  }
}

/** Of the last eight bytes of the MD5 hash, as Prometheus has it, so that both send an alert the same way. */
function hashOf(value: string, modulus: number): string {
  return String(createHash('md5').update(value).digest().readBigUInt64BE(8) % BigInt(modulus))
}
