/** What a run prints. */
import { barOf, figureInfos, mustOfFigure } from './bar.ts'
import { queries } from './queries.ts'
import type { QueryResult } from './query-run.ts'
import { bestOf, type LoadResult, medianOf, type SetResult } from './results.ts'

type Row = readonly string[]

export const fixed = (value: number | undefined, digits: number): string =>
  value === undefined || Number.isNaN(value) ? '-' : value.toFixed(digits)

/** The first column is text, and so is one under an empty header; the others are numbers. */
export function printTable(title: string, header: Row, rows: readonly Row[]): void {
  const all = [header, ...rows]
  const widths = header.map((_, column) => Math.max(...all.map((row) => (row[column] ?? '').length)))
  const line = (row: Row): string =>
    row
      .map((cell, column) => {
        const width = widths[column] ?? 0
        return column === 0 || header[column] === '' ? cell.padEnd(width) : cell.padStart(width)
      })
      .join('  ')
  console.log(`\n${title}`)
  for (const row of all) console.log(`  ${line(row)}`.trimEnd())
}

export function printSet(result: SetResult, setMb: number): void {
  printIngest(result, setMb)
  printQueries(result)
  if (result.edda.merged !== undefined) printMerged(result.edda.queries, result.edda.merged)
  for (const [name, load] of Object.entries(result.edda.loads)) printLoad(name, load, result.peer?.loads[name])
}

function printIngest({ set, mb, streams, edda, peer }: SetResult, setMb: number): void {
  const rows = figureInfos.map((info): Row => {
    const value = edda.ingest[info.id]
    const must = mustOfFigure(info, set, mb, setMb)
    return [
      info.label,
      fixed(value, info.digits),
      fixed(must, 0),
      must !== undefined && value !== undefined && value > must ? 'MISSED' : '',
      ...(peer === undefined ? [] : [fixed(peer.ingest[info.id], info.digits)]),
    ]
  })
  const header = ['', 'edda', 'must', '', ...(peer === undefined ? [] : ['peer'])]
  printTable(`Set ${set}: ${mb} MB in ${streams} streams`, header, rows)
}

function printQueries({ set, mb, streams, edda, peer }: SetResult): void {
  const rows = edda.queries.map((result): Row => {
    const query = queries.find(({ name }) => name === result.name)
    const bar = query === undefined ? undefined : barOf(query, set, streams, mb)
    const other = peer?.queries.find(({ name }) => name === result.name)
    return [
      result.name,
      ...cellsOf(result),
      bar === undefined ? '-' : `${fixed(bar.ms, 0)}${bar.of === 'wall' ? ' wall' : ''}`,
      bar === undefined ? '' : missed(result, bar.of === 'wall' ? 'wallMs' : 'cpuMs', bar.ms),
      ...(peer === undefined
        ? []
        : other === undefined
          ? ['-', '-', '-', '-', '']
          : [...cellsOf(other).slice(2), other.verdict]),
      result.verdict,
    ]
  })
  const states = ['cold CPU', 'wall', 'first CPU', 'wall', 'warm CPU', 'wall']
  const beside = peer === undefined ? [] : ['peer first CPU', 'wall', 'warm CPU', 'wall', '']
  printTable('Queries, ms (first: median, warm: best)', ['', ...states, 'must', '', ...beside, ''], rows)
}

const cellsOf = ({ cold, first, warm }: QueryResult): string[] => [
  fixed(medianOf(cold, 'cpuMs'), 1),
  fixed(medianOf(cold, 'wallMs'), 1),
  fixed(medianOf(first, 'cpuMs'), 1),
  fixed(medianOf(first, 'wallMs'), 1),
  fixed(bestOf(warm, 'cpuMs'), 1),
  fixed(bestOf(warm, 'wallMs'), 1),
]

function printMerged(before: readonly QueryResult[], after: readonly QueryResult[]): void {
  const rows = after.map((merged): Row => {
    const found = before.find(({ name }) => name === merged.name)
    const cells = ({ first }: QueryResult): string[] => [
      fixed(medianOf(first, 'cpuMs'), 1),
      fixed(medianOf(first, 'wallMs'), 1),
    ]
    return [merged.name, ...(found === undefined ? ['-', '-'] : cells(found)), ...cells(merged), merged.verdict]
  })
  const header = ['', 'before: CPU', 'wall', 'after: CPU', 'wall', '']
  printTable('Queries before and after the merges, ms (first time, median)', header, rows)
}

function missed({ first, warm }: QueryResult, key: 'cpuMs' | 'wallMs', must: number): string {
  if (bestOf(warm, key) > must) return 'MISSED'
  return medianOf(first, key) > must ? 'missed first' : ''
}

function printLoad(name: string, { figures, bars }: LoadResult, peer: LoadResult | undefined): void {
  const rows = Object.entries(figures).map(([label, value]): Row => {
    const bar = bars[label]
    const holds = bar === undefined || ('most' in bar ? value <= bar.most : value >= bar.least)
    const must = bar === undefined ? '' : 'most' in bar ? `<= ${fixed(bar.most, 0)}` : `>= ${fixed(bar.least, 0)}`
    const beside = peer === undefined ? [] : [fixed(peer.figures[label], 1)]
    return [label, fixed(value, 1), must, holds ? '' : 'MISSED', ...beside]
  })
  printTable(`Load: ${name}`, ['', 'edda', 'must', '', ...(peer === undefined ? [] : ['peer'])], rows)
}
