import { jsonReply, type Endpoint } from '#/platform/http/endpoint.ts'
import { jsonAnswer, objectSchema, type Parameter, textSchema } from '#/platform/http/endpoint-docs.ts'

export type LevelSwitch = { readonly get: () => string; readonly set: (level: string) => void }

const levels = ['debug', 'info', 'warn', 'error']

const levelParam: Parameter = {
  name: 'log_level',
  in: 'query',
  type: 'string',
  doc: 'With `POST`: the new level.',
  choices: levels,
}
const levelSchema = objectSchema({ status: textSchema, message: textSchema }, 'status')

export function logLevelEndpoint(level: LevelSwitch): Endpoint {
  return {
    methods: ['GET', 'POST'],
    path: '/log_level',
    doc: 'The level of the process’s own log; `POST log_level=debug` changes it while running.',
    tenant: 'none',
    access: 'admin',
    body: 'form',
    params: [levelParam],
    answer: jsonAnswer(levelSchema),
    async handle({ method, query }) {
      if (method !== 'POST') return jsonReply(200, { message: `Current log level is ${level.get()}` })
      const wanted = query.get('log_level') ?? ''
      if (!levels.includes(wanted)) {
        return jsonReply(400, { status: 'failed', message: `unrecognized log level ${JSON.stringify(wanted)}` })
      }
      level.set(wanted)
      return jsonReply(200, { status: 'success', message: `Log level set to ${wanted}` })
    },
  }
}
