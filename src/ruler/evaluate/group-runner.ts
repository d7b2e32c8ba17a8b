/**
 * Evaluates one group: its rules one after another, each time the schedule says so. Evaluations never overlap; those that would
 * have are skipped and counted as missed. A rule that fails does not keep the others from running.
 */
import { Cancelled, EddaError } from '#/kernel/errors.ts'
import type { Clock } from '#/kernel/world.ts'
import { labelsOf, type Rule, type RuleGroup, ruleKey } from '#/ruler/model/rule-group.ts'
import type { SavedGroup } from '#/ruler/model/saved-state.ts'
import type { OutgoingAlert } from '#/ruler/notify/alert.ts'
import type { WriteSample } from '#/ruler/write/encode-write.ts'
import { AlertRule } from './alert-rule.ts'
import type { GroupCounter } from './group-metrics.ts'
import { RecordRule } from './record-rule.ts'
import type { EvaluationTime, RuleContext } from './rule-context.ts'
import { following, type GroupId, nextEvaluation, offsetOf } from './schedule.ts'

export type GroupRunnerOptions = {
  readonly id: GroupId
  readonly group: RuleGroup
  readonly intervalMs: number
  readonly context: RuleContext
  readonly clock: Clock
  readonly count: GroupCounter
  readonly sendAlerts: (alerts: readonly OutgoingAlert[]) => void
  readonly write: (samples: readonly WriteSample[]) => void
  /** Alerts may have changed. */
  readonly onEvaluated: () => void
}

/** How the last evaluation of a rule went. */
export type RuleHealth = {
  health: 'unknown' | 'ok' | 'err'
  lastError: string
  evaluatedMs: number | undefined
  evaluationSeconds: number
}

export type RunningRule = RuleHealth & ({ readonly alert: AlertRule } | { readonly record: RecordRule })

export type RestoreOptions = { readonly nowMs: number; readonly graceMs: number; readonly toleranceMs: number }

/** Timers of some systems end at 24 days. */
const maxSleepMs = 86_400_000

export class GroupRunner {
  readonly id: GroupId
  readonly group: RuleGroup
  readonly intervalMs: number
  readonly rules: readonly RunningRule[]
  evaluatedMs: number | undefined
  evaluationSeconds = 0
  readonly #options: GroupRunnerOptions
  /** Until when the alerts that were taken over are accounted for. */
  #restoredMs = 0
  readonly #stop = new AbortController()
  /** Of the evaluation that runs: queries may keep listening to a signal for as long as it lives. */
  #evaluation = new AbortController()
  #running: Promise<void> | undefined

  constructor(options: GroupRunnerOptions) {
    this.#options = options
    this.id = options.id
    this.group = options.group
    this.intervalMs = options.intervalMs
    this.rules = options.group.rules.map((rule) => newRule(rule, options))
  }

  start(): void {
    this.#running ??= this.#run()
  }

  /** Resolves when no evaluation runs any more. */
  async stop(): Promise<void> {
    this.#stop.abort()
    this.#evaluation.abort(new Cancelled('the ruler stops'))
    await this.#running
  }

