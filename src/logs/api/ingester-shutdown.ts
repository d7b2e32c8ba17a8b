import { Unavailable } from '#/kernel/errors.ts'
import type { IngesterControl } from '#/logs/wire/head-view.ts'
import type { Endpoint } from '#/platform/http/endpoint.ts'
import { noContent, type Parameter } from '#/platform/http/endpoint-docs.ts'

export type ShutdownDeps = {
  readonly ingester: IngesterControl
  /** False once a stop has begun. */
  readonly isRunning: () => boolean
  /** Begins the orderly stop of the process; returns at once. */
  readonly terminate: () => void
}

const shutdownParams: readonly Parameter[] = [
  { name: 'flush', in: 'query', type: 'boolean', doc: 'Whether memory is written as blocks first.', default: 'true' },
  { name: 'terminate', in: 'query', type: 'boolean', doc: 'Whether the process ends.', default: 'true' },
]

export function ingesterShutdownEndpoint({ ingester, isRunning, terminate }: ShutdownDeps): Endpoint {
  return {
    methods: ['GET', 'POST'],
    path: '/ingester/shutdown',
    doc: 'Flushes (`flush=true`) and stops the process (`terminate=true`).',
    tenant: 'none',
    access: 'admin',
    body: 'form',
    params: shutdownParams,
    answer: noContent,
    async handle({ query }) {
      if (!isRunning()) throw new Unavailable('Ingester is stopping or already stopped.')
      if (isSet(query.get('flush'))) await ingester.flush(undefined)
      if (isSet(query.get('terminate'))) terminate()
      return { status: 204 }
    },
  }
}

/** Both switches are on unless they are switched off. */
const isSet = (value: string | null): boolean => value === null || !['false', '0'].includes(value.toLowerCase())
