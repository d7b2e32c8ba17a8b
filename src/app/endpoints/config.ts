import { textReply, type Endpoint } from '#/platform/http/endpoint.ts'
import { type Parameter, textAnswer } from '#/platform/http/endpoint-docs.ts'

export type ConfigText = (mode: 'full' | 'diff' | 'defaults') => string

const modeParam: Parameter = {
  name: 'mode',
  in: 'query',
  type: 'string',
  doc: 'What differs from the defaults, or the defaults.',
  choices: ['diff', 'defaults'],
  default: 'the configuration in effect',
}

export function configEndpoint(render: ConfigText): Endpoint {
  return {
    methods: ['GET'],
    path: '/config',
    doc: 'The configuration in effect as YAML, secrets masked. `mode=diff`: what differs from the defaults; `mode=defaults`: the defaults.',
    tenant: 'none',
    access: 'admin',
    body: 'none',
    params: [modeParam],
    answer: textAnswer,
    async handle({ query }) {
      const mode = query.get('mode')
      return textReply(
        200,
        render(mode === 'diff' || mode === 'diffs' ? 'diff' : mode === 'defaults' ? 'defaults' : 'full'),
      )
    },
  }
}
