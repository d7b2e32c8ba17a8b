import type { Endpoint } from '#/platform/http/endpoint.ts'
import { textAnswer } from '#/platform/http/endpoint-docs.ts'

export type MetricsText = () => Promise<{ readonly contentType: string; readonly text: string }>

export function metricsEndpoint(render: MetricsText): Endpoint {
  return {
    methods: ['GET'],
    path: '/metrics',
    doc: 'Metrics of the process in the text format of Prometheus, under the names of Loki where they measure the same.',
    tenant: 'none',
    access: 'any',
    body: 'none',
    params: [],
    answer: textAnswer,
    async handle() {
      const { contentType, text } = await render()
      return { status: 200, headers: { 'content-type': contentType }, body: text }
    },
  }
}
