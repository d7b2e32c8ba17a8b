import { BadRequest } from '#/kernel/errors.ts'
import { textReply, type Endpoint } from '#/platform/http/endpoint.ts'
import { type Parameter, textAnswer } from '#/platform/http/endpoint-docs.ts'

/** Undefined when there is no runtime file. */
export type RuntimeConfigText = (mode: 'full' | 'diff') => string | undefined

const modeParam: Parameter = {
  name: 'mode',
  in: 'query',
  type: 'string',
  doc: 'Only what the file says.',
  choices: ['diff'],
  default: 'every limit of the tenants in the file',
}

export function runtimeConfigEndpoint(render: RuntimeConfigText): Endpoint {
  return {
    methods: ['GET'],
    path: '/runtime_config',
    doc: 'The limits of every tenant that the runtime file names, as YAML. `mode=diff`: only what the file says, as it was last read.',
    tenant: 'none',
    access: 'admin',
    body: 'none',
    params: [modeParam],
    answer: textAnswer,
    async handle({ query }) {
      const mode = query.get('mode') ?? ''
      if (!['', 'diff'].includes(mode)) throw new BadRequest(`unknown mode ${JSON.stringify(mode)}: diff, or nothing`)
      return textReply(200, render(mode === 'diff' ? 'diff' : 'full') ?? "runtime config file doesn't exist\n")
    },
  }
}
