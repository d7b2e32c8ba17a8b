/** Loki's metrics of requests, which its dashboards and alerts read. */
import { type Metrics, requestSeconds } from '#/platform/telemetry/metrics.ts'

export type RequestMetrics = {
  readonly started: (method: string, route: string) => void
  readonly ended: (request: EndedRequest) => void
}

type EndedRequest = {
  readonly method: string
  readonly route: string
  /** Of HTTP; `success`, `cancel` or `error` of gRPC. */
  readonly status: number | string
  readonly seconds: number
  readonly isWebSocket: boolean
}

/** Servers of one process count together. */
const declared = new WeakMap<Metrics, RequestMetrics>()

export function requestMetrics(metrics: Metrics): RequestMetrics {
  let shared = declared.get(metrics)
  if (shared === undefined) declared.set(metrics, (shared = declare(metrics)))
  return shared
}

function declare(metrics: Metrics): RequestMetrics {
  const duration = metrics.histogram({
    name: 'loki_request_duration_seconds',
    help: 'Time to answer requests over HTTP and gRPC.',
    labels: ['method', 'route', 'status_code', 'ws'],
    buckets: requestSeconds,
  })
  const inflight = metrics.gauge({
    name: 'loki_inflight_requests',
    help: 'Requests being answered.',
    labels: ['method', 'route'],
  })
  return {
    started: (method, route) => inflight.inc({ method, route }),
    ended: ({ method, route, status, seconds, isWebSocket }) => {
      inflight.dec({ method, route })
      duration.observe({ method, route, status_code: String(status), ws: String(isWebSocket) }, seconds)
    },
  }
}

/** `/loki/api/v1/label/:name/values` → `loki_api_v1_label_name_values` */
export function routeName(path: string): string {
  return path.slice(1).replaceAll('/', '_').replaceAll(':', '') || 'root'
}
