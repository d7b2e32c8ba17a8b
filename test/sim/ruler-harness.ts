/** A ruler over an engine in memory and a clock that is moved by hand; what it tells and writes is kept. */
import { openMemoryLogs } from '#/logs/roles/memory-logs.ts'
import { MemoryStore } from '#/platform/objstore/memory.ts'
import { silentLogger } from '#/platform/telemetry/logger.ts'
import { Metrics } from '#/platform/telemetry/metrics.ts'
import { realClock } from '#/platform/world/real-clock.ts'
import { frontendQueries } from '#/ruler/evaluate/frontend-queries.ts'
import { groupMetrics } from '#/ruler/evaluate/group-metrics.ts'
import type { RuleQueries } from '#/ruler/evaluate/rule-queries.ts'
import { readRuleGroup } from '#/ruler/model/read-rules.ts'
import type { OutgoingAlert } from '#/ruler/notify/alert.ts'
import { rulerMetrics } from '#/ruler/ruler-metrics.ts'
import { Ruler } from '#/ruler/ruler.ts'
import { ObjectRuleStore } from '#/ruler/store/object-rule-store.ts'
import { StateStore } from '#/ruler/store/state-store.ts'
import type { WriteSample } from '#/ruler/write/encode-write.ts'
import { SimClock } from './world/sim-clock.ts'

export const tenant = 'acme'
/** A clock step, in which evaluations that begin also end. */
const stepMs = 15_000

export class RulerHarness {
  readonly clock = new SimClock(Date.UTC(2026, 0, 15))
  readonly startMs = this.clock.nowMs()
  readonly logs = openMemoryLogs(realClock, tenant)
  readonly store = new MemoryStore(this.clock)
  /** With the time at which they were told. */
  readonly told: { readonly atMs: number; readonly alert: OutgoingAlert }[] = []
  readonly written: WriteSample[] = []
  /** Queries with their times. */
  readonly asked: { readonly query: string; readonly timeNs: bigint }[] = []
  /** Set to hold all queries. */
  gate: Promise<void> = Promise.resolve()
  metrics = new Metrics()
  ruler = this.#newRuler()
  #busy = 0

  #newRuler(): Ruler {
    const queries = this.#queries()
    return new Ruler({
      rules: new ObjectRuleStore(this.store),
      states: new StateStore(this.store),
      contextOf: () => ({
        tenant,
        queries,
        logger: silentLogger,
        externalLabels: { region: 'eu' },
        externalUrl: 'http://edda',
        linkTo: (expr) => `http://edda/?q=${encodeURIComponent(expr)}`,
        resendDelayMs: 60_000,
        lineCount: 3,
      }),
      isEnabled: () => true,
      send: (_tenant, alerts) => this.told.push(...alerts.map((alert) => ({ atMs: this.clock.nowMs(), alert }))),
      write: (_tenant, samples) => this.written.push(...samples),
      clock: this.clock,
      logger: silentLogger,
      metrics: { groups: groupMetrics(this.metrics), ruler: rulerMetrics(this.metrics) },
      evaluationIntervalMs: 60_000,
      pollMs: 60_000,
      outage: { toleranceMs: 3_600_000, graceMs: 600_000 },
    })
  }

  #queries(): RuleQueries {
    const engine = frontendQueries(this.logs.frontend)
    const counted = async <T>(run: () => Promise<T>): Promise<T> => {
      this.#busy++
      await this.gate
      return run().finally(() => this.#busy--)
    }
    return {
      evaluate: (who, query, timeNs, signal) => {
        this.asked.push({ query, timeNs })
        return counted(() => engine.evaluate(who, query, timeNs, signal))
      },
      newestLines: (who, query, signal) => counted(() => engine.newestLines(who, query, signal)),
    }
  }

  /** As a new process would. */
  async restart({ downMs }: { readonly downMs: number }): Promise<void> {
    await this.ruler.stop()
    await this.clock.advance(downMs)
    this.metrics = new Metrics()
    this.ruler = this.#newRuler()
    await this.ruler.start()
  }

  async set(text: string, namespace = 'ns'): Promise<void> {
    await this.ruler.set(tenant, namespace, readRuleGroup(text))
  }

  /** Lines of `{app=…}`, at seconds after the start. */
  async push(app: string, lines: readonly (readonly [second: number, line: string])[]): Promise<void> {
    const entries = lines.map(([second, line]) => ({ timeNs: this.timeNs(second), line }))
    await this.logs.push([{ labels: `{app="${app}"}`, entries }])
  }

  timeNs(second: number): bigint {
    return BigInt(this.startMs + second * 1000) * 1_000_000n
  }

  /** Moves on; queries end before the clock goes much further, unless the gate is closed. */
  async advance(ms: number): Promise<void> {
    const endMs = this.clock.nowMs() + ms
    while (this.clock.nowMs() < endMs) {
      await this.clock.advance(Math.min(stepMs, endMs - this.clock.nowMs()))
      await this.idle()
    }
  }

  async idle(): Promise<void> {
    const isOpen = await Promise.race([this.gate.then(() => true), new Promise((done) => setImmediate(done))])
    if (isOpen !== true) return
    for (let quiet = 0; quiet < 3; quiet = this.#busy > 0 ? 0 : quiet + 1) {
      await new Promise((done) => setImmediate(done))
    }
  }

  async metric(name: string): Promise<number> {
    const line = (await this.metrics.text())
      .split('\n')
      .find((one) => one.startsWith(`${name}{`) || one.startsWith(`${name} `))
    return Number(line?.split(' ').at(-1))
  }
}
