/**
 * Runs one test of a rule file: lines into an engine in memory, then every group at its interval from time zero on, without a
 * clock; what was expected is compared as soon as its time has come.
 */
import { formatPrometheusDuration } from '#/kernel/duration.ts'
import type { Clock } from '#/kernel/world.ts'
import { formatLabels } from '#/logs/model/labels.ts'
import type { PushStream } from '#/logs/wire/encode-push.ts'
import type { QueryFrontend } from '#/logs/wire/query.ts'
import { silentLogger } from '#/platform/telemetry/logger.ts'
import { frontendQueries } from '#/ruler/evaluate/frontend-queries.ts'
import { GroupRunner } from '#/ruler/evaluate/group-runner.ts'
import type { RuleQueries } from '#/ruler/evaluate/rule-queries.ts'
import type { RuleGroup } from '#/ruler/model/rule-group.ts'
import type { LabelPairs } from '#/ruler/model/sample.ts'
import type { WriteSample } from '#/ruler/write/encode-write.ts'
import type { AlertExpectation, RuleTest, SampleExpectation, TestStream } from './test-file.ts'

/** An engine for the lines of one test. */
export type RuleEngine = {
  readonly frontend: Pick<QueryFrontend, 'instant' | 'range'>
  push(streams: readonly PushStream[]): Promise<void>
}

export type OpenRuleEngine = (tenant: string) => Promise<RuleEngine>

/** Time zero: a midnight, so that ranges of days are whole. */
export const zeroMs = Date.UTC(2000, 0, 1)
export const testTenant = 'test'
/** Lines that one test may have. */
const maxLines = 1_000_000
const linesPerPush = 10_000
const maxEvaluations = 1_000_000
const lineCount = 10

/** @returns what differs from what was expected, a text each. */
export async function runRuleTest(
  test: RuleTest,
  groups: readonly RuleGroup[],
  intervalMs: number,
  engine: RuleEngine,
): Promise<readonly string[]> {
  await pushStreams(test.streams, engine)
  return new TestRun(test, groups, intervalMs, frontendQueries(engine.frontend)).run()
}

class TestRun {
  readonly #test: RuleTest
  readonly #queries: RuleQueries
  readonly #runners: readonly GroupRunner[]
  readonly #problems: string[] = []
  /** Samples of recording rules by name, of their latest evaluation. */
  readonly #recorded = new Map<string, readonly WriteSample[]>()
  #nowMs = zeroMs

  constructor(test: RuleTest, groups: readonly RuleGroup[], intervalMs: number, queries: RuleQueries) {
    this.#test = test
    this.#queries = queries
    this.#runners = groups.map((group) => this.#newRunner(group, group.intervalMs ?? intervalMs))
  }

