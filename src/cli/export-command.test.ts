import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

import { realClock } from '#/platform/world/real-clock.ts'
import { realWorld } from '#/platform/world/real-world.ts'
import type { CliIo } from './io.ts'
import { runCli } from './main.ts'

type Answer = (parameters: URLSearchParams, response: ServerResponse) => void

/** A server that gives one answer after the other. */
async function fakeServer(answers: readonly Answer[]) {
  const left = [...answers]
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      assert.equal(request.headers.accept, 'application/x-ndjson')
      left.shift()?.(new URLSearchParams(Buffer.concat(chunks).toString()), response)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    left,
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}

const rows = (line: string, cursor: string): string =>
  `${JSON.stringify({ type: 'rows', streams: [{ stream: { app: 'a' }, values: [['1795000000000000001', line]] }], cursor })}\n`

async function exported(argv: readonly string[]): Promise<{ code: number; out: string; err: string }> {
  let [out, err] = ['', '']
  const io: CliIo = {
    out: async (text) => void (out += text),
    err: (text) => void (err += text),
    stdin: (async function* () {})(),
    isTerminal: false,
    env: {},
    world: { ...realWorld(), clock: { ...realClock, sleep: async () => undefined } },
    signal: new AbortController().signal,
  }
  const missing = (): Promise<never> => Promise.reject(new Error('no such file'))
  const inspectors = { block: missing, wal: missing, catalog: missing }
  return {
    code: await runCli(['export', ...argv], io, {
      version: '1',
      inspectors,
      openRuleEngine: missing,
      openLocalData: missing,
    }),
    out,
    err,
  }
}

test('an export goes on behind the last row after a broken connection and an error that passes', async () => {
  await using server = await fakeServer([
    (parameters, response) => {
      assert.deepEqual([parameters.get('cursor'), parameters.get('limit')], ['', 'all'])
      // a frame in pieces, one whole, and a part of the next
      response.write(rows('one é', 'c1').slice(0, 30))
      response.write(`${rows('one é', 'c1').slice(30)}${rows('two', 'c2')}{"type":"ro`, () => response.destroy())
    },
    (parameters, response) => {
      assert.equal(parameters.get('cursor'), 'c2')
      response.end(`${rows('three', 'c3')}{"type":"error","status":504,"error":"too long"}\n`)
    },
    (_, response) => void response.writeHead(503).end('starting'),
    (parameters, response) => {
      assert.equal(parameters.get('cursor'), 'c3')
      response.end(`${rows('four', 'c4')}{"type":"end","stats":{}}\n`)
    },
  ])
  const dir = mkdtempSync(join(tmpdir(), 'edda-export-'))
  try {
    const file = join(dir, 'out.jsonl')
    const { code, err } = await exported(['{app="a"}', '--addr', server.address, '--output', file])
    assert.equal(code, 0, err)
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n')
    assert.deepEqual(
      lines.map((line) => (JSON.parse(line) as { line: string }).line),
      ['one é', 'two', 'three', 'four'],
    )
    assert.match(err, /the server answered 504: too long; going on in/)
    assert.match(err, /edda: 4 lines\n$/)
    assert.equal(server.left.length, 0)
    assert.equal(
      (await exported(['{app="a"}', '--addr', server.address, '--output', file])).code,
      1,
      'the file is kept',
    )
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
})

test('an export of what the server refuses fails with its words', async () => {
  await using server = await fakeServer([
    (_, response) => void response.writeHead(400).end('parse error : x'),
    (_, response) => void response.end('{"type":"result","data":{}}\n{"type":"end"}\n'),
  ])
  const refused = await exported(['{', '--addr', server.address])
  assert.deepEqual([refused.code, refused.err], [1, 'edda: the server answered 400: parse error : x\n'])
  const metric = await exported(['count_over_time({a="b"}[1m])', '--addr', server.address, '--format', 'logs'])
  assert.deepEqual([metric.code, metric.err], [1, 'edda: only log queries can be exported\n'])
  assert.equal((await exported(['{}', '--format', 'xml'])).code, 2)
})
