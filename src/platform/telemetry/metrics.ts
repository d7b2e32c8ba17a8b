/**
 * Metrics of the process: a thin factory over prom-client with a registry of its own. A metric is declared beside the code that
 * counts, once per registry: `metrics.counter({ name: 'edda_x_total', help: '…', labels: ['tenant'] })`. Hot loops count in plain
 * numbers and add once per batch.
 */
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client'

import { assert } from '#/kernel/assert.ts'

export type MetricOptions<L extends string> = {
  readonly name: string
  readonly help: string
  readonly labels?: readonly L[]
}

/** `collect` is called at every scrape and sets what the gauge shows. */
export type GaugeOptions<L extends string> = MetricOptions<L> & { readonly collect?: (gauge: Gauge<L>) => void }
/** `buckets` are upper bounds, ascending. */
export type HistogramOptions<L extends string> = MetricOptions<L> & { readonly buckets: readonly number[] }

export type BuildInfo = { readonly version: string; readonly revision: string; readonly branch: string }

/** Upper bounds in seconds that fit requests from milliseconds to minutes; the same as Loki's. */
export const requestSeconds: readonly number[] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100]

/** Scraped values of a counter that is kept elsewhere in a plain number. */
type CollectedOptions = MetricOptions<never> & { readonly value: () => number }

/** Counters must never fall. */
type LabelledOptions<L extends string> = MetricOptions<L> & {
  readonly kind: 'counter' | 'gauge'
  readonly values: () => Iterable<readonly [labels: Record<L, string>, value: number]>
}

export class Metrics {
  readonly #registry = new Registry()

  get contentType(): string {
    return this.#registry.contentType
  }

  counter<L extends string = never>({ name, help, labels = [] }: MetricOptions<L>): Counter<L> {
    this.#checkNew(name)
    return new Counter({ name, help, labelNames: [...labels], registers: [this.#registry] })
  }

  /** A counter whose value is read at every scrape; it must never fall. */
  collectedCounter({ name, help, value }: CollectedOptions): void {
    this.#checkNew(name)
    void new Counter({
      name,
      help,
      registers: [this.#registry],
      collect() {
        this.reset()
        this.inc(value())
      },
    })
  }

  /** A metric whose values are read at every scrape, label by label. */
  collected<L extends string>({ kind, name, help, labels = [], values }: LabelledOptions<L>): void {
    this.#checkNew(name)
    const options = { name, help, labelNames: [...labels], registers: [this.#registry] }
    if (kind === 'counter') {
      void new Counter<L>({
        ...options,
        collect() {
          this.reset()
          for (const [of, value] of values()) this.inc(of, value)
        },
      })
      return
    }
    void new Gauge<L>({
      ...options,
      collect() {
        this.reset()
        for (const [of, value] of values()) this.set(of, value)
      },
    })
  }

  gauge<L extends string = never>({ name, help, labels = [], collect }: GaugeOptions<L>): Gauge<L> {
    this.#checkNew(name)
    const gauge: Gauge<L> = new Gauge({
      name,
      help,
      labelNames: [...labels],
      registers: [this.#registry],
      ...(collect === undefined ? {} : { collect: () => collect(gauge) }),
    })
    return gauge
  }

  histogram<L extends string = never>({ name, help, labels = [], buckets }: HistogramOptions<L>): Histogram<L> {
    this.#checkNew(name)
    return new Histogram({ name, help, labelNames: [...labels], buckets: [...buckets], registers: [this.#registry] })
  }

  /** `process_*` and `nodejs_*`, and who we are. Once per process: it hooks into the garbage collector and the event loop. */
  addProcessMetrics({ version, revision, branch }: BuildInfo): void {
    collectDefaultMetrics({ register: this.#registry })
    const labels = ['version', 'revision', 'branch', 'goversion'] as const
    this.gauge({ name: 'loki_build_info', help: 'Always 1; the labels say what runs.', labels }).set(
      { version, revision, branch, goversion: `node ${process.version}` },
      1,
    )
  }

  /** The text of `/metrics`. */
  text(): Promise<string> {
    return this.#registry.metrics()
  }

  #checkNew(name: string): void {
    assert(this.#registry.getSingleMetric(name) === undefined, `metric ${name} is declared once`)
  }
}
