/** Credentials and TLS of a real process: who gets in, as whom, to do what; and what follows when their files change. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, before, describe, test } from 'node:test'
import type { ConnectionOptions } from 'node:tls'

import { Agent, request } from 'undici'
import { type ClientOptions, WebSocket } from 'ws'

import { hashPassword, newToken } from '#/platform/auth/secret-hash.ts'
import { makeCertificate } from '#/platform/tls/testing-certificates.ts'
import { realWorld } from '#/platform/world/real-world.ts'
import { type EddaProcess, startEdda } from './edda-process.ts'
import { until } from './until.ts'

const { random } = realWorld()
const root = join(import.meta.dirname, '../..')
const writer = newToken(random)
const reader = newToken(random)
const both = newToken(random)
const operator = newToken(random)
const late = newToken(random)

const entry = (name: string, secret: string, tenants: string, permissions: string): string =>
  `- {name: ${name}, ${secret}, tenants: ${tenants}, permissions: [${permissions}]}\n`
const token = (stored: string): string => `token: '${stored}'`
const basic = (name: string, secret: string): string => `Basic ${Buffer.from(`${name}:${secret}`).toString('base64')}`
const bearer = (secret: { readonly token: string }): string => `Bearer ${secret.token}`

const untilTrue = (ask: () => Promise<boolean>): Promise<true> =>
  until(async () => ((await ask()) ? true : undefined), { limitMs: 60_000, describe: () => 'it is not so' })

describe('a server with credentials', () => {
  let dir: string
  let edda: EddaProcess
  let entries: string

  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'edda-security-'))
    const password = await hashPassword('hunter2', random)
    entries =
      entry('grafana', `password: '${password}'`, '[acme]', 'read') +
      entry('writer', token(writer.stored), '[acme]', 'write') +
      entry('reader', token(reader.stored), "'*'", 'read') +
      entry('both', token(both.stored), '[acme, b]', 'read, write')
    await save(entries)
    const root = `[${entry('operator', token(operator.stored), '[]', 'admin').slice(2).trim()}]`
    edda = await startEdda({
      dataDir: join(dir, 'data'),
      flags: [
        '-auth.enabled=true',
        '-querier.multi-tenant-queries-enabled=true',
        `-auth.file=${join(dir, 'credentials.yaml')}`,
        '-auth.period=50ms',
        `-auth.credentials=${root}`,
      ],
    })
  })
  after(async () => {
    await edda?.kill()
    await rm(dir, { recursive: true, force: true })
  })

  const save = async (text: string): Promise<void> => {
    await writeFile(join(dir, 'credentials.new'), text)
    await rename(join(dir, 'credentials.new'), join(dir, 'credentials.yaml'))
  }
  type Ask = { readonly as?: string; readonly tenant?: string; readonly init?: RequestInit }
  const ask = async (
    path: string,
    { as, tenant, init = {} }: Ask = {},
  ): Promise<{ status: number; text: string; headers: Headers }> => {
    const headers = {
      ...(as === undefined ? {} : { authorization: as }),
      ...(tenant === undefined ? {} : { 'X-Scope-OrgID': tenant }),
      ...(init.headers as Record<string, string>),
    }
    const response = await fetch(edda.url + path, { ...init, headers })
    return { status: response.status, text: await response.text(), headers: response.headers }
  }
  const push = (app: string, who: Ask): Promise<{ status: number; text: string }> => {
    const body = JSON.stringify({ streams: [{ stream: { app }, values: [[`${Date.now()}000000`, `of ${app}`]] }] })
    const headers = { 'content-type': 'application/json' }
    return ask('/loki/api/v1/push', { ...who, init: { method: 'POST', body, headers } })
  }
  const apps = async (who: Ask): Promise<string[]> => {
    const { status, text } = await ask('/loki/api/v1/label/app/values', who)
    assert.equal(status, 200, text)
    return (JSON.parse(text) as { data?: string[] }).data ?? []
  }

  test('401 without credentials, and how to give them; the tenant header alone is nothing', async () => {
    for (const path of ['/loki/api/v1/labels', '/metrics', '/config', '/loki/api/v1/status/buildinfo']) {
      const missing = await ask(path, { tenant: 'acme' })
      assert.deepEqual([missing.status, missing.text], [401, 'credentials are missing\n'], path)
      const challenge = missing.headers.get('www-authenticate')
      assert.equal(challenge, 'Basic realm="edda", charset="UTF-8", Bearer realm="edda"')
    }
    assert.equal((await push('x', { tenant: 'acme' })).status, 401)
    const wrong = await ask('/loki/api/v1/labels', { as: basic('grafana', 'wrong') })
    assert.deepEqual([wrong.status, wrong.text], [401, 'credentials are wrong\n'])
    assert.equal((await ask('/ready')).status, 200)
  })

  test('the tenant follows from the credential; a header may only choose among its own', async () => {
    assert.equal((await push('one', { as: bearer(writer) })).status, 204)
    assert.equal((await push('two', { as: basic('writer', writer.token), tenant: 'acme' })).status, 204)
    assert.equal((await push('three', { as: bearer(both), tenant: 'b' })).status, 204)
    const foreign = await push('four', { as: bearer(writer), tenant: 'b' })
    assert.deepEqual([foreign.status, foreign.text], [403, 'no access to tenant b'])
    assert.deepEqual(await apps({ as: basic('grafana', 'hunter2') }), ['one', 'two'])
    assert.deepEqual(await apps({ as: basic('grafana', 'hunter2'), tenant: 'acme' }), ['one', 'two'])
    assert.equal((await ask('/loki/api/v1/labels', { as: basic('grafana', 'hunter2'), tenant: 'b' })).status, 403)
    assert.equal((await ask('/loki/api/v1/labels', { as: basic('grafana', 'hunter2'), tenant: 'acme|b' })).status, 403)
    // who may act for any tenant names one
    assert.deepEqual(await apps({ as: bearer(reader), tenant: 'b' }), ['three'])
    const unnamed = await ask('/loki/api/v1/labels', { as: bearer(reader) })
    assert.deepEqual([unnamed.status, unnamed.text], [401, 'no org id\n'])
    // who may act for a few reads them all, and writes to one that is named
    assert.deepEqual(await apps({ as: bearer(both) }), ['one', 'three', 'two'])
    assert.deepEqual(await apps({ as: bearer(both), tenant: 'b' }), ['three'])
    const unclear = await push('five', { as: bearer(both) })
    assert.deepEqual([unclear.status, unclear.text], [400, 'several tenants are allowed, X-Scope-OrgID must name one'])
  })

  test('403 says which permission is missing', async () => {
    assert.deepEqual((await push('x', { as: bearer(reader), tenant: 'acme' })).text, 'reader lacks permission write')
    const read = await ask('/loki/api/v1/labels', { as: bearer(writer) })
    assert.deepEqual([read.status, read.text], [403, 'writer lacks permission read'])
    for (const path of [
      '/config',
      '/services',
      '/runtime_config',
      '/log_level',
      '/ring',
      '/memberlist',
      '/debug/workers',
    ]) {
      assert.equal((await ask(path, { as: bearer(both), tenant: 'acme' })).text, 'both lacks permission admin', path)
      assert.equal((await ask(path, { as: bearer(operator) })).status, 200, path)
    }
    for (const path of ['/flush', '/ingester/shutdown', '/ingester/prepare_shutdown', '/log_level']) {
      assert.equal((await ask(path, { as: bearer(both), init: { method: 'POST' } })).status, 403, path)
    }
    const admin = await ask('/loki/api/v1/labels', { as: bearer(operator), tenant: 'acme' })
    assert.deepEqual([admin.status, admin.text], [403, 'operator lacks permission read'])
    assert.equal((await ask('/metrics', { as: bearer(writer) })).status, 200)
    assert.ok(!(await ask('/config', { as: bearer(operator) })).text.includes(operator.stored))
  })

  test('OTLP and live tails are no way around', async () => {
    const otlp = await ask('/otlp/v1/logs', {
      init: { method: 'POST', headers: { 'content-type': 'application/json' } },
    })
    assert.equal(otlp.status, 401)
    assert.match(otlp.headers.get('www-authenticate') ?? '', /^Basic/)
    const tail = (headers: Record<string, string>): Promise<string> =>
      new Promise((resolve) => {
        const url = `${edda.url.replace('http', 'ws')}/loki/api/v1/tail?query=${encodeURIComponent('{app="one"}')}`
        const socket = new WebSocket(url, { headers })
        socket.once('unexpected-response', (_request, response) => resolve(`${response.statusCode}`))
        socket.once('open', () => resolve('open')).on('error', () => undefined)
        socket.once('open', () => socket.close())
      })
    assert.equal(await tail({}), '401')
    assert.equal(await tail({ authorization: bearer(writer) }), '403')
    assert.equal(await tail({ authorization: basic('grafana', 'hunter2'), 'x-scope-orgid': 'b' }), '403')
    assert.equal(await tail({ authorization: basic('grafana', 'hunter2') }), 'open')
  })

  test('pages of other sites cannot use the password that a browser remembers', async () => {
    const as = basic('grafana', 'hunter2')
    const from = (site: string, mode: string): RequestInit => ({
      headers: { 'Sec-Fetch-Site': site, 'Sec-Fetch-Mode': mode },
    })
    const status = async (init: RequestInit, path = '/loki/api/v1/labels', who = as): Promise<number> =>
      // the fetch of Node sets these headers itself
      (await request(edda.url + path, { headers: { ...(init.headers as Record<string, string>), authorization: who } }))
        .statusCode
    assert.equal(await status(from('cross-site', 'cors')), 403)
    assert.equal(await status(from('cross-site', 'navigate')), 200)
    assert.equal(await status(from('same-origin', 'cors')), 200)
    assert.equal(await status(from('cross-site', 'cors'), '/loki/api/v1/label/app/values', bearer(both)), 200)
    assert.equal(await status(from('cross-site', 'navigate'), '/flush', bearer(operator)), 403)
  })

  test('the file is read again: new ones get in, old ones do not', async () => {
    const isIn = async (): Promise<boolean> => (await ask('/metrics', { as: bearer(late) })).status === 200
    assert.equal(await isIn(), false)
    await save(entries + entry('late', token(late.stored), '[acme]', 'read'))
    await untilTrue(isIn)
    await save(`${entries}- {name: broken`)
    await untilTrue(async () => edda.log.some((line) => line.includes('file of credentials is wrong')))
    assert.equal(await isIn(), true)
    await save(entries)
    await untilTrue(async () => !(await isIn()))
    assert.ok(!edda.log.join().includes(late.token))
  })

  test('guessing is slow and ends; nothing else waits for it', async () => {
    let answered = 0
    const guesses = Array.from({ length: 60 }, (_, index) =>
      ask('/metrics', { as: basic('grafana', `guess ${index}`) }).finally(() => answered++),
    )
    const startMs = performance.now()
    assert.deepEqual(await apps({ as: basic('grafana', 'hunter2') }), ['one', 'two'])
    assert.equal((await push('one', { as: bearer(writer) })).status, 204)
    // before the guesses have an end; or it is a machine on which those take no time
    const tookMs = performance.now() - startMs
    assert.ok(answered < guesses.length || tookMs < 2000, `${tookMs} ms`)
    const answers = await Promise.all(guesses)
    assert.ok(answers.every(({ status }) => status === 401 || status === 429))
    const limited = answers.filter(({ status }) => status === 429)
    assert.ok(limited.length >= 30, `${limited.length}`)
    assert.ok(Number(limited[0]?.headers.get('retry-after')) >= 1)
    assert.deepEqual(await apps({ as: basic('grafana', 'hunter2') }), ['one', 'two'], 'who was right before still is')
  })
})

test('`edda hash-password` makes entries that let in', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'edda-security-'))
  try {
    const run = async (argv: readonly string[], input: string): Promise<{ out: string; err: string }> => {
      const child = spawn(process.execPath, [join(root, 'src/main.ts'), 'hash-password', ...argv])
      child.stdin.end(input)
      const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)])
      return { out, err }
    }
    const user = await run(['ann', '--tenants', 'acme', '--permissions', 'read,admin'], 'pass word\n')
    const made = await run(['bot', '--tenants', '*', '--permissions', 'write', '--token'], '')
    const secret = /shown only now: (edda_\S+)\n/.exec(made.err)?.[1] ?? ''
    await writeFile(join(dir, 'credentials.yaml'), `credentials:\n${user.out}${made.out}`)
    await using edda = await startEdda({
      dataDir: join(dir, 'data'),
      flags: ['-auth.enabled=true', `-auth.file=${join(dir, 'credentials.yaml')}`, '-auth.open-paths=/metrics'],
    })
    const status = async (path: string, authorization: string): Promise<number> =>
      (await fetch(edda.url + path, { headers: { authorization } })).status
    assert.equal(await status('/config', basic('ann', 'pass word')), 200)
    assert.equal(await status('/loki/api/v1/labels', basic('ann', 'pass word')), 200)
    assert.equal(await status('/ready', `Bearer ${secret}`), 200)
    assert.equal((await fetch(`${edda.url}/metrics`)).status, 200)
    assert.equal((await fetch(`${edda.url}/ready`)).status, 401)
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
})

/** The first frame of a tail of the agent's lines, or why there is none. */
async function tailOnce(url: string, options: ClientOptions & ConnectionOptions): Promise<string> {
  const path = `/loki/api/v1/tail?${new URLSearchParams({ query: '{job="varlogs"}' }).toString()}`
  const socket = new WebSocket(url.replace('https', 'wss') + path, options)
  try {
    return await new Promise((resolve) => {
      socket.once('message', (frame: Buffer) => resolve(frame.toString()))
      socket.once('error', ({ message }) => resolve(message))
    })
  } finally {
    socket.on('error', () => undefined).terminate()
  }
}

