import { textReply, type Endpoint } from '#/platform/http/endpoint.ts'
import { type ServiceStates, stateLines } from './services.ts'
import { type Parameter, textAnswer } from '#/platform/http/endpoint-docs.ts'

const verboseParam: Parameter = {
  name: 'verbose',
  in: 'query',
  type: 'boolean',
  doc: 'Whether the state of every module and the free space of every disk are shown.',
  default: 'false',
}

/** `problem` is undefined when the process is ready, else the reason in Loki's words; `disks` has a line for each. */
export function readyEndpoint(
  problem: () => string | undefined,
  services: ServiceStates,
  disks: () => string,
): Endpoint {
  return {
    methods: ['GET'],
    path: '/ready',
    doc: '200 `ready` when the process takes requests, 503 with the reason when it does not (yet, or any more). With `verbose`, the state of every module and disk follows: one that is nearly full makes the process `read-only`, and it still answers queries.',
    tenant: 'none',
    access: 'any',
    body: 'none',
    params: [verboseParam],
    answer: textAnswer,
    async handle({ query }) {
      const reason = problem()
      const verbose = query.get('verbose')
      const parts = verbose === null || ['false', '0'].includes(verbose) ? '' : stateLines(services) + disks()
      return reason === undefined ? textReply(200, `ready\n${parts}`) : textReply(503, `${reason}\n${parts}`)
    },
  }
}
