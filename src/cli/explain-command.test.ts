import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'

import { realWorld } from '#/platform/world/real-world.ts'
import { runCli } from './main.ts'

type Run = { readonly code: number; readonly out: string; readonly err: string; readonly asked: readonly URL[] }

async function run(argv: readonly string[], reply: { readonly status: number; readonly body: string }): Promise<Run> {
  const asked: URL[] = []
  const server = createServer((request, response) => {
    asked.push(new URL(request.url ?? '', 'http://x'))
    response.writeHead(reply.status, { connection: 'close' }).end(reply.body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  let [out, err] = ['', '']
  const missing = (): Promise<never> => Promise.reject(new Error('no such file'))
  const io = {
    out: async (text: string) => void (out += text),
    err: (text: string) => void (err += text),
    stdin: (async function* () {})(),
    isTerminal: false,
    env: {},
    world: realWorld(),
    signal: new AbortController().signal,
  }
  const deps = {
    version: '1',
    inspectors: { block: missing, wal: missing, catalog: missing },
    openRuleEngine: missing,
    openLocalData: missing,
  }
  const code = await runCli([...argv, '--addr', address], io, deps)
  await new Promise<void>((resolve) => server.close(() => resolve()))
  return { code, out, err, asked }
}

const from = ['--from', '2026-11-22T00:00:00Z', '--to', '2026-11-22T01:00:00Z']

test('explain: asks for text and prints it as it comes', async () => {
  const { code, out, asked } = await run(['explain', '{app="web"}', ...from, '--limit', '5'], {
    status: 200,
    body: 'a plan\n',
  })
  assert.deepEqual([code, out], [0, 'a plan\n'])
  assert.equal(asked[0]!.pathname, '/edda/api/v1/explain')
  assert.deepEqual(Object.fromEntries(asked[0]!.searchParams), {
    query: '{app="web"}',
    start: '1795305600000000000',
    end: '1795309200000000000',
    direction: 'BACKWARD',
    format: 'text',
    limit: '5',
  })
})

test('explain: the plan as JSON, without its envelope', async () => {
  const body = '{"status":"success","data":{"kind":"metric"}}'
  const argv = ['explain', 'vector(1)', ...from, '--instant', '--step', '1m', '--json']
  const { code, out, asked } = await run(argv, { status: 200, body })
  assert.deepEqual([code, out], [0, '{\n  "kind": "metric"\n}\n'])
  const { searchParams } = asked[0]!
  assert.deepEqual(
    ['time', 'step', 'start', 'format'].map((name) => searchParams.get(name)),
    ['1795309200000000000', '1m', null, 'json'],
  )
})

test('explain: what the server refuses is said in its words; wrong usage is not sent', async () => {
  const refused = await run(['explain', '{'], { status: 400, body: 'parse error at line 1, col 2: …' })
  assert.equal(refused.code, 1)
  assert.match(refused.err, /the server answered 400: parse error at line 1, col 2/)
  for (const [argv, reason] of [
    [['explain', '{a="b"}', '--limit', 'x'], /--limit is a count, not 'x'/],
    [['explain', '{a="b"}', '--since', 'x'], /--since is a duration such as 90m or 7d, not 'x'/],
    [['explain'], /missing required argument 'query'/],
  ] as const) {
    const { code, err, asked } = await run(argv, { status: 200, body: '' })
    assert.deepEqual([code, asked.length], [2, 0])
    assert.match(err, reason)
  }
})