test('TLS, with certificates of clients, for tails too; the agent inside needs neither', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'edda-security-'))
  try {
    const authority = makeCertificate({ name: 'authority' })
    const server = makeCertificate({ name: 'server', issuer: authority })
    const client = makeCertificate({ name: 'client', issuer: authority })
    const file = (name: string): string => join(dir, name)
    await writeFile(file('ca.pem'), authority.cert)
    await writeFile(file('cert.pem'), server.cert)
    await writeFile(file('key.pem'), server.key)
    await writeFile(file('app.log'), 'a line of a file\n')
    const stored = entry('bot', token(reader.stored), '[fake]', 'read')
    await writeFile(file('credentials.yaml'), stored)
    await using edda = await startEdda({
      dataDir: file('data'),
      flags: [
        `-server.http-tls-cert-path=${file('cert.pem')}`,
        `-server.http-tls-key-path=${file('key.pem')}`,
        `-server.http-tls-ca-path=${file('ca.pem')}`,
        '-server.http-tls-client-auth=RequireAndVerifyClientCert',
        `-auth.file=${file('credentials.yaml')}`,
        `-agent-paths=${file('*.log')}`,
      ],
    })
    const url = edda.url.replace('http:', 'https:')
    const connect = { ca: authority.cert, servername: 'localhost' }
    const known = new Agent({ connect: { ...connect, cert: client.cert, key: client.key } })
    const ask = async (path: string, dispatcher: Agent): Promise<string> => {
      const answer = await request(url + path, { dispatcher, headers: { authorization: bearer(reader) } })
      return `${answer.statusCode} ${await answer.body.text()}`
    }
    assert.equal(await ask('/ready', known), '200 ready\n')
    await assert.rejects(ask('/ready', new Agent({ connect })))
    await assert.rejects(fetch(`${edda.url}/ready`))
    const query = `/loki/api/v1/query_range?${new URLSearchParams({ query: '{job="varlogs"}' }).toString()}`
    await untilTrue(async () => (await ask(query, known)).includes('a line of a file'))
    await known.close()

    const certificate = { ca: authority.cert, servername: 'localhost', cert: client.cert, key: client.key }
    const headers = { authorization: bearer(reader) }
    const tailed = await tailOnce(url, { ...certificate, headers })
    assert.match(tailed, /^\{"streams":\[.*a line of a file/)
    const nobody = { authorization: bearer(writer) }
    assert.equal(await tailOnce(url, { ...certificate, headers: nobody }), 'Unexpected server response: 401')
    assert.equal(await tailOnce(url, certificate), 'Unexpected server response: 401')
    assert.match(
      await tailOnce(url, { ca: authority.cert, servername: 'localhost', headers }),
      /certificate required|socket|ECONNRESET/,
    )
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
})

test('a configuration that cannot work does not start', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'edda-security-'))
  try {
    const cases: readonly (readonly [string[], RegExp])[] = [
      [[`-auth.file=${join(dir, 'none.yaml')}`], /cannot read auth\.file/],
      [['-auth.credentials=[{name: x}]'], /auth-credentials|auth\.credentials/],
      [['-auth.open-paths=/config'], /auth\.open_paths: \/config cannot be open/],
      [['-server.http-tls-cert-path=x'], /needs both cert_file and key_file/],
      [['-server.http-tls-cert-path=x', '-server.http-tls-key-path=y'], /cannot read [xy] of server\.http_tls_config/],
    ]
    for (const [flags, message] of cases)
      await assert.rejects(startEdda({ dataDir: join(dir, 'data'), flags }), message)
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
})
