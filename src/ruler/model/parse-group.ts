/** From plain YAML data to rule groups. Collects everything that is wrong, each with the path of keys at which it is. */
import { formatPrometheusDuration, parsePrometheusDuration } from '#/kernel/duration.ts'
import { BadRequest } from '#/kernel/errors.ts'
import { parseExpr } from '#/logs/logql/parser/parse-expr.ts'
import { isLabelName } from '#/logs/model/labels.ts'
import { nearestName } from '#/platform/config/nearest-name.ts'
import { templateProblem } from '#/ruler/template/rule-template.ts'
import type { AlertingRule, RecordingRule, Rule, RuleGroup, TextMap } from './rule-group.ts'

export type KeyPath = readonly (string | number)[]
export type OnProblem = (path: KeyPath, message: string) => void
type Data = Readonly<Record<string, unknown>>

const groupKeys = ['name', 'interval', 'query_offset', 'limit', 'labels', 'rules', 'source_tenants']
const ruleKeys = ['record', 'alert', 'expr', 'for', 'keep_firing_for', 'labels', 'annotations']
const metricName = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/
/** Longest interval: whatever is longer was meant otherwise. */
const maxIntervalMs = 366 * 86_400_000

/** The groups of a file, `groups: […]`. What is wrong goes to `onProblem`, and is left out. */
export function parseGroups(data: unknown, onProblem: OnProblem): readonly RuleGroup[] {
  if (data === null || data === undefined) return []
  if (!isRecord(data)) return (onProblem([], 'expected a map with the key groups'), [])
  checkKeys(data, ['groups'], [], onProblem)
  const list = data['groups'] ?? []
  if (!Array.isArray(list)) return (onProblem(['groups'], 'groups: expected a list'), [])
  const groups: RuleGroup[] = []
  for (const [index, one] of list.entries()) {
    const group = parseGroup(one, (path, message) => onProblem(['groups', index, ...path], message))
    if (group === undefined) continue
    if (groups.some(({ name }) => name === group.name)) {
      onProblem(['groups', index, 'name'], `groupname: "${group.name}" is repeated in the same file`)
    }
    groups.push(group)
  }
  return groups
}

/** One group; undefined when it is so wrong that nothing can be said of it. */
export function parseGroup(data: unknown, onProblem: OnProblem): RuleGroup | undefined {
  if (!isRecord(data)) return fault(onProblem, [], 'a rule group is a map of keys')
  checkKeys(data, groupKeys, [], onProblem)
  const { name } = data
  if (typeof name !== 'string' || name === '') onProblem(['name'], 'group name must not be empty')
  if (data['source_tenants'] !== undefined) onProblem(['source_tenants'], 'source_tenants is not supported')
  const groupName = typeof name === 'string' ? name : ''
  const rules = data['rules'] ?? []
  if (!Array.isArray(rules)) onProblem(['rules'], 'rules: expected a list')
  const parsed = (Array.isArray(rules) ? rules : []).map((rule, index) =>
    parseRule(rule, groupName, (path, message) => onProblem(['rules', index, ...path], message)),
  )
  const intervalMs = durationOf(data, 'interval', onProblem)
  return {
    name: groupName,
    intervalMs: intervalMs === 0 ? undefined : intervalMs,
    queryOffsetMs: durationOf(data, 'query_offset', onProblem),
    limit: limitOf(data, onProblem),
    labels: labelsFrom(data['labels'], ['labels'], onProblem),
    rules: parsed.filter((rule) => rule !== undefined),
  }
}

function parseRule(data: unknown, group: string, onProblem: OnProblem): Rule | undefined {
  if (!isRecord(data)) return fault(onProblem, [], 'a rule is a map of keys')
  checkKeys(data, ruleKeys, [], onProblem)
  const record = textOf(data, 'record', onProblem)
  const alert = textOf(data, 'alert', onProblem)
  if (record !== '' && alert !== '') return fault(onProblem, [], "only one of 'record' and 'alert' must be set")
  if (record === '' && alert === '') return fault(onProblem, [], "one of 'record' or 'alert' must be set")
  const kind = record === '' ? 'alert' : 'record'
  const name = record === '' ? alert : record
  const where = `${kind} '${name}' in group '${group}'`
  const expr = checkedExpr(data, where, onProblem)
  const labels = labelsFrom(data['labels'], ['labels'], onProblem)
  return kind === 'record'
    ? recordingRule({ kind, name, expr, labels }, data, onProblem)
    : alertingRule({ name, expr, labels }, data, onProblem)
}

