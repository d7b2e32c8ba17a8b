import { textReply, type Endpoint } from '#/platform/http/endpoint.ts'
import { textAnswer } from '#/platform/http/endpoint-docs.ts'

export type ServiceStates = () => readonly { readonly name: string; readonly state: string }[]

export function servicesEndpoint(services: ServiceStates): Endpoint {
  return {
    methods: ['GET'],
    path: '/services',
    doc: 'State of every module of the process, a line each.',
    tenant: 'none',
    access: 'admin',
    body: 'none',
    params: [],
    answer: textAnswer,
    async handle() {
      return textReply(200, stateLines(services))
    },
  }
}

/** `<module> => <state>` */
export function stateLines(services: ServiceStates): string {
  return services()
    .map(({ name, state }) => `${name} => ${state}\n`)
    .join('')
}
