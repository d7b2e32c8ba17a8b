/**
 * Files that say what rules should do with given lines, in the manner of promtool: rule files, streams of lines from time zero on,
 * and what is expected at some times.
 */
import { parsePrometheusDuration } from '#/kernel/duration.ts'
import { parseLabels } from '#/logs/model/labels.ts'
import { parseYaml } from '#/platform/config/read-yaml.ts'
import type { TextMap } from '#/ruler/model/rule-group.ts'
import type { LabelPairs } from '#/ruler/model/sample.ts'

export type RuleTestFile = {
  /** As written, relative to the test file. */
  readonly ruleFiles: readonly string[]
  /** Interval of groups that do not say theirs. */
  readonly evaluationIntervalMs: number
  readonly tests: readonly RuleTest[]
}

export type RuleTest = {
  readonly name: string
  readonly streams: readonly TestStream[]
  readonly alerts: readonly AlertExpectation[]
  readonly records: readonly SampleExpectation[]
  readonly queries: readonly SampleExpectation[]
  readonly externalLabels: TextMap
  readonly externalUrl: string
}

export type TestStream = { readonly labels: LabelPairs; readonly lines: readonly TestLine[] }

/** One line, or one every `everyMs` from `fromMs` to `toMs`, both included. Milliseconds after time zero. */
export type TestLine = {
  readonly fromMs: number
  readonly toMs: number
  readonly everyMs: number
  readonly line: string
  readonly metadata: LabelPairs
}

/** The firing alerts of one name at a time. */
export type AlertExpectation = {
  readonly atMs: number
  readonly alertname: string
  readonly alerts: readonly { readonly labels: TextMap; readonly annotations: TextMap | undefined }[]
}

/** What a recording rule gave last, or what a query gives. */
export type SampleExpectation = {
  readonly atMs: number
  /** Name of the recording rule, or the query. */
  readonly of: string
  readonly samples: readonly { readonly labels: LabelPairs; readonly value: number }[]
}

type Data = Readonly<Record<string, unknown>>

const fileKeys = ['rule_files', 'evaluation_interval', 'group_eval_order', 'fuzzy_compare', 'tests']
const testKeys = [
  'name',
  'interval',
  'input_streams',
  'alert_rule_test',
  'recording_rule_test',
  'logql_expr_test',
  'external_labels',
  'external_url',
]
const lineKeys = ['at', 'from', 'to', 'every', 'line', 'metadata']

/** @throws Error naming the place and what is wrong there. */
export function readTestFile(name: string, text: string): RuleTestFile {
  const problems: string[] = []
  const file = parseYaml(name, text, (problem) => problems.push(problem))
  if (file === undefined) throw new Error(problems.join('\n'))
  const data = mapOf(file.document.toJS(), name)
  checkKeys(data, fileKeys, name)
  const interval = durationOf(data['evaluation_interval'] ?? '1m', 'evaluation_interval')
  if (interval <= 0) throw new Error('evaluation_interval must be more than 0s')
  return {
    ruleFiles: listOf(data['rule_files'], 'rule_files').map((one) => textOf(one, 'rule_files')),
    evaluationIntervalMs: interval,
    tests: listOf(data['tests'], 'tests').map((one, index) => readTest(one, `tests[${index}]`)),
  }
}

function readTest(value: unknown, where: string): RuleTest {
  const data = mapOf(value, where)
  checkKeys(data, testKeys, where)
  const samplesOf = (key: string, name: string): SampleExpectation[] =>
    listOf(data[key], `${where}.${key}`).map((one, index) => readSamples(one, name, `${where}.${key}[${index}]`))
  return {
    name: data['name'] === undefined ? '' : textOf(data['name'], `${where}.name`),
    streams: listOf(data['input_streams'], `${where}.input_streams`).map((one, index) =>
      readStream(one, `${where}.input_streams[${index}]`),
    ),
    alerts: listOf(data['alert_rule_test'], `${where}.alert_rule_test`).map((one, index) =>
      readAlerts(one, `${where}.alert_rule_test[${index}]`),
    ),
    records: samplesOf('recording_rule_test', 'record'),
    queries: samplesOf('logql_expr_test', 'expr'),
    externalLabels: textsOf(data['external_labels'] ?? {}, `${where}.external_labels`),
    externalUrl: textOf(data['external_url'] ?? '', `${where}.external_url`),
  }
}

