/** What a client may ask: a query and how it is to be evaluated. */
import type { Direction } from '#/logs/wire/query.ts'
import type { Chance } from './chance.ts'
import { BASE_NS, SECOND, type DataSet } from './random-data.ts'
import { LogWriter } from './random-log.ts'
import { MetricWriter } from './random-metric.ts'

export type LogQuestion = {
  readonly kind: 'log'
  readonly query: string
  readonly startNs: bigint
  readonly endNs: bigint
  readonly direction: Direction
  readonly limit: number
  readonly intervalNs: bigint
}
export type RangeQuestion = {
  readonly kind: 'range'
  readonly query: string
  readonly startNs: bigint
  readonly stepNs: bigint
  readonly stepCount: number
}
export type InstantQuestion = { readonly kind: 'instant'; readonly query: string; readonly timeNs: bigint }
export type Question = LogQuestion | RangeQuestion | InstantQuestion

export function randomQuestion(chance: Chance, data: DataSet): Question {
  const kind = chance.pick(['log', 'log', 'range', 'range', 'instant'] as const)
  switch (kind) {
    case 'log': {
      const startNs = BASE_NS + BigInt(chance.pick([-100_000, -200_000, -1, 0, 3, 8])) * SECOND
      const lengths = [5, 15, 30, 300_000, 400_000]
      const intervalNs = chance.is(0.1) ? BigInt(chance.pick([1, 3, 3600])) * SECOND : 0n
      return {
        kind,
        query: new LogWriter(chance, data).query(intervalNs === 0n),
        startNs,
        endNs: startNs + BigInt(chance.pick(lengths)) * SECOND + BigInt(chance.pick([0, 1])),
        direction: chance.pick(['forward', 'backward']),
        limit: chance.is(0.4) ? chance.int(1, 8) : 1000,
        intervalNs,
      }
    }
    case 'range': {
      const stepNs = chance.pick([1n, 700_000_001n, SECOND, 3n * SECOND, 10n * SECOND, 86_400n * SECOND])
      return {
        kind,
        query: new MetricWriter(chance, data).query(),
        startNs: someTime(chance),
        stepNs,
        stepCount: chance.int(1, 8),
      }
    }
    case 'instant':
      return { kind, query: new MetricWriter(chance, data).query(), timeNs: someTime(chance) }
  }
}

/** Mostly at whole seconds, like most entries. */
function someTime(chance: Chance): bigint {
  const nanos = chance.is(0.2) ? BigInt(chance.int(-1, 1)) : 0n
  return (
    BASE_NS +
    BigInt(
      chance.weighted([
        [0.2, () => -5],
        [4, () => chance.int(5, 25)],
        [4, () => 20],
        [0.3, () => 86_400],
      ]),
    ) *
      SECOND +
    nanos
  )
}
