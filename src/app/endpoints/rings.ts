/**
 * The pages on which the members of a cluster are seen. This process is all of its cluster, so that there are no rings; tools that
 * read the pages get the forms that they know, without members.
 */
import type { Clock } from '#/kernel/world.ts'
import { type Endpoint, type HttpReply, jsonReply } from '#/platform/http/endpoint.ts'
import { jsonAnswer, type Parameter } from '#/platform/http/endpoint-docs.ts'

const ringPaths = [
  '/ring',
  '/distributor/ring',
  '/indexgateway/ring',
  '/compactor/ring',
  '/ruler/ring',
  '/scheduler/ring',
  '/pattern/ring',
  '/ingest-limits/ring',
  '/ingest-limits-frontend/ring',
  '/ui/ring',
  '/dataobj-consumer/ring',
]
const partitionRingPaths = ['/partition-ring', '/dataobj-consumer/partition-ring']
const explanation = 'This is one process with all parts of Edda in it. It is no member of a cluster, and needs no ring.'

const forgetParam: Parameter = {
  name: 'forget',
  in: 'query',
  type: 'string',
  doc: 'With `POST`: a member to forget. There is none.',
}

export function ringEndpoints(clock: Clock): readonly Endpoint[] {
  const now = (): string => new Date(clock.nowMs()).toISOString()
  return [
    ...ringPaths.map((path) => placeholder(path, () => ({ shards: [], now: now(), message: explanation }))),
    ...partitionRingPaths.map((path) =>
      placeholder(path, () => ({ partitions: [], now: now(), message: explanation })),
    ),
    placeholder('/memberlist', () => ({ members: [], now: now(), message: explanation })),
  ]
}

function placeholder(path: string, json: () => object): Endpoint {
  const isRing = path !== '/memberlist'
  return {
    methods: isRing ? ['GET', 'POST'] : ['GET'],
    path,
    doc: `${isRing ? 'The members of a ring' : 'The members of the cluster'}: none, as this is one process. A page, or JSON for \`Accept: application/json\`.`,
    tenant: 'none',
    access: 'admin',
    body: isRing ? 'form' : 'none',
    params: isRing ? [forgetParam] : [],
    answer: jsonAnswer({ type: 'object' }, 'text/html'),
    async handle({ method, headers }) {
      // `forget=<id>`: what is not there is forgotten
      if (method === 'POST') return { status: 302, headers: { location: '#' } }
      return wantsJson(headers.accept) ? jsonReply(200, json()) : page(path)
    },
  }
}

const wantsJson = (accept = ''): boolean => /\bapplication\/json\b/i.test(accept)

function page(path: string): HttpReply {
  const body = `<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>Edda: ${path}</title></head>
<body><h1>${path}</h1><p>${explanation}</p></body>
</html>
`
  const headers = { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': "default-src 'none'" }
  return { status: 200, headers, body }
}
