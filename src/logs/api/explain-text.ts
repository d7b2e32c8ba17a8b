/** An explanation as indented text. */
import { counted } from '#/kernel/counted.ts'
import type { Operation, SamplePlan, StagePlan } from '#/logs/logql/planner/explained.ts'
import type { DataPlan, Explanation, Pruning, SelectionPlan } from '#/logs/wire/explain.ts'

export function explainText(explanation: Explanation): string {
  const { query, kind, start, end, step, steps, evaluation, selections, result = [] } = explanation
  const points = step === undefined ? '' : `, ${steps} evaluations ${step} apart`
  const lines = [query, `${kind}, ${start === end ? `at ${start}` : `${start} to ${end}`}${points}`]
  if (evaluation) lines.push('', 'evaluation', ...indent(operationLines(evaluation)))
  for (const [index, selection] of selections.entries()) {
    lines.push('', selections.length > 1 || evaluation ? `selection ${index}` : 'selection')
    lines.push(...indent(selectionLines(selection)))
  }
  if (result.length > 0) lines.push('', 'result', ...indent(result))
  return `${lines.join('\n')}\n`
}

const indent = (lines: readonly string[]): string[] => lines.map((line) => `  ${line}`)

function operationLines({ operation, selection, inputs = [] }: Operation): string[] {
  const leaf = selection === undefined ? '' : ` of selection ${selection}`
  return [`${operation}${leaf}`, ...inputs.flatMap((input) => indent(operationLines(input)))]
}

function selectionLines(selection: SelectionPlan): string[] {
  const {
    matchers,
    streamFilters,
    start,
    end,
    pages,
    stages,
    rules,
    labels,
    columns,
    subqueries = [],
    samples,
    data,
  } = selection
  return [
    `streams      ${[matchers, ...streamFilters].join(' ')}`,
    `entries      ${start} to ${end}`,
    ...section('pages that have', pages),
    ...section('over pages', stages.filter(({ over }) => over === 'page').flatMap(stageLines)),
    ...section('over rows', stages.filter(({ over }) => over === 'row').flatMap(stageLines)),
    ...section(
      'rewritten',
      rules.flatMap(({ rule, notes }) => notes.map((note) => `${rule}: ${note}`)),
    ),
    ...section('runs before', subqueries),
    `labels read  ${labels === 'all' ? 'all' : labels.join(', ') || 'none'}`,
    `columns      ${columns.join(', ')}`,
    ...(samples ? section('samples', sampleLines(samples)) : []),
    ...section('data', dataLines(data, columns.includes('line'))),
  ]
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [title, ...indent(lines)]
}

function stageLines({ stage, extracts, unless, search, megabytesPerSecond }: StagePlan): string[] {
  const notes = [
    `${megabytesPerSecond} MB/s`,
    search,
    extracts === undefined ? undefined : `extracts ${typeof extracts === 'string' ? extracts : extracts.join(', ')}`,
    unless === undefined ? undefined : `not where ${unless}`,
  ]
  return [stage, `  ${notes.filter((note) => note !== undefined).join('; ')}`]
}

function sampleLines({
  function: name,
  measure,
  range,
  offset,
  series,
  pushedDown,
  errors,
  sharding,
}: SamplePlan): string[] {
  const { merge, aggregation, exact, reason } = sharding
  const lines = [
    `${name} of ${measure} over ${range}${offset === undefined ? '' : ` offset ${offset}`}`,
    `series: ${series === 'one' ? 'one, without labels' : series}`,
  ]
  if (pushedDown !== undefined) lines.push(`the scan makes the groups of ${pushedDown} itself`)
  lines.push(errors === 'fail' ? 'an entry with an error fails the query' : 'entries with errors count')
  const inside = aggregation === undefined ? '' : `${aggregation} inside the shards, `
  lines.push(
    `sharding: ${inside}${merge === 'none' ? 'none' : `merged by ${merge}`}${exact ? '' : ', not exact'}: ${reason}`,
  )
  return lines
}

function dataLines(data: DataPlan, readsLines: boolean): string[] {
  const { days, heads, blocks, streams, pages, rows, lineBytes, compressedBytes, jobs, cpuSeconds } = data
  const between = pages.betweenWindows > 0 ? `, ${pages.betweenWindows} between windows` : ''
  const lines = `${sizeText(lineBytes)} of lines${readsLines ? '' : ' that are not decoded'}`
  const { least, most } = cpuSeconds
  return [
    `${counted(days, 'day')}, ${counted(heads, 'head')}, ${counted(streams, 'stream')}`,
    `blocks  ${pruned(blocks)}`,
    `pages   ${pruned(pages)}${between}`,
    `holds   ${counted(rows, 'row')}, ${lines}, ${sizeText(compressedBytes)} compressed; at most ${counted(jobs, 'job')}`,
    `takes   ${least === most ? most : `${least} to ${most}`} s of CPU, estimated`,
  ]
}

function pruned({ total, outsideTime, withoutStreams, withoutMatch, read }: Pruning): string {
  return `${read} of ${total} read, ${outsideTime} outside the time, ${withoutStreams} without the streams, ${withoutMatch} without a match`
}

const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB']

/** Three digits are enough for an overview. */
function sizeText(bytes: number): string {
  const power = bytes === 0 ? 0 : Math.min(Math.floor(Math.log10(bytes) / 3), units.length - 1)
  return `${Number((bytes / 1000 ** power).toPrecision(3))} ${units[power]}`
}
