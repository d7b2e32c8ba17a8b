/** What LogQL has beyond Loki's, over HTTP and on the command line of a real process. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { promisify } from 'node:util'

import { type EddaProcess, startEdda } from './edda-process.ts'

const SECOND = 1_000_000_000n
const TIME = 1_795_000_000_000_000_000n
const root = join(import.meta.dirname, '../..')
const run = promisify(execFile)

const web = [
  '{"trace_id":"t1","status":200,"ms":30}',
  '{"trace_id":"t2","status":500,"ms":4}',
  '{"trace_id":"t3","status":503,"ms":1000}',
  '{"trace_id":"t2","status":500,"ms":50}',
]
const db = ['select 1', 'select 2', 'select 3']

describe('extensions of LogQL', () => {
  let dir: string
  let server: EddaProcess

  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'edda-extensions-'))
    server = await startEdda({ dataDir: dir, flags: ['-auth.enabled=true', '-limits-config.reject-old-samples=false'] })
    // the first half is in a block, the second in memory
    await push('acme', 'web', web.slice(0, 2), 0)
    assert.equal((await send('/flush', { method: 'POST' })).status, 204)
    await push('acme', 'web', web.slice(2), 2)
    await push('acme', 'db', db, 10, ['t1', 't2', 't3'])
    await push('other', 'web', ['{"trace_id":"t1","status":500}'], 20)
  })
  after(async () => {
    await server?.kill()
    await rm(dir, { recursive: true, force: true })
  })

  const send = async (path: string, init: RequestInit & { tenant?: string } = {}) => {
    const headers = { 'X-Scope-OrgID': init.tenant ?? 'acme', ...(init.headers as Record<string, string>) }
    const response = await fetch(server.url + path, { ...init, headers })
    return { status: response.status, text: await response.text() }
  }

  async function push(tenant: string, app: string, lines: string[], from: number, traces?: string[]): Promise<void> {
    const values = lines.map((line, i) => {
      const time = String(TIME + BigInt(from + i) * SECOND)
      return traces === undefined ? [time, line] : [time, line, { trace: traces[i]! }]
    })
    const body = JSON.stringify({ streams: [{ stream: { app }, values }] })
    const headers = { 'Content-Type': 'application/json' }
    const { status, text } = await send('/loki/api/v1/push', { method: 'POST', body, headers, tenant })
    assert.equal(status, 204, text)
  }

  const ask = (query: string, more: Record<string, string> = {}) => {
    const times = { start: String(TIME), end: String(TIME + 100n * SECOND) }
    return send(`/loki/api/v1/query_range?${new URLSearchParams({ query, ...times, ...more })}`)
  }
  const lines = async (query: string, more?: Record<string, string>): Promise<string[]> => {
    const { status, text } = await ask(query, more)
    assert.equal(status, 200, text)
    const { data } = JSON.parse(text)
    return data.result.flatMap((one: { values: [string, string][] }) => one.values.map(([, line]) => line))
  }

  test('distinct, sort and limit', async () => {
    assert.deepEqual(
      (await lines('{app="web"} | json | distinct trace_id')).toSorted(),
      [web[0]!, web[3]!, web[2]!].toSorted(),
    )
    assert.deepEqual(await lines('{app="web"} | json | sort by ms desc'), [web[2], web[3], web[0], web[1]])
    assert.deepEqual(await lines('{app="web"} | json | distinct trace_id | sort by ms | limit 2'), [web[0], web[3]])
    assert.deepEqual(await lines('{app="web"} | limit 1', { direction: 'forward' }), [web[0]])
  })

  test('a subquery sees the data of its tenant', async () => {
    const failed = '{app="web"} | json | status >= 500 | keep trace_id'
    assert.deepEqual((await lines(`{app="db"} | trace in (${failed})`)).toSorted(), ['select 2', 'select 3'])
    const count = `sum(count_over_time({app="db"} | trace in (${failed}) [1m]))`
    const { text } = await send(
      `/loki/api/v1/query?${new URLSearchParams({ query: count, time: String(TIME + 50n * SECOND) })}`,
    )
    assert.deepEqual(
      JSON.parse(text).data.result.map(({ value }: { value: unknown[] }) => value[1]),
      ['2'],
    )
  })

  test('what does not work is refused with 400 and words that help', async () => {
    const interval = await ask('{app="web"} | json | distinct trace_id', { interval: '5s' })
    assert.deepEqual(interval, {
      status: 400,
      text: "interval cannot be used with '| distinct'; leave one of them out",
    })
  })

  test('the command line prints the order of the sort', async () => {
    const argv = [
      'query',
      '{app="web"} | json | sort by ms desc',
      '--addr',
      server.url,
      '--tenant',
      'acme',
      '-o',
      'raw',
    ]
    const times = ['--from', String(TIME), '--to', String(TIME + 100n * SECOND)]
    const { stdout } = await run(process.execPath, [join(root, 'src/main.ts'), ...argv, ...times], { cwd: root })
    assert.deepEqual(stdout.trim().split('\n'), [web[2], web[3], web[0], web[1]])
  })
})
