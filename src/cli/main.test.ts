import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

import { decodePush } from '#/agent/testing-loki.ts'
import { realWorld } from '#/platform/world/real-world.ts'
import type { CliDeps, CliIo } from './io.ts'
import { isCommand, runCli } from './main.ts'

type Seen = { readonly url: URL; readonly headers: IncomingHttpHeaders; readonly body: Buffer }
type Reply = { readonly status: number; readonly body: string }

/** A server that answers with what it is told, and remembers. */
async function fakeServer(reply: (seen: Seen) => Reply) {
  const seen: Seen[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const one = { url: new URL(request.url ?? '', 'http://x'), headers: request.headers, body: Buffer.concat(chunks) }
      seen.push(one)
      const { status, body } = reply(one)
      response.writeHead(status, { connection: 'close' }).end(body)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return { seen, address, [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(() => resolve())) }
}

async function run(argv: readonly string[], over: Partial<CliIo> = {}, deps: Partial<CliDeps> = {}) {
  let out = ''
  let err = ''
  const io: CliIo = {
    out: async (text) => void (out += text),
    err: (text) => void (err += text),
    stdin: (async function* () {})(),
    isTerminal: false,
    env: {},
    world: realWorld(),
    signal: new AbortController().signal,
    ...over,
  }
  const missing = (): Promise<never> => Promise.reject(new Error('no such file'))
  const code = await runCli(argv, io, {
    version: '1.2.3',
    inspectors: { block: missing, wal: missing, catalog: missing },
    openRuleEngine: missing,
    openLocalData: missing,
    ...deps,
  })
  return { code, out, err }
}

const streams = (result: unknown): Reply => ({
  status: 200,
  body: JSON.stringify({ status: 'success', data: { resultType: 'streams', result, stats: {} } }),
})
const second = 1_700_000_000_000_000_000n

test('what is a command and what starts the server', () => {
  assert.deepEqual(['query', 'agent', 'help', '-config.file=x', undefined].map(isCommand), [
    true,
    true,
    true,
    false,
    false,
  ])
})

test('version and help, for people and programs', async () => {
  assert.deepEqual(await run(['version']), { code: 0, out: 'edda 1.2.3\n', err: '' })
  assert.equal((await run(['version', '--json'])).out, '{"version":"1.2.3"}\n')
  for (const command of ['query', 'tail', 'explain', 'push', 'agent', 'inspect']) {
    const { code, out } = await run([command, '--help'])
    assert.equal(code, 0)
    assert.match(out, new RegExp(`Usage: edda ${command}`))
    assert.match(out, /Examples:\n {2}/)
  }
  assert.match((await run(['help'])).out, /Exit codes: 0 done, 1 failed, 2 wrong usage/)
})

test('wrong usage is exit code 2, with the reason', async () => {
  const cases: [string[], RegExp][] = [
    [['query'], /missing required argument 'query'/],
    [['query', '{a="b"}', '--colour'], /unknown option '--colour'/],
    [['query', '{a="b"}', '--since', 'soon'], /--since is a duration such as 90m or 7d, not 'soon'/],
    [['query', '{a="b"}', '--to', 'later'], /--to is a time such as/],
    [['query', '{a="b"}', '--limit', '-1'], /--limit is a count, not '-1'/],
    [['query', '{a="b"}', '-o', 'xml'], /--output is default, raw or jsonl, not 'xml'/],
    [['push', '--label', 'nothing'], /--label is name=value, not 'nothing'/],
    [['inspect', 'soul', '/x'], /can inspect block, wal or catalog, not 'soul'/],
    [['agent'], /targets: at least one target is needed/],
  ]
  for (const [argv, reason] of cases) {
    const { code, out, err } = await run(argv)
    assert.equal(code, 2, argv.join(' '))
    assert.equal(out, '')
    assert.match(err, reason)
  }
})

test('query: request, default form, common labels aside', async () => {
  const result = [
    { stream: { app: 'web', pod: 'a' }, values: [[String(second + 2n), 'two  ']] },
    {
      stream: { app: 'web', pod: 'bcd' },
      values: [
        [String(second + 3n), 'three'],
        [String(second + 1n), 'one'],
      ],
    },
  ]
  await using server = await fakeServer(() => streams(result))
  const argv = [
    'query',
    '{app="web"}',
    '--to',
    String(second + 10n),
    '--since',
    '2h',
    '-z',
    'UTC',
    '--tenant',
    'team-a',
  ]
  const { code, out, err } = await run([...argv, '--addr', server.address])
  assert.equal(code, 0)
  assert.equal(err, 'Common labels: {app="web"}\n')
  assert.equal(
    out,
    '2023-11-14T22:13:20Z {pod="bcd"} three\n2023-11-14T22:13:20Z {pod="a"}   two\n2023-11-14T22:13:20Z {pod="bcd"} one\n',
  )
  const { url, headers } = server.seen[0]!
  assert.equal(url.pathname, '/loki/api/v1/query_range')
  assert.deepEqual(Object.fromEntries(url.searchParams), {
    query: '{app="web"}',
    direction: 'BACKWARD',
    start: String(second + 10n - 7200n * 1_000_000_000n),
    end: String(second + 10n),
    limit: '30',
  })
  assert.equal(headers['x-scope-orgid'], 'team-a')
})

test('query: raw and JSON lines; control codes do not reach a terminal', async () => {
  const line = 'a\u001b]0;evil\u0007 \u001b[31mred\u001b[0m'
  await using server = await fakeServer(() =>
    streams([{ stream: { app: 'web' }, values: [[String(second + 5n), line]] }]),
  )
  const ask = (...more: string[]): string[] => ['query', '{}', '--addr', server.address, '-z', 'UTC', ...more]
  assert.equal((await run(ask('-o', 'raw'))).out, `${line}\n`)
  assert.equal((await run(ask('-o', 'raw'), { isTerminal: true })).out, 'a]0;evil \u001b[31mred\u001b[0m\n')
  assert.deepEqual(JSON.parse((await run(ask('--json'))).out), {
    labels: { app: 'web' },
    line,
    timestamp: '2023-11-14T22:13:20.000000005Z',
  })
  assert.ok(!(await run(ask())).out.includes('\u001b[34m'))
  assert.ok((await run(ask(), { isTerminal: true })).out.includes('\u001b[34m'))
})

test('query: pages until the limit, no line twice, none lost where times are equal', async () => {
  const all = Array.from({ length: 95 }, (_, index) => ({
    ns: second - BigInt(Math.floor(index / 4)),
    line: `line ${index}`,
  }))
  await using server = await fakeServer(({ url }) => {
    const end = BigInt(url.searchParams.get('end')!)
    const page = all.filter(({ ns }) => ns < end).slice(0, Number(url.searchParams.get('limit')))
    return streams([{ stream: {}, values: page.map(({ ns, line }) => [String(ns), line]) }])
  })
  const ask = ['query', '{}', '--addr', server.address, '--batch', '10', '-o', 'raw', '--to', String(second + 1n)]
  const everything = await run([...ask, '--limit', '0'])
  assert.equal(everything.err, '')
  assert.deepEqual(
    everything.out.split('\n').slice(0, -1),
    all.map(({ line }) => line),
  )
  const some = await run([...ask, '--limit', '25'])
  assert.equal(some.out.split('\n').length - 1, 25)
})

test('query: sorted answers keep the order of the label, and times decide between equal values', async () => {
  const result = [
    { stream: { ms: '100' }, values: [[String(second + 1n), 'first']] },
    {
      stream: { ms: '20', pod: 'a' },
      values: [
        [String(second + 2n), 'third'],
        [String(second), 'fifth'],
      ],
    },
    {
      stream: { ms: '20.0', pod: 'b' },
      values: [
        [String(second + 3n), 'second'],
        [String(second + 1n), 'fourth'],
      ],
    },
    { stream: { pod: 'a' }, values: [[String(second + 9n), 'last']] },
  ]
  await using server = await fakeServer(() => streams(result))
  const query = '{app="web"} | json | sort by ms desc'
  const { out } = await run(['query', query, '--addr', server.address, '-o', 'raw'])
  assert.deepEqual(out.trim().split('\n'), ['first', 'second', 'third', 'fourth', 'fifth', 'last'])
})

test('query: what distinct, sort and limit choose comes in one answer', async () => {
  await using server = await fakeServer(({ url }) => {
    const values = Array.from({ length: Number(url.searchParams.get('limit')) }, (_, i) => [String(second), `${i}`])
    return streams([{ stream: {}, values }])
  })
  const ask = async (query: string, limit: string): Promise<(string | null)[]> => {
    server.seen.length = 0
    const { code, err } = await run(['query', query, '--addr', server.address, '--batch', '10', '--limit', limit])
    assert.equal(code, 0, err)
    return server.seen.map(({ url }) => url.searchParams.get('limit'))
  }
  assert.deepEqual(await ask('{app="web"} | distinct pod', '25'), ['25'])
  assert.deepEqual(await ask('{app="web"} | limit 15', '25'), ['15'])
  assert.deepEqual(await ask('{app="web"} | sort by pod | limit 40', '25'), ['25'])
  assert.deepEqual(await ask('{app="web"} | distinct pod | limit 40', '0'), ['40'])
  const endless = await run(['query', '{app="web"} | sort by pod', '--addr', server.address, '--limit', '0'])
  assert.equal(endless.code, 2)
  assert.match(endless.err, /--limit 0 does not go with distinct or sort, say how many lines/)
})

test('query: metrics as a table and as JSON', async () => {
  const result = [
    {
      metric: { level: 'error' },
      values: [
        [1700000000, '1.5'],
        [1700000060, '12'],
      ],
    },
    { metric: { level: 'info' }, values: [[1700000000, '100']] },
  ]
  const body = JSON.stringify({ status: 'success', data: { resultType: 'matrix', result } })
  await using server = await fakeServer(() => ({ status: 200, body }))
  const ask = ['query', 'rate({}[1m])', '--addr', server.address, '-z', 'UTC']
  assert.equal(
    (await run(ask)).out,
    [
      'time                  value  labels',
      '2023-11-14T22:13:20Z    1.5  {level="error"}',
      '2023-11-14T22:14:20Z     12  {level="error"}',
      '2023-11-14T22:13:20Z    100  {level="info"}',
      '',
    ].join('\n'),
  )
  assert.deepEqual(JSON.parse((await run([...ask, '--json'])).out), result)
})

test('query: the words of the server, and a server that is not there, are exit code 1', async () => {
  await using server = await fakeServer(() => ({ status: 400, body: 'parse error at line 1, col 2: syntax error\n' }))
  const refused = await run(['query', '{', '--addr', server.address])
  assert.deepEqual(refused, {
    code: 1,
    out: '',
    err: 'edda: the server answered 400: parse error at line 1, col 2: syntax error\n',
  })
  const away = await run(['query', '{}'], { env: { LOKI_ADDR: 'http://127.0.0.1:1' } })
  assert.equal(away.code, 1)
  assert.match(away.err, /no answer from http:\/\/127.0.0.1:1: ECONNREFUSED/)
})

test('push: lines of standard input and of a file, in order, with labels', async () => {
  await using server = await fakeServer(() => ({ status: 204, body: '' }))
  const stdin = (async function* () {
    yield Buffer.from('one\r\ntw')
    yield Buffer.from('o\n\nlast without break')
  })()
  const argv = ['push', '--label', 'app=web', '-l', 'b=x=y', '--addr', server.address]
  const { code, err } = await run(argv, { stdin })
  assert.equal(code, 0, err)
  assert.match(err, /pushed 4 lines, 24 bytes to \{app="web", b="x=y"\}/)
  const lines = server.seen.flatMap(({ body }) => decodePush(body))
  assert.deepEqual(
    lines.map(({ line }) => line),
    ['one', 'two', '', 'last without break'],
  )
  assert.equal(lines[0]?.labels, '{app="web", b="x=y"}')
  assert.equal(server.seen[0]?.url.pathname, '/loki/api/v1/push')

  const dir = mkdtempSync(join(tmpdir(), 'edda-cli-'))
  try {
    writeFileSync(join(dir, 'a.log'), 'from a file\n')
    const said = await run(['push', join(dir, 'a.log'), '--addr', server.address])
    assert.match(said.err, /pushed 1 line, 11 bytes to \{job="push"\}/)
    const outcome = await run(['push', join(dir, 'a.log'), '--json', '--addr', server.address])
    assert.deepEqual(JSON.parse(outcome.out), { labels: '{job="push"}', lines: 1, bytes: 11 })
  } finally {
    rmSync(dir, { recursive: true })
  }
})

test('push: labels in the place of the file are told from one', async () => {
  const { code, err } = await run(['push', '{app="web"}'])
  assert.equal(code, 2)
  assert.match(err, /there is no file '\{app="web"\}'; .* labels from --label name=value/)
})

test('push: a refusal is exit code 1, a busy server is asked again', async () => {
  let busy = 1
  await using server = await fakeServer(() =>
    busy-- > 0 ? { status: 503, body: 'busy' } : { status: 400, body: 'bad labels' },
  )
  const stdin = (async function* () {
    yield Buffer.from('one\n')
  })()
  const { code, err } = await run(['push', '--addr', server.address], { stdin })
  assert.equal(code, 1)
  assert.match(err, /the server answered 400: bad labels/)
  assert.equal(server.seen.length, 2)
})

test('inspect: data from the inspector, for people and as JSON', async () => {
  const found = {
    file: 'x',
    sizeBytes: 10,
    records: [
      { offset: 0, kind: 'a' },
      { offset: 100, kind: 'bb' },
    ],
    problems: [],
  }
  const asked: unknown[] = []
  const block = async (path: string, limits: unknown): Promise<unknown> => (asked.push([path, limits]), found)
  const inspectors = { block, wal: block, catalog: block }
  const { code, out } = await run(['inspect', 'block', '/x', '--max', '7'], {}, { inspectors })
  assert.equal(code, 0)
  assert.deepEqual(asked, [['/x', { maxItems: 7 }]])
  const lines = [
    'file       x',
    'sizeBytes  10',
    'problems   none',
    '',
    'records (2)',
    '  offset  kind',
    '       0  a',
    '     100  bb',
    '',
  ]
  assert.equal(out, lines.join('\n'))
  assert.deepEqual(JSON.parse((await run(['inspect', 'wal', '/x', '--json'], {}, { inspectors })).out), found)
  assert.deepEqual(await run(['inspect', 'catalog', '/x']), { code: 1, out: '', err: 'edda: no such file\n' })
})

test('agent: follows files until the signal, from flags and from YAML', async () => {
  await using server = await fakeServer(() => ({ status: 204, body: '' }))
  const dir = mkdtempSync(join(tmpdir(), 'edda-cli-'))
  try {
    writeFileSync(join(dir, 'a.log'), 'line one\n')
    writeFileSync(
      join(dir, 'agent.yaml'),
      `url: ${server.address}\nstate_dir: ${dir}/state\nbatch_wait: 10ms\npoll_interval: 5ms\ntargets:\n  - paths: ['${dir}/*.log']\n    labels: { job: yaml }\n`,
    )
    const stop = new AbortController()
    const running = run(['agent', '--config', join(dir, 'agent.yaml')], { signal: stop.signal })
    while (server.seen.length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
    stop.abort()
    assert.equal((await running).code, 0)
    assert.equal(decodePush(server.seen[0]!.body)[0]?.labels, `{filename="${dir}/a.log", job="yaml"}`)

    writeFileSync(join(dir, 'bad.yaml'), 'batch_wait: soon\n')
    const bad = await run(['agent', '--config', join(dir, 'bad.yaml')])
    assert.equal(bad.code, 2)
    assert.match(bad.err, /batch_wait: expected a duration such as 30s or 1h30m, found "soon"/)
    writeFileSync(join(dir, 'typo.yaml'), 'batch_wiat: 1s\n')
    assert.match((await run(['agent', '--config', join(dir, 'typo.yaml')])).err, /unknown option 'batch_wiat'/)
    const checked = await run(['agent', '--path', '/var/log/*.log', '--label', 'job=x', '--check-config'])
    assert.deepEqual(checked, { code: 0, out: '', err: 'the configuration is fine\n' })
  } finally {
    rmSync(dir, { recursive: true })
  }
})