function recordingRule(rule: RecordingRule, data: Data, onProblem: OnProblem): RecordingRule {
  for (const key of ['annotations', 'for', 'keep_firing_for']) {
    if (data[key] !== undefined) onProblem([key], `invalid field '${key}' in recording rule`)
  }
  if (!metricName.test(rule.name)) onProblem(['record'], `invalid recording rule name: ${rule.name}`)
  return rule
}

function alertingRule(
  { name, expr, labels }: Pick<AlertingRule, 'name' | 'expr' | 'labels'>,
  data: Data,
  onProblem: OnProblem,
): AlertingRule {
  const annotations = textMap(data['annotations'], ['annotations'], onProblem)
  for (const key of Object.keys(annotations)) {
    if (!isLabelName(key)) onProblem(['annotations', key], `invalid annotation name: ${key}`)
  }
  for (const [key, texts] of [['labels', labels] as const, ['annotations', annotations] as const]) {
    for (const [one, text] of Object.entries(texts)) {
      const problem = templateProblem(text, `__alert_${name}`)
      if (problem !== undefined)
        onProblem([key, one], `${key === 'labels' ? 'label' : 'annotation'} "${one}": ${problem}`)
    }
  }
  const forMs = durationOf(data, 'for', onProblem)
  const keepFiringForMs = durationOf(data, 'keep_firing_for', onProblem)
  return { kind: 'alert', name, expr, labels, annotations, forMs, keepFiringForMs }
}

function checkedExpr(data: Data, where: string, onProblem: OnProblem): string {
  const given = data['expr']
  // `expr: 1` is a number in YAML and a query here
  const expr = typeof given === 'number' ? String(given) : textOf(data, 'expr', onProblem)
  if (expr.trim() === '') return (onProblem(['expr'], `field 'expr' must be set in rule (${where})`), '')
  try {
    if (parseExpr(expr).kind === 'log') {
      onProblem(['expr'], `expression for ${where} is a log query; a rule needs numbers, e.g. count_over_time(… [5m])`)
    }
  } catch (error) {
    if (!(error instanceof BadRequest)) throw error
    onProblem(['expr'], `could not parse expression for ${where}: ${error.message}`)
  }
  return expr
}

function labelsFrom(value: unknown, path: KeyPath, onProblem: OnProblem): TextMap {
  const labels = textMap(value, path, onProblem)
  for (const name of Object.keys(labels)) {
    if (!isLabelName(name) || name === '__name__') onProblem([...path, name], `invalid label name: ${name}`)
  }
  return labels
}

/** Numbers and booleans are the texts that they were written as, near enough. */
function textMap(value: unknown, path: KeyPath, onProblem: OnProblem): TextMap {
  if (value === undefined || value === null) return {}
  if (!isRecord(value)) return (onProblem(path, `${path.at(-1)}: expected a map of texts`), {})
  const texts: Record<string, string> = {}
  for (const [key, one] of Object.entries(value)) {
    if (typeof one === 'object' && one !== null) onProblem([...path, key], `${path.at(-1)}.${key}: expected a text`)
    else texts[key] = one === null ? '' : String(one as string | number | boolean)
  }
  return texts
}

function textOf(data: Data, key: string, onProblem: OnProblem): string {
  const value = data[key]
  if (value === undefined || value === null || typeof value === 'string') return value ?? ''
  onProblem([key], `${key}: expected a text, found ${JSON.stringify(value)}`)
  return ''
}

function durationOf(data: Data, key: string, onProblem: OnProblem): number {
  const value = data[key]
  if (value === undefined || value === null || value === 0) return 0
  const ns = typeof value === 'string' ? parsePrometheusDuration(value) : undefined
  if (ns === undefined) {
    onProblem([key], `${key}: not a valid duration string: ${JSON.stringify(value)}`)
    return 0
  }
  const ms = ns / 1e6
  if (ms <= maxIntervalMs) return ms
  onProblem([key], `${key}: ${value as string} exceeds the limit of ${formatPrometheusDuration(maxIntervalMs * 1e6)}`)
  return 0
}

function limitOf(data: Data, onProblem: OnProblem): number {
  const value = data['limit'] ?? 0
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value
  onProblem(['limit'], `limit: expected a whole number, found ${JSON.stringify(value)}`)
  return 0
}

function checkKeys(data: Data, known: readonly string[], path: KeyPath, onProblem: OnProblem): void {
  for (const key of Object.keys(data)) {
    if (known.includes(key)) continue
    const near = nearestName(key, known)
    onProblem([...path, key], `field ${key} not found${near === undefined ? '' : `, did you mean ${near}?`}`)
  }
}

function fault(onProblem: OnProblem, path: KeyPath, message: string): undefined {
  onProblem(path, message)
  return undefined
}

function isRecord(value: unknown): value is Data {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
