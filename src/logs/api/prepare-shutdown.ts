import type { Clock } from '#/kernel/world.ts'
import { type Endpoint, textReply } from '#/platform/http/endpoint.ts'
import type { ShutdownMarker } from '#/logs/write/ingester/shutdown-marker.ts'
import { textAnswer } from '#/platform/http/endpoint-docs.ts'

export type PrepareShutdownDeps = {
  /** Undefined while `ingester.shutdown_marker_path` is empty. */
  readonly marker: ShutdownMarker | undefined
  readonly clock: Clock
}

export function prepareShutdownEndpoint({ marker, clock }: PrepareShutdownDeps): Endpoint {
  return {
    methods: ['GET', 'POST', 'DELETE'],
    path: '/ingester/prepare_shutdown',
    doc: 'Announces that this process is to be removed (`POST`), takes that back (`DELETE`), or says `set` or `unset`. Needs `ingester.shutdown_marker_path`. Every stop flushes, announced or not.',
    tenant: 'none',
    access: 'admin',
    body: 'form',
    params: [],
    answer: textAnswer,
    async handle({ method }) {
      if (marker === undefined)
        return textReply(500, 'no shutdown marker path is set, see ingester.shutdown_marker_path')
      if (method === 'GET') return textReply(200, (await marker.isSet()) ? 'set' : 'unset')
      if (method === 'POST') await marker.set(clock.nowMs())
      else await marker.clear()
      return { status: 204 }
    },
  }
}
