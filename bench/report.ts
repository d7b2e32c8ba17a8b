/**
 * `npm run bench:report`: how figures went over the saved runs, a table for each data set, newest run at the right. `+`: the sources
 * differed from the commit; `*`: the machine was busy with other things.
 *
 *     npm run bench:report -- --last 8
 */
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

import { figureInfos } from './bar.ts'
import { bestOf, loadRuns, medianOf, quietLoad, type SetResult } from './results.ts'
import { fixed, printTable } from './tables.ts'

const { values: options } = parseArgs({ options: { last: { type: 'string', default: '6' } } })
const root = fileURLToPath(new URL('..', import.meta.url))

type Column = { readonly head: string; readonly set: SetResult }

const columns = loadRuns(root).flatMap(({ time, commit, isChanged, machine, sets }) =>
  sets.map((set): Column => ({
    head: `${time.slice(5, 16)} ${commit}${isChanged ? '+' : ''}${machine.load > quietLoad ? '*' : ''}`,
    set,
  })),
)

/** A row of each name that occurs in a run, in the order of their first sight. */
function rowsOf(
  of: readonly Column[],
  names: (set: SetResult) => readonly string[],
  cell: (set: SetResult, name: string) => string,
): string[][] {
  const all = new Set(of.flatMap(({ set }) => names(set)))
  return [...all].map((name) => [name, ...of.map(({ set }) => cell(set, name))])
}

for (const [name, all] of Map.groupBy(columns, ({ set }) => set.set)) {
  const last = all.slice(-Number(options.last))
  const heads = last.map(({ head }) => head)
  const figures = figureInfos.map(({ id, label, digits }) => [
    label,
    ...last.map(({ set }) => fixed(set.edda.ingest[id], digits)),
  ])
  printTable(`Set ${name}`, ['', ...heads], figures)
  const queryNames = ({ edda }: SetResult): string[] => edda.queries.map((query) => query.name)
  const pair = ({ edda }: SetResult, query: string): string => {
    const found = edda.queries.find((one) => one.name === query)
    if (found === undefined) return '-'
    const wrong = found.verdict.startsWith('FAILED') ? '!' : ''
    return `${wrong}${fixed(medianOf(found.first, 'cpuMs'), 1)} / ${fixed(bestOf(found.warm, 'cpuMs'), 1)}`
  }
  printTable(`Set ${name}: queries, CPU ms, first / warm`, ['', ...heads], rowsOf(last, queryNames, pair))
  const loadNames = ({ edda }: SetResult): string[] =>
    Object.entries(edda.loads).flatMap(([load, { figures: ids }]) => Object.keys(ids).map((id) => `${load}: ${id}`))
  const loads = rowsOf(last, loadNames, ({ edda }, full) => {
    const [load = '', id = ''] = full.split(': ')
    return fixed(edda.loads[load]?.figures[id], 1)
  })
  if (loads.length > 0) printTable(`Set ${name}: loads`, ['', ...heads], loads)
}
