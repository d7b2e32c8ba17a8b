/** Evaluates one alerting rule: query, labels, states, lines, annotations, and what is to be told. */
import { EddaError } from '#/kernel/errors.ts'
import type { AlertingRule, TextMap } from '#/ruler/model/rule-group.ts'
import { labelKey, type LabelPairs, type Sample, withLabels } from '#/ruler/model/sample.ts'
import type { OutgoingAlert } from '#/ruler/notify/alert.ts'
import { expandOrExplain, type TemplateInput, usesLines } from '#/ruler/template/rule-template.ts'
import { type Alert, AlertTable, isDue } from './alert-table.ts'
import { linesQuery } from './lines-query.ts'
import type { EvaluationTime, RuleContext } from './rule-context.ts'

/** Alerts of one rule for which lines are looked for at one evaluation; the others keep those that they have. */
const maxLineQueries = 20
/** Longer lines are cut, and so is what does not fit: alerts are kept in memory, and sent again and again. */
const maxLineChars = 2048
const maxLinesChars = 8192
/** Longer labels and annotations are cut. */
const maxTextChars = 16_384

type Series = { readonly sample: Sample; readonly labels: LabelPairs }

export class AlertRule {
  readonly rule: AlertingRule
  readonly alerts = new AlertTable()
  readonly #labels: TextMap
  readonly #context: RuleContext
  readonly #wantsLines: boolean

  /** `labels` are those of the rule and its group. */
  constructor(rule: AlertingRule, labels: TextMap, context: RuleContext) {
    this.rule = rule
    this.#labels = labels
    this.#context = context
    this.#wantsLines = context.lineCount > 0 && Object.values(rule.annotations).some(usesLines)
  }

  /** Returns how many series the query gave. @throws EddaError; then nothing has changed, but with too many alerts all are gone. */
  async evaluate(time: EvaluationTime, limit: number, signal: AbortSignal): Promise<number> {
    const { tenant, queries } = this.#context
    const samples = await queries.evaluate(tenant, this.rule.expr, time.queryNs, signal)
    const series = this.#labelled(samples, time)
    const found = series.map(({ labels, sample }) => ({ labels, value: sample.value }))
    this.alerts.update(found, time.atMs, this.rule)
    const active = this.alerts.active().length
    if (limit > 0 && active > limit) {
      this.alerts.clear()
      throw new EddaError('limit_exceeded', `exceeded limit of ${limit} with ${active} alerts`)
    }
    await this.#annotate(series, time, signal)
    return series.length
  }

  /** Alerts to be told at `atMs`; they count as told from now on. */
  takeDue(atMs: number, resendDelayMs: number, intervalMs: number): OutgoingAlert[] {
    const due = [...this.alerts.all()].filter((alert) => isDue(alert, atMs, resendDelayMs))
    return due.map((alert) => {
      alert.lastSentMs = atMs
      return {
        labels: withLabels(alert.labels, missing(this.#context.externalLabels, alert.labels)),
        annotations: alert.annotations,
        startsAtMs: alert.firedAtMs ?? alert.activeAtMs,
        // two evaluations or messages may fail before it counts as resolved
        endsAtMs: alert.resolvedAtMs ?? atMs + 4 * Math.max(resendDelayMs, intervalMs),
        generatorUrl: this.#context.linkTo(this.rule.expr, alert.activeAtMs, atMs),
      }
    })
  }

  #labelled(samples: readonly Sample[], time: EvaluationTime): Series[] {
    const seen = new Set<string>()
    return samples.map((sample) => {
      const input = this.#input(sample.labels, sample.value, [], time)
      const own = Object.entries(this.#labels).map(([name, text]) => [name, this.#expand(text, input)])
      const labels = withLabels(sample.labels, { ...Object.fromEntries(own), alertname: this.rule.name })
      const key = labelKey(labels)
      if (seen.has(key)) {
        throw new EddaError(
          'unprocessable',
          'vector contains metrics with the same labelset after applying alert labels',
        )
      }
      seen.add(key)
      return { sample, labels }
    })
  }

  async #annotate(series: readonly Series[], time: EvaluationTime, signal: AbortSignal): Promise<void> {
    let questions = 0
    for (const { sample, labels } of series) {
      const alert = this.alerts.get(labels)
      if (alert === undefined) continue
      if (this.#wantsLines && isDue(alert, time.atMs, this.#context.resendDelayMs) && questions < maxLineQueries) {
        questions++
        alert.lines = await this.#linesOf(alert, sample.labels, time, signal)
      }
      const input = this.#input(sample.labels, sample.value, alert.lines, time)
      const texts = Object.entries(this.rule.annotations).map(([name, text]) => [name, this.#expand(text, input)])
      alert.annotations = withLabels([], Object.fromEntries(texts))
    }
  }

  /** An alert without its lines is better than none. */
  async #linesOf(
    alert: Alert,
    labels: LabelPairs,
    time: EvaluationTime,
    signal: AbortSignal,
  ): Promise<readonly string[]> {
    const { tenant, queries, lineCount, logger } = this.#context
    const query = linesQuery(this.rule.expr, labels, time.queryNs, lineCount)
    if (query === undefined) return []
    try {
      const lines = await queries.newestLines(tenant, query, signal)
      return fitting(lines)
    } catch (error) {
      logger.warn('the lines behind an alert could not be read', { rule: this.rule.name, error: String(error) })
      return alert.lines
    }
  }

  #input(labels: LabelPairs, value: number, lines: readonly string[], time: EvaluationTime): TemplateInput {
    const { externalLabels, externalUrl } = this.#context
    return { labels, value, lines, externalLabels, externalUrl, nowNs: BigInt(time.atMs) * 1_000_000n }
  }

  #expand(template: string, input: TemplateInput): string {
    const { text, problem } = expandOrExplain(template, `__alert_${this.rule.name}`, input)
    if (problem !== undefined)
      this.#context.logger.warn('a template could not be expanded', { rule: this.rule.name, problem })
    return cut(text, maxTextChars)
  }
}

/** The first of them that fit. */
function fitting(lines: readonly string[]): string[] {
  let room = maxLinesChars
  const kept: string[] = []
  for (const line of lines) {
    if (room <= 0) break
    kept.push(cut(line, Math.min(maxLineChars, room)))
    room -= line.length
  }
  return kept
}

function cut(text: string, maxChars: number): string {
  return text.length > maxChars ? `${text.slice(0, maxChars).toWellFormed()}…` : text
}

/** External labels do not replace those that are there. */
export function missing(more: TextMap, labels: LabelPairs): TextMap {
  const names = new Set(labels.map(([name]) => name))
  return Object.fromEntries(Object.entries(more).filter(([name]) => !names.has(name)))
}
