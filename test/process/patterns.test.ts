/** `patterns` against a real process: in memory, in blocks, after a kill; its parameters, its errors, and how it is switched off. */
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'

import { startEdda } from './edda-process.ts'

const SECOND = 1_000_000_000n
const TIME = 1_795_000_020n * SECOND
const path = '/loki/api/v1/patterns'
const range = { start: String(TIME - 60n * SECOND), end: String(TIME + 120n * SECOND), step: '60s' }
const limitText = `limits_config: {reject_old_samples: false, creation_grace_period: 10000h}\n`

type Sent = { readonly status: number; readonly body: string; readonly type: string | null }

async function ask(url: string, params: Record<string, string>, method = 'GET'): Promise<Sent> {
  const text = new URLSearchParams(params).toString()
  const isPost = method === 'POST'
  const response = await (isPost
    ? fetch(url + path, { method: 'POST', body: new URLSearchParams(params) })
    : fetch(`${url}${path}?${text}`))
  return { status: response.status, body: await response.text(), type: response.headers.get('content-type') }
}

async function push(url: string): Promise<void> {
  const values = Array.from({ length: 40 }, (_, i) => [
    String(TIME + BigInt(i) * 3n * SECOND),
    i % 4 === 0 ? `level=error msg="card ${i} refused" user=u${i}` : `level=info msg="order placed" user=u${i}`,
  ])
  const body = JSON.stringify({ streams: [{ stream: { app: 'pay' }, values }] })
  const response = await fetch(`${url}/loki/api/v1/push`, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json' },
  })
  assert.equal(response.status, 204, await response.text())
}

const first = Number(TIME / SECOND / 60n) * 60
const expected = {
  status: 'success',
  data: [
    {
      pattern: 'level=info msg="order placed" user=<_>',
      level: 'info',
      samples: [0, 1, 2].map((i) => [first + i * 60, 0]),
    },
    {
      pattern: 'level=error msg="card <_> refused" user=<_>',
      level: 'error',
      samples: [0, 1, 2].map((i) => [first + i * 60, 0]),
    },
  ],
}
for (let i = 0; i < 40; i++) {
  const minute = Math.floor((Number(TIME / SECOND) + i * 3 - first) / 60)
  expected.data[i % 4 === 0 ? 1 : 0]!.samples[minute]![1]!++
}
for (const one of expected.data) one.samples = one.samples.filter(([, lines]) => lines !== 0)

describe('patterns', () => {
  let dir: string
  let config: string
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'edda-patterns-'))
    config = join(dir, 'edda.yaml')
    await writeFile(config, limitText)
  })
  after(() => rm(dir, { recursive: true, force: true }))

  test('of lines in memory, of lines in blocks, after a kill and a restart; and switched off', async () => {
    const dataDir = join(dir, 'data')
    const query = '{app="pay"}'
    {
      await using server = await startEdda({ dataDir, flags: [`-config.file=${config}`] })
      await push(server.url)
      const inMemory = await ask(server.url, { ...range, query })
      assert.equal(inMemory.type, 'application/json; charset=UTF-8')
      assert.deepEqual(JSON.parse(inMemory.body), expected)
      await fetch(`${server.url}/flush`, { method: 'POST' })
      assert.deepEqual(JSON.parse((await ask(server.url, { ...range, query })).body), expected)
      assert.deepEqual(JSON.parse((await ask(server.url, { ...range, query }, 'POST')).body), expected)
      await checkParameters(server.url)
      await server.kill()
    }
    {
      await using server = await startEdda({ dataDir, flags: [`-config.file=${config}`] })
      assert.deepEqual(JSON.parse((await ask(server.url, { ...range, query })).body), expected)
      await server.stop()
    }
    await using server = await startEdda({
      dataDir,
      flags: [`-config.file=${config}`, '-limits-config.pattern-mining=false'],
    })
    assert.deepEqual((({ status, body }) => ({ status, body }))(await ask(server.url, { ...range, query })), {
      status: 404,
      body: '',
    })
    const limits = await fetch(`${server.url}/loki/api/v1/drilldown-limits`, { headers: { 'X-Scope-OrgID': 'fake' } })
    assert.equal(((await limits.json()) as { pattern_ingester_enabled: boolean }).pattern_ingester_enabled, false)
  })
})

async function checkParameters(url: string): Promise<void> {
  const query = '{app="pay"}'
  assert.deepEqual(JSON.parse((await ask(url, { ...range, query: '{app="none"}' })).body), {
    status: 'success',
    data: [],
  })
  const data = JSON.parse((await ask(url, { ...range, query, step: '1' })).body).data as typeof expected.data
  assert.ok(data[0]!.samples.length >= 12)
  assert.ok(data[0]!.samples.every(([time]) => time! % 10 === 0))
  const refused: readonly (readonly [params: Record<string, string>, text: RegExp])[] = [
    [{ ...range }, /parse error/],
    [{ ...range, query: '{}' }, /at least one/],
    [{ ...range, query: '{app="pay"} |= "x"' }, /parse error|only label matchers/],
    [{ ...range, query, step: '0' }, /zero or negative query resolution step/],
    [{ ...range, query, step: 'soon' }, /cannot parse "soon" to a valid duration/],
    [{ ...range, query, step: '1ms' }, /exceeded maximum resolution of 11,000 points/],
    [{ ...range, query, start: 'x' }, /could not parse 'start' parameter/],
    [{ query, start: range.end, end: range.start }, /end timestamp must not be before or equal to start time/],
  ]
  for (const [params, text] of refused) {
    const { status, body } = await ask(url, params)
    assert.equal(status, 400, JSON.stringify(params))
    assert.match(body, text)
  }
}