function readStream(value: unknown, where: string): TestStream {
  const data = mapOf(value, where)
  checkKeys(data, ['stream', 'lines'], where)
  return {
    labels: labelsOf(data['stream'], `${where}.stream`),
    lines: listOf(data['lines'], `${where}.lines`).map((one, index) => readLine(one, `${where}.lines[${index}]`)),
  }
}

function readLine(value: unknown, where: string): TestLine {
  const data = mapOf(value, where)
  checkKeys(data, lineKeys, where)
  const line = textOf(data['line'], `${where}.line`)
  const metadata = labelsOf(data['metadata'] ?? {}, `${where}.metadata`)
  if (data['at'] !== undefined) {
    const atMs = durationOf(data['at'], `${where}.at`)
    return { fromMs: atMs, toMs: atMs, everyMs: 1, line, metadata }
  }
  const [fromMs, toMs] = [durationOf(data['from'] ?? '0s', `${where}.from`), durationOf(data['to'], `${where}.to`)]
  const everyMs = durationOf(data['every'], `${where}.every`)
  if (everyMs <= 0) throw new Error(`${where}.every must be more than 0s`)
  return { fromMs, toMs, everyMs, line, metadata }
}

function readAlerts(value: unknown, where: string): AlertExpectation {
  const data = mapOf(value, where)
  checkKeys(data, ['eval_time', 'alertname', 'exp_alerts'], where)
  const alerts = listOf(data['exp_alerts'], `${where}.exp_alerts`).map((one, index) => {
    const alert = mapOf(one, `${where}.exp_alerts[${index}]`)
    checkKeys(alert, ['exp_labels', 'exp_annotations'], `${where}.exp_alerts[${index}]`)
    const { exp_labels: labels, exp_annotations: annotations } = alert
    return {
      labels: textsOf(labels ?? {}, `${where}.exp_labels`),
      annotations: annotations === undefined ? undefined : textsOf(annotations, `${where}.exp_annotations`),
    }
  })
  return { atMs: evalTime(data, where), alertname: textOf(data['alertname'], `${where}.alertname`), alerts }
}

function readSamples(value: unknown, name: string, where: string): SampleExpectation {
  const data = mapOf(value, where)
  checkKeys(data, ['eval_time', name, 'exp_samples'], where)
  const samples = listOf(data['exp_samples'], `${where}.exp_samples`).map((one, index) => {
    const sample = mapOf(one, `${where}.exp_samples[${index}]`)
    checkKeys(sample, ['labels', 'value'], `${where}.exp_samples[${index}]`)
    const number = sample['value']
    if (typeof number !== 'number') throw new Error(`${where}.exp_samples[${index}].value: expected a number`)
    return { labels: labelsOf(sample['labels'] ?? {}, `${where}.exp_samples[${index}].labels`), value: number }
  })
  return { atMs: evalTime(data, where), of: textOf(data[name], `${where}.${name}`), samples }
}

const evalTime = (data: Data, where: string): number => durationOf(data['eval_time'], `${where}.eval_time`)

/** A map, or Prometheus' text `{a="b"}`. */
function labelsOf(value: unknown, where: string): LabelPairs {
  return parseLabels(typeof value === 'string' ? value : labelText(textsOf(value, where)))
}

function labelText(labels: TextMap): string {
  return `{${Object.entries(labels)
    .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
    .join(',')}}`
}

function durationOf(value: unknown, where: string): number {
  const ns = typeof value === 'string' ? parsePrometheusDuration(value) : value === 0 ? 0 : undefined
  if (ns === undefined) throw new Error(`${where}: expected a duration such as 5m`)
  return ns / 1e6
}

function checkKeys(data: Data, known: readonly string[], where: string): void {
  const unknown = Object.keys(data).find((key) => !known.includes(key))
  if (unknown !== undefined) throw new Error(`${where}: unknown key ${unknown}, known are ${known.join(', ')}`)
}

function mapOf(value: unknown, where: string): Data {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Data
  throw new Error(`${where}: expected a map`)
}

function listOf(value: unknown, where: string): readonly unknown[] {
  if (value === undefined || value === null) return []
  if (Array.isArray(value)) return value
  throw new Error(`${where}: expected a list`)
}

function textOf(value: unknown, where: string): string {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return String(value)
  throw new Error(`${where}: expected a text`)
}

function textsOf(value: unknown, where: string): TextMap {
  return Object.fromEntries(
    Object.entries(mapOf(value, where)).map(([key, one]) => [key, textOf(one, `${where}.${key}`)]),
  )
}
