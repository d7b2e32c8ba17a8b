/** From a row that left the pipeline to the labels of its series. */
import { BadRequest } from '#/kernel/errors.ts'
import { formatLabels } from '#/logs/model/labels.ts'
import type { Grouping } from '#/logs/logql/ast/nodes.ts'
import type { Row } from '#/logs/logql/pipeline/row.ts'
import { compareUtf8 } from '#/kernel/utf8.ts'
import type { SeriesLabel, SeriesLabels } from '#/series/labels.ts'

/** Marks samples whose error the query asked to keep. */
const preserveErrorLabel = '__preserve_error__'

/** Labels of the series that `row` counts in. @throws BadRequest when the row has an error that the query does not expect. */
export function seriesLabels(row: Row, grouping: Grouping, preserveErrors: boolean): SeriesLabels {
  const hasError = row.has('__error__')
  if (hasError && !preserveErrors) throw pipelineError(row)
  const labels: SeriesLabel[] = []
  if (grouping.kind === 'by') {
    for (const name of grouping.labels) {
      const value = row.get(name)
      if (value !== undefined && !labels.some(([other]) => other === name)) labels.push([name, value])
    }
    if (hasError && grouping.labels.includes(preserveErrorLabel)) labels.push([preserveErrorLabel, 'true'])
  } else {
    row.forEachLabel((name, value) => {
      if (!grouping.labels.includes(name)) labels.push([name, value])
    })
    if (hasError && !grouping.labels.includes(preserveErrorLabel)) labels.push([preserveErrorLabel, 'true'])
  }
  return labels.sort((a, b) => compareUtf8(a[0], b[0]))
}

function pipelineError(row: Row): BadRequest {
  const labels: SeriesLabel[] = []
  row.forEachLabel((name, value) => labels.push([name, value]))
  const error = row.get('__error__') ?? ''
  return new BadRequest(
    `pipeline error: '${error}' for series: '${formatLabels(labels)}'.\n` +
      `Use a label filter to intentionally skip this error. (e.g | __error__!="${error}").\n` +
      'To skip all potential errors you can match empty errors.(e.g __error__="")\n' +
      'The label filter can also be specified after unwrap. (e.g | unwrap latency | __error__="" )\n',
  )
}
