import { textReply, type Endpoint } from '#/platform/http/endpoint.ts'

/** `problem` is undefined when the process is ready, else the reason in Loki's words. */
export function readyEndpoint(problem: () => string | undefined): Endpoint {
  return {
    methods: ['GET'],
    path: '/ready',
    doc: '200 `ready` when the process takes requests, 503 with the reason when it does not (yet, or any more).',
    tenant: 'none',
    body: 'none',
    async handle() {
      const reason = problem()
      return reason === undefined ? textReply(200, 'ready\n') : textReply(503, `${reason}\n`)
    },
  }
}
