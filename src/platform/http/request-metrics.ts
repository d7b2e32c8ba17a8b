/** Loki's metrics of requests, which its dashboards and alerts read. */
import { type Metrics, requestSeconds } from '#/platform/telemetry/metrics.ts'

export type RequestMetrics = {
  readonly started: (method: string, route: string) => void
  readonly ended: (method: string, route: string, status: number, seconds: number) => void
}

export function requestMetrics(metrics: Metrics): RequestMetrics {
  const duration = metrics.histogram({
    name: 'loki_request_duration_seconds',
    help: 'Time to answer HTTP requests.',
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
    ended: (method, route, status, seconds) => {
      inflight.dec({ method, route })
      duration.observe({ method, route, status_code: String(status), ws: 'false' }, seconds)
    },
  }
}

/** `/loki/api/v1/label/:name/values` → `loki_api_v1_label_name_values` */
export function routeName(path: string): string {
  return path.slice(1).replaceAll('/', '_').replaceAll(':', '') || 'root'
}
