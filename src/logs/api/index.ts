/** The table of the logs engine's reading endpoints. The pushing ones are in ./push-*.ts and listed by the distributor's role. */
import type { Endpoint } from '#/platform/http/endpoint.ts'
import type { ApiDeps } from './deps.ts'
import { detectedFieldsEndpoint, detectedFieldValuesEndpoint } from './detected-fields.ts'
import { detectedLabelsEndpoint } from './detected-labels.ts'
import { explainEndpoint } from './explain.ts'
import { formatQueryEndpoint } from './format-query.ts'
import { indexShardsEndpoint } from './index-shards.ts'
import { indexStatsEndpoint } from './index-stats.ts'
import { labelValuesEndpoint } from './label-values.ts'
import { labelsEndpoint } from './labels.ts'
import { legacyReadEndpoints } from './legacy-read.ts'
import { patternsEndpoint } from './patterns.ts'
import { queryRangeEndpoint } from './query-range.ts'
import { queryEndpoint } from './query.ts'
import { seriesEndpoint } from './series.ts'
import { volumeEndpoint, volumeRangeEndpoint } from './volume.ts'

export function readEndpoints(deps: ApiDeps): readonly Endpoint[] {
  return [
    queryRangeEndpoint(deps),
    queryEndpoint(deps),
    labelsEndpoint('/loki/api/v1/labels', deps),
    labelsEndpoint('/loki/api/v1/label', deps),
    labelValuesEndpoint(deps),
    seriesEndpoint(deps),
    indexStatsEndpoint(deps),
    volumeEndpoint(deps),
    volumeRangeEndpoint(deps),
    indexShardsEndpoint(deps),
    patternsEndpoint(deps),
    detectedLabelsEndpoint(deps),
    detectedFieldsEndpoint(deps),
    detectedFieldValuesEndpoint(deps),
    ...legacyReadEndpoints(deps),
    formatQueryEndpoint(),
    explainEndpoint(deps),
  ]
}
