/** Results of metric queries: a table, or the JSON of the result. */
import type { CliIo } from './io.ts'
import { type LabelMap, labelText, type PrintOptions, timestamp } from './print-logs.ts'
import { jsonText, table } from './table.ts'

type Point = readonly [seconds: number, value: string]
export type MetricResult =
  | {
      readonly resultType: 'matrix'
      readonly result: readonly { readonly metric: LabelMap; readonly values: readonly Point[] }[]
    }
  | { readonly resultType: 'vector'; readonly result: readonly { readonly metric: LabelMap; readonly value: Point }[] }
  | { readonly resultType: 'scalar'; readonly result: Point }

export async function printMetrics(data: MetricResult, options: PrintOptions, io: CliIo): Promise<void> {
  if (options.output === 'jsonl') return io.out(jsonText(data.result))
  const zone = options.timezone === 'Local' ? Temporal.Now.timeZoneId() : options.timezone
  const row = (metric: LabelMap, [seconds, value]: Point): string[] => [
    timestamp(BigInt(Math.round(seconds * 1000)) * 1_000_000n, zone, 'second'),
    value,
    labelText(metric),
  ]
  const rows = rowsOf(data, row)
  if (rows.length === 0) return options.quiet ? undefined : io.err('no data\n')
  await io.out(table(['time', 'value', 'labels'], rows))
}

function rowsOf(data: MetricResult, row: (metric: LabelMap, point: Point) => string[]): string[][] {
  switch (data.resultType) {
    case 'matrix':
      return data.result.flatMap(({ metric, values }) => values.map((point) => row(metric, point)))
    case 'vector':
      return data.result.map(({ metric, value }) => row(metric, value))
    case 'scalar':
      return [row({}, data.result)]
  }
}
