import { textReply, type Endpoint } from '#/platform/http/endpoint.ts'

export type ConfigText = (mode: 'full' | 'diff' | 'defaults') => string

export function configEndpoint(render: ConfigText): Endpoint {
  return {
    methods: ['GET'],
    path: '/config',
    doc: 'The configuration in effect as YAML, secrets masked. `mode=diff`: what differs from the defaults; `mode=defaults`: the defaults.',
    tenant: 'none',
    body: 'none',
    async handle({ query }) {
      const mode = query.get('mode')
      return textReply(
        200,
        render(mode === 'diff' || mode === 'diffs' ? 'diff' : mode === 'defaults' ? 'defaults' : 'full'),
      )
    },
  }
}
