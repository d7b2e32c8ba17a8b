import type { IngesterControl } from '#/logs/wire/head-view.ts'
import type { Endpoint } from '#/platform/http/endpoint.ts'

export function flushTenantEndpoint(ingester: IngesterControl): Endpoint {
  return {
    methods: ['POST'],
    path: '/flush/tenant',
    doc: 'Writes what is in memory of the requesting tenant as blocks. Answers when it is stored.',
    tenant: 'required',
    body: 'form',
    async handle({ tenant }) {
      await ingester.flush(tenant)
      return { status: 204 }
    },
  }
}
