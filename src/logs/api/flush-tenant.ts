import type { IngesterControl } from '#/logs/wire/head-view.ts'
import type { Endpoint } from '#/platform/http/endpoint.ts'
import { noContent } from '#/platform/http/endpoint-docs.ts'

export function flushTenantEndpoint(ingester: IngesterControl): Endpoint {
  return {
    methods: ['POST'],
    path: '/flush/tenant',
    doc: 'Writes what is in memory of the requesting tenant as blocks. Answers when it is stored.',
    tenant: 'required',
    access: 'write',
    body: 'form',
    params: [],
    answer: noContent,
    async handle({ tenant }) {
      await ingester.flush(tenant)
      return { status: 204 }
    },
  }
}
