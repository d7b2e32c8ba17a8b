/** The API reference in Markdown, from a table of endpoints. */
import type { Parameter } from './endpoint-docs.ts'
import type { Endpoint } from './endpoint.ts'
import { areaOf, areas } from './openapi.ts'

export function renderApiReference(endpoints: readonly Endpoint[]): string {
  const byArea = Map.groupBy(endpoints, ({ path }) => areaOf(path).name)
  const parts = areas.flatMap(({ name, doc }) => {
    const group = byArea.get(name)
    return group === undefined ? [] : [`## ${name}\n\n${doc}\n`, ...group.map(renderEndpoint)]
  })
  return parts.join('\n')
}

function renderEndpoint(endpoint: Endpoint): string {
  const { methods, path, doc, params, answer } = endpoint
  const head = `### ${methods.join(', ')} \`${path}\`\n\n${doc}\n`
  const facts = [
    `Needs: ${needs(endpoint)}.`,
    ...(endpoint.consumes === undefined ? [] : [`Takes: ${endpoint.consumes.map(code).join(' or ')}.`]),
    `Answers: ${answer.status}${answer.types.length === 0 ? '' : ` ${answer.types.map(code).join(' or ')}`}${endpoint.upgrade === undefined ? '' : ', or a WebSocket'}.`,
  ]
  return [head, `${facts.join(' ')}\n`, ...(params.length === 0 ? [] : [renderParameters(params)])].join('\n')
}

function needs({ tenant, access, isMultiTenant }: Endpoint): string {
  const permission = access === 'any' ? 'any credential' : `permission \`${access}\``
  if (tenant === 'none') return permission
  return `${permission}, ${isMultiTenant === true ? 'one tenant or several' : 'one tenant'}`
}

function renderParameters(params: readonly Parameter[]): string {
  const rows = params.map(
    ({ name, in: place, type, doc, default: byDefault, choices, example, isRequired, isRepeated }) => {
      const where = place === 'query' ? '' : ` (${place})`
      const more = [
        doc,
        ...(choices === undefined ? [] : [`One of ${choices.map(code).join(', ')}.`]),
        ...(example === undefined ? [] : [`Example: ${code(example)}.`]),
        ...(isRepeated === true ? ['May be repeated.'] : []),
      ]
      const otherwise = isRequired === true ? '**required**' : (byDefault ?? '')
      return `| ${cell(code(name))}${where} | ${type} | ${cell(more.join(' '))} | ${cell(otherwise)} |`
    },
  )
  return ['| Parameter | Type | Meaning | Default |', '|---|---|---|---|', ...rows, ''].join('\n')
}

const code = (text: string): string => `\`${text}\``
const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ')
