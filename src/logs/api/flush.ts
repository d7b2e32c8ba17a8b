import type { IngesterControl } from '#/logs/wire/head-view.ts'
import type { Endpoint } from '#/platform/http/endpoint.ts'
import { noContent } from '#/platform/http/endpoint-docs.ts'

export function flushEndpoint(ingester: IngesterControl): Endpoint {
  return {
    methods: ['GET', 'POST'],
    path: '/flush',
    doc: 'Writes everything that is in memory as blocks. Answers when it is stored.',
    tenant: 'none',
    access: 'admin',
    body: 'form',
    params: [],
    answer: noContent,
    async handle() {
      await ingester.flush(undefined)
      return { status: 204 }
    },
  }
}
