/** The table of the logs engine's reading endpoints. The pushing ones are in ./push-*.ts and listed by the distributor's role. */
import type { Endpoint } from '#/platform/http/endpoint.ts'
import type { ApiDeps } from './deps.ts'
import { formatQueryEndpoint } from './format-query.ts'
import { indexStatsEndpoint } from './index-stats.ts'
import { labelValuesEndpoint } from './label-values.ts'
import { labelsEndpoint } from './labels.ts'
import { queryRangeEndpoint } from './query-range.ts'
import { queryEndpoint } from './query.ts'
import { seriesEndpoint } from './series.ts'

export function readEndpoints(deps: ApiDeps): readonly Endpoint[] {
  return [
    queryRangeEndpoint(deps),
    queryEndpoint(deps),
    labelsEndpoint('/loki/api/v1/labels', deps),
    labelsEndpoint('/loki/api/v1/label', deps),
    labelValuesEndpoint(deps),
    seriesEndpoint(deps),
    indexStatsEndpoint(deps),
    formatQueryEndpoint(),
  ]
}