  async run(): Promise<readonly string[]> {
    const { alerts, records, queries } = this.#test
    const checks = [
      ...alerts.map((one) => ({ atMs: one.atMs, check: async () => this.#checkAlerts(one) })),
      ...records.map((one) => ({ atMs: one.atMs, check: async () => this.#checkRecord(one) })),
      ...queries.map((one) => ({ atMs: one.atMs, check: () => this.#checkQuery(one) })),
    ].toSorted((a, b) => a.atMs - b.atMs)
    for (const { atMs, check } of checks) {
      await this.#evaluateUntil(zeroMs + atMs)
      await check()
    }
    return this.#problems
  }

  /** All evaluations up to a time, included, in the order of time and then of groups. */
  async #evaluateUntil(endMs: number): Promise<void> {
    for (let count = 0; ; count++) {
      if (count > maxEvaluations) throw new Error(`more than ${maxEvaluations} evaluations before one expectation`)
      const dueMs = Math.min(...this.#runners.map(nextTime))
      if (dueMs > endMs) return
      this.#nowMs = dueMs
      for (const runner of this.#runners) if (nextTime(runner) === dueMs) await this.#evaluate(runner, dueMs)
    }
  }

  async #evaluate(runner: GroupRunner, atMs: number): Promise<void> {
    for (const rule of runner.rules) if ('record' in rule) this.#recorded.delete(rule.record.rule.name)
    await runner.evaluate(atMs)
    for (const { health, lastError, ...rule } of runner.rules) {
      const { name } = 'alert' in rule ? rule.alert.rule : rule.record.rule
      if (health === 'err') this.#report(`rule: ${name}, time: ${timeText(atMs - zeroMs)}`, 'an evaluation', lastError)
    }
  }

  #newRunner(group: RuleGroup, intervalMs: number): GroupRunner {
    const { externalLabels, externalUrl } = this.#test
    const context = { externalLabels, externalUrl, lineCount, resendDelayMs: 0, linkTo: () => '' }
    return new GroupRunner({
      id: { tenant: testTenant, namespace: '', group: group.name },
      group,
      intervalMs,
      context: { ...context, tenant: testTenant, queries: this.#queries, logger: silentLogger },
      clock: standingClock(() => this.#nowMs),
      count: { evaluation: nothing, iteration: nothing, missed: nothing, forget: nothing },
      sendAlerts: nothing,
      write: (samples) => this.#keep(samples),
      onEvaluated: nothing,
    })
  }

  #keep(samples: readonly WriteSample[]): void {
    for (const sample of samples) {
      const name = sample.labels.find(([label]) => label === '__name__')?.[1] ?? ''
      if (!sample.isStale) this.#recorded.set(name, [...(this.#recorded.get(name) ?? []), sample])
    }
  }

  #checkAlerts({ atMs, alertname, alerts }: AlertExpectation): void {
    const rules = this.#runners.flatMap(({ rules: all }) =>
      all.flatMap((rule) => ('alert' in rule ? [rule.alert] : [])),
    )
    const firing = rules
      .filter(({ rule }) => rule.name === alertname)
      .flatMap((rule) => rule.alerts.active().filter(({ state }) => state === 'firing'))
    const wantsTexts = alerts.some(({ annotations }) => annotations !== undefined)
    const shown = (labels: LabelPairs, annotations: LabelPairs): string =>
      wantsTexts ? `${formatLabels(labels)} ${formatLabels(annotations)}` : formatLabels(labels)
    const wanted = alerts.map(({ labels, annotations = {} }) =>
      shown(Object.entries({ ...labels, alertname }), Object.entries(annotations)),
    )
    const got = firing.map(({ labels, annotations }) => shown(labels, annotations))
    this.#compare(`alertname: ${alertname}, time: ${timeText(atMs)}`, wanted, got)
  }

  #checkRecord({ atMs, of, samples }: SampleExpectation): void {
    const got = this.#recorded.get(of) ?? []
    const named = samples.map(({ labels, value }) => ({ labels: [...labels, ['__name__', of] as const], value }))
    this.#compare(`record: ${of}, time: ${timeText(atMs)}`, named.map(sampleText), got.map(sampleText))
  }

  async #checkQuery({ atMs, of, samples }: SampleExpectation): Promise<void> {
    const where = `expr: ${of}, time: ${timeText(atMs)}`
    const timeNs = BigInt(zeroMs + atMs) * 1_000_000n
    try {
      const got = await this.#queries.evaluate(testTenant, of, timeNs, new AbortController().signal)
      this.#compare(where, samples.map(sampleText), got.map(sampleText))
    } catch (error) {
      this.#report(where, samples.map(sampleText).join(', '), String(error))
    }
  }

  #compare(where: string, wanted: readonly string[], got: readonly string[]): void {
    const [left, right] = [wanted.toSorted(byText), got.toSorted(byText)]
    if (left.join('\n') !== right.join('\n')) this.#report(where, listText(left), listText(right))
  }

  #report(where: string, wanted: string, got: string): void {
    const name = this.#test.name === '' ? '' : `name: ${this.#test.name}, `
    this.#problems.push(`${name}${where}\n  exp: ${wanted}\n  got: ${got}`)
  }
}

async function pushStreams(streams: readonly TestStream[], engine: RuleEngine): Promise<void> {
  let count = 0
  for (const { labels, lines } of streams) {
    const text = formatLabels(labels)
    let entries: PushStream['entries'][number][] = []
    for (const { fromMs, toMs, everyMs, line, metadata } of lines) {
      for (let atMs = fromMs; atMs <= toMs; atMs += everyMs) {
        if (++count > maxLines) throw new Error(`a test has at most ${maxLines} lines`)
        entries.push({ timeNs: BigInt(zeroMs + atMs) * 1_000_000n, line, metadata })
        if (entries.length < linesPerPush) continue
        await engine.push([{ labels: text, entries }])
        entries = []
      }
    }
    if (entries.length > 0) await engine.push([{ labels: text, entries }])
  }
}

function nextTime({ evaluatedMs, intervalMs }: GroupRunner): number {
  return evaluatedMs === undefined ? zeroMs : evaluatedMs + intervalMs
}

/** Nine digits: sums of floats differ by their order. */
function sampleText({ labels, value }: { readonly labels: LabelPairs; readonly value: number }): string {
  return `${formatLabels(labels)} ${Number(value.toPrecision(9))}`
}

const listText = (texts: readonly string[]): string => (texts.length === 0 ? 'nothing' : texts.join('\n       '))
const timeText = (ms: number): string => formatPrometheusDuration(ms * 1e6)
const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
const nothing = (): void => undefined

function standingClock(nowMs: () => number): Clock {
  return {
    nowNs: () => BigInt(nowMs()) * 1_000_000n,
    nowMs,
    monotonicMs: nowMs,
    sleep: () => Promise.resolve(),
    every: () => nothing,
  }
}
