/** The parameters that reading endpoints share, as the API reference describes them. How they are read is in ./params.ts. */
import type { Parameter } from '#/platform/http/endpoint-docs.ts'

export const queryParam: Parameter = {
  name: 'query',
  in: 'query',
  type: 'string',
  doc: 'A LogQL query.',
  isRequired: true,
  example: '{app="shop"} |= "error"',
}
export const logQueryParam: Parameter = { ...queryParam, doc: 'A LogQL log query.' }
export const metricQueryParam: Parameter = {
  ...queryParam,
  doc: 'A LogQL metric query.',
  example: 'sum by (level) (rate({app="shop"}[5m]))',
}
export const selectorQueryParam: Parameter = {
  name: 'query',
  in: 'query',
  type: 'string',
  doc: 'A stream selector.',
  default: 'all streams',
  example: '{app="shop"}',
}
export const requiredSelectorParam: Parameter = {
  name: 'query',
  in: 'query',
  type: 'string',
  doc: 'A stream selector; `{}` is all streams.',
  isRequired: true,
  example: '{app="shop"}',
}
export const timeParam: Parameter = {
  name: 'time',
  in: 'query',
  type: 'time',
  doc: 'The instant.',
  default: 'now',
}
export const startParam: Parameter = {
  name: 'start',
  in: 'query',
  type: 'time',
  doc: 'Begin of the range.',
  default: '`since` before the end',
  example: '2026-01-02T15:04:05Z',
}
export const timesParams: readonly Parameter[] = [
  startParam,
  { name: 'end', in: 'query', type: 'time', doc: 'End of the range.', default: 'now' },
  {
    name: 'since',
    in: 'query',
    type: 'duration',
    doc: 'Length of the range when there is no `start`.',
    default: '1h',
    example: '15m',
  },
]
export const limitParam: Parameter = {
  name: 'limit',
  in: 'query',
  type: 'integer',
  doc: 'Most entries of the answer; bounded by `max_entries_limit_per_query`.',
  default: '100',
}
export const directionParam: Parameter = {
  name: 'direction',
  in: 'query',
  type: 'string',
  doc: 'Newest entries first, or oldest.',
  choices: ['backward', 'forward'],
  default: 'backward',
}
export const stepParam: Parameter = {
  name: 'step',
  in: 'query',
  type: 'duration',
  doc: 'Time between two points.',
  default: 'a 250th of the range, at least 1 s',
  example: '30s',
}
export const intervalParam: Parameter = {
  name: 'interval',
  in: 'query',
  type: 'duration',
  doc: 'Log queries: only entries at least so far apart.',
  default: '0',
}
export const labelNameParam: Parameter = {
  name: 'name',
  in: 'path',
  type: 'string',
  doc: 'Name of the label.',
  isRequired: true,
  example: 'app',
}
export const encodingFlagsParam: Parameter = {
  name: 'X-Loki-Response-Encoding-Flags',
  in: 'header',
  type: 'string',
  doc: '`categorize-labels`: structured metadata and parsed labels apart from those of the stream.',
}
