/** Evaluates one recording rule: the query's vector under a name of its own, and a mark at the end of each series. */
import { EddaError } from '#/kernel/errors.ts'
import type { RecordingRule, TextMap } from '#/ruler/model/rule-group.ts'
import { labelKey, type LabelPairs, withLabels } from '#/ruler/model/sample.ts'
import type { WriteSample } from '#/ruler/write/encode-write.ts'
import { missing } from './alert-rule.ts'
import type { EvaluationTime, RuleContext } from './rule-context.ts'

export class RecordRule {
  readonly rule: RecordingRule
  readonly #labels: TextMap
  readonly #context: RuleContext
  /** What the last evaluation gave. */
  #series = new Map<string, LabelPairs>()

  constructor(rule: RecordingRule, labels: TextMap, context: RuleContext) {
    this.rule = rule
    this.#labels = labels
    this.#context = context
  }

  /** @throws EddaError */
  async evaluate(time: EvaluationTime, limit: number, signal: AbortSignal): Promise<readonly WriteSample[]> {
    const { tenant, queries, externalLabels } = this.#context
    const vector = await queries.evaluate(tenant, this.rule.expr, time.queryNs, signal)
    if (limit > 0 && vector.length > limit) {
      throw new EddaError('limit_exceeded', `exceeded limit of ${limit} with ${vector.length} series`)
    }
    const timeMs = Number(time.queryNs / 1_000_000n)
    const series = new Map<string, LabelPairs>()
    const samples: WriteSample[] = vector.map(({ labels: given, value }) => {
      const own = withLabels(given, { ...this.#labels, __name__: this.rule.name })
      const labels = withLabels(own, missing(externalLabels, own))
      series.set(labelKey(labels), labels)
      return { labels, value, timeMs }
    })
    if (series.size < samples.length) {
      throw new EddaError('unprocessable', 'vector contains metrics with the same labelset after applying rule labels')
    }
    const ended = [...this.#series].filter(([key]) => !series.has(key)).map(([, labels]) => labels)
    this.#series = series
    return [...samples, ...ended.map((labels) => staleSample(labels, timeMs))]
  }

  /** Goes on where another one stopped. */
  continue(before: RecordRule): void {
    this.#series = before.#series
    before.#series = new Map()
  }

  /** Marks the end of all series. */
  end(timeMs: number): readonly WriteSample[] {
    const ended = [...this.#series.values()]
    this.#series = new Map()
    return ended.map((labels) => staleSample(labels, timeMs))
  }
}

function staleSample(labels: LabelPairs, timeMs: number): WriteSample {
  return { labels, value: Number.NaN, timeMs, isStale: true }
}
