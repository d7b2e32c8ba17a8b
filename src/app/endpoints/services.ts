import { textReply, type Endpoint } from '#/platform/http/endpoint.ts'

export type ServiceStates = () => readonly { readonly name: string; readonly state: string }[]

export function servicesEndpoint(services: ServiceStates): Endpoint {
  return {
    methods: ['GET'],
    path: '/services',
    doc: 'State of every module of the process, a line each.',
    tenant: 'none',
    body: 'none',
    async handle() {
      return textReply(
        200,
        services()
          .map(({ name, state }) => `${name} => ${state}\n`)
          .join(''),
      )
    },
  }
}
