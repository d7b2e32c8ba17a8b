/** Sets of series written as text, for tests: `{a="b"}` → values by step, `_` where there is none. */
import { compareLabels, type SeriesLabel } from './labels.ts'
import type { Series, SeriesSet } from './series-set.ts'

/** `set({ 'a=1 b=2': '1 _ 3' })` */
export function setOf(rows: Readonly<Record<string, string>>): SeriesSet {
  const series = Object.entries(rows).map(([labels, values]) => seriesOf(labels, values))
  return { stepCount: series[0]?.values.length ?? 1, series }
}

function seriesOf(labelText: string, valueText: string): Series {
  const labels = labelText
    .split(' ')
    .filter((part) => part !== '')
    .map((part): SeriesLabel => part.split('=') as [string, string])
    .toSorted((a, b) => compareLabels([a], [b]))
  const values = valueText.split(' ')
  return {
    labels,
    values: Float64Array.from(values, (value) => (value === '_' ? 0 : Number(value))),
    present: Uint8Array.from(values, (value) => (value === '_' ? 0 : 1)),
  }
}

/** The same text for a set, series in their order. */
export function textOf({ series }: SeriesSet): Readonly<Record<string, string>> {
  return Object.fromEntries(
    series.map(({ labels, values, present }) => [
      labels.map(([name, value]) => `${name}=${value}`).join(' '),
      [...values].map((value, step) => (present[step] === 1 ? String(value) : '_')).join(' '),
    ]),
  )
}