  async #run(): Promise<void> {
    const { clock, count } = this.#options
    const { signal } = this.#stop
    let atMs = nextEvaluation(clock.nowMs(), this.intervalMs, offsetOf(this.id, this.intervalMs))
    for (;;) {
      while (clock.nowMs() < atMs && !signal.aborted) {
        await clock.sleep(Math.min(atMs - clock.nowMs(), maxSleepMs), signal).catch(() => undefined)
      }
      if (signal.aborted) return
      await this.evaluate(atMs)
      const next = following(atMs, clock.nowMs(), this.intervalMs)
      if (next.missed > 0) count.missed(next.missed)
      atMs = next.atMs
    }
  }

  /** Evaluates all rules as of `atMs`. Never rejects: what goes wrong is said by each rule's health. */
  async evaluate(atMs: number): Promise<void> {
    const { clock, count } = this.#options
    const { signal } = this.#stop
    this.#evaluation = new AbortController()
    const time = { atMs, queryNs: BigInt(Math.round(atMs - this.group.queryOffsetMs)) * 1_000_000n }
    const startedMs = clock.monotonicMs()
    let samples = 0
    for (const rule of this.rules) {
      if (signal.aborted) return
      samples += await this.#evaluateRule(rule, time)
    }
    this.evaluatedMs = atMs
    this.evaluationSeconds = (clock.monotonicMs() - startedMs) / 1000
    count.iteration({ atMs, seconds: this.evaluationSeconds, samples })
    this.#options.onEvaluated()
  }

  async #evaluateRule(rule: RunningRule, time: EvaluationTime): Promise<number> {
    const { clock, count, context } = this.#options
    const startedMs = clock.monotonicMs()
    let samples = 0
    try {
      samples = 'alert' in rule ? await this.#evaluateAlert(rule.alert, time) : await this.#record(rule.record, time)
      rule.health = 'ok'
      rule.lastError = ''
    } catch (error) {
      if (this.#stop.signal.aborted) return 0
      rule.health = 'err'
      rule.lastError = error instanceof Error ? error.message : String(error)
      const text = error instanceof EddaError ? rule.lastError : (error as Error).stack
      const { name } = 'alert' in rule ? rule.alert.rule : rule.record.rule
      context.logger.warn('a rule could not be evaluated', { ...this.id, rule: name, error: text })
    }
    rule.evaluatedMs = time.atMs
    rule.evaluationSeconds = (clock.monotonicMs() - startedMs) / 1000
    count.evaluation(rule.health === 'ok', rule.evaluationSeconds)
    return samples
  }

  async #evaluateAlert(alert: AlertRule, time: EvaluationTime): Promise<number> {
    const { context, sendAlerts } = this.#options
    const found = await alert.evaluate(time, this.group.limit, this.#evaluation.signal)
    sendAlerts(alert.takeDue(time.atMs, context.resendDelayMs, this.intervalMs))
    return found
  }

  async #record(record: RecordRule, time: EvaluationTime): Promise<number> {
    const samples = await record.evaluate(time, this.group.limit, this.#evaluation.signal)
    this.#options.write(samples)
    return samples.length
  }

  /** Takes over the alerts and series of rules with the same name and labels; `before` must have stopped. */
  continue(before: GroupRunner): void {
    const left = new Set(before.rules)
    for (const rule of this.rules) {
      const old = [...left].find((one) => keyOf(one) === keyOf(rule))
      if (old === undefined) continue
      left.delete(old)
      if ('alert' in rule && 'alert' in old) rule.alert.alerts.continue(old.alert.alerts)
      if ('record' in rule && 'record' in old) rule.record.continue(old.record)
    }
    before.end()
  }

  /** The group is no more: marks the end of the series that it wrote. */
  end(): void {
    const nowMs = this.#options.clock.nowMs()
    this.#options.write(this.rules.flatMap((rule) => ('record' in rule ? rule.record.end(nowMs) : [])))
  }

  save(): SavedGroup {
    return {
      namespace: this.id.namespace,
      group: this.id.group,
      evaluatedMs: this.evaluatedMs ?? this.#restoredMs,
      rules: this.rules.flatMap((rule) => {
        const alerts = 'alert' in rule ? rule.alert.alerts.save() : []
        return alerts.length === 0 ? [] : [{ key: keyOf(rule), alerts }]
      }),
    }
  }

  /** Takes over what was saved before a restart, unless that is too long ago. */
  restore({ evaluatedMs, rules }: SavedGroup, { nowMs, graceMs, toleranceMs }: RestoreOptions): void {
    if (nowMs - evaluatedMs > toleranceMs) return
    this.#restoredMs = nowMs
    const left = [...rules]
    for (const rule of this.rules) {
      const at = left.findIndex(({ key }) => key === keyOf(rule))
      const [saved] = at < 0 ? [] : left.splice(at, 1)
      if (saved === undefined || !('alert' in rule)) continue
      rule.alert.alerts.restore(saved.alerts, rule.alert.rule, { nowMs, downAtMs: evaluatedMs, graceMs })
    }
  }
}

function newRule(rule: Rule, { group, context }: GroupRunnerOptions): RunningRule {
  const health: RuleHealth = { health: 'unknown', lastError: '', evaluatedMs: undefined, evaluationSeconds: 0 }
  const labels = labelsOf(group, rule)
  return rule.kind === 'alert'
    ? { ...health, alert: new AlertRule(rule, labels, context) }
    : { ...health, record: new RecordRule(rule, labels, context) }
}

function keyOf(rule: RunningRule): string {
  return ruleKey('alert' in rule ? rule.alert.rule : rule.record.rule)
}
