/** What operators ask of a process: its state, configuration, log level and inside; and what it answers when it must not. */
import assert from 'node:assert/strict'
import { request } from 'node:http'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'

import { parse } from 'yaml'

import { type EddaProcess, get, startEdda } from './edda-process.ts'
import { until } from './until.ts'

const runtimeFile = `
overrides:
  acme: {max_line_size: 1MB, otlp_config: {severity_text_as_label: true}}
  __proto__: {max_query_series: 7}
`

const untilTrue = (ask: () => Promise<boolean>): Promise<true> =>
  until(async () => ((await ask()) ? true : undefined), { limitMs: 60_000, describe: () => 'it is not so' })

describe('operations', () => {
  let dir: string
  let edda: EddaProcess

  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'edda-operations-'))
    await writeFile(join(dir, 'runtime.yaml'), runtimeFile)
    edda = await startEdda({
      dataDir: join(dir, 'data'),
      flags: [
        `-runtime-config.file=${join(dir, 'runtime.yaml')}`,
        '-runtime-config.period=50ms',
        `-ingester.shutdown-marker-path=${join(dir, 'marker')}`,
      ],
    })
  })
  after(async () => {
    await edda?.kill()
    await rm(dir, { recursive: true, force: true })
  })

  const ask = async (path: string, init: RequestInit = {}): Promise<{ response: Response; text: string }> => {
    const response = await fetch(edda.url + path, init)
    return { response, text: await response.text() }
  }
  /** As a page of another site would: under another host name. */
  const askAs = (host: string, path: string): Promise<number> =>
    new Promise((resolve, reject) => {
      const sent = request(edda.url + path, { headers: { host } }, (response) => {
        response.resume()
        resolve(response.statusCode ?? 0)
      })
      sent.on('error', reject).end()
    })

  test('/ready, with the parts when they are asked for', async () => {
    assert.equal(await get(edda.url, '/ready'), 'ready\n')
    const lines = (await get(edda.url, '/ready', { verbose: '' })).split('\n')
    assert.equal(lines[0], 'ready')
    assert.ok(lines.includes('ingester => Running'), lines.join())
    assert.equal(await get(edda.url, '/ready', { verbose: 'false' }), 'ready\n')
    assert.equal((await ask('/ready', { method: 'POST' })).response.status, 405)
  })

  test('/services: a line for each module', async () => {
    const { response, text } = await ask('/services')
    assert.match(response.headers.get('content-type') ?? '', /^text\/plain/)
    assert.match(text, /^([a-z-]+ => Running\n)+$/)
  })

  test('/config: all, what differs, the defaults', async () => {
    const all = parse(await get(edda.url, '/config')) as Record<string, Record<string, unknown>>
    assert.equal(all['server']?.['debug_endpoints'], 'auto')
    const diff = parse(await get(edda.url, '/config', { mode: 'diff' })) as typeof all
    assert.equal(diff['server']?.['http_listen_address'], '127.0.0.1')
    assert.equal(diff['server']?.['log_level'], undefined)
    const defaults = parse(await get(edda.url, '/config', { mode: 'defaults' })) as typeof all
    assert.equal(defaults['server']?.['http_listen_port'], 3100)
  })

  test('/runtime_config: every limit of the tenants that it names, or what it says; and changes', async () => {
    const all = parse(await get(edda.url, '/runtime_config')) as { overrides: Record<string, Record<string, unknown>> }
    assert.equal(all.overrides['acme']?.['max_line_size'], '1MB')
    assert.equal(all.overrides['acme']?.['max_query_series'], 500)
    const diff = await get(edda.url, '/runtime_config', { mode: 'diff' })
    assert.match(diff, /^overrides:\n {2}acme:\n {4}max_line_size: 1MB\n/)
    assert.match(diff, /\n {2}__proto__:\n {4}max_query_series: 7\n$/)
    assert.match(await get(edda.url, '/runtime_config', { mode: 'x' }, 400), /unknown mode "x"/)
    await writeFile(join(dir, 'runtime.yaml'), 'overrides: {acme: {max_line_size: 2MB}}')
    await untilTrue(async () => (await get(edda.url, '/runtime_config', { mode: 'diff' })).includes('2MB'))
    await writeFile(join(dir, 'runtime.yaml'), runtimeFile)
  })

  test('/log_level: read, set, refused', async () => {
    const set = (level: string): ReturnType<typeof ask> =>
      ask('/log_level', { method: 'POST', body: new URLSearchParams({ log_level: level }) })
    assert.deepEqual(JSON.parse((await ask('/log_level')).text), { message: 'Current log level is info' })
    assert.deepEqual(JSON.parse((await set('debug')).text), { status: 'success', message: 'Log level set to debug' })
    assert.deepEqual(JSON.parse((await ask('/log_level')).text), { message: 'Current log level is debug' })
    const refused = await set('loud')
    assert.equal(refused.response.status, 400)
    assert.deepEqual(JSON.parse(refused.text), { status: 'failed', message: 'unrecognized log level "loud"' })
    assert.equal((await set('info')).response.status, 200)
  })

  test('buildinfo has what Grafana reads', async () => {
    const info = JSON.parse(await get(edda.url, '/loki/api/v1/status/buildinfo')) as Record<string, unknown>
    assert.match(String(info['version']), /^\d+\.\d+\.\d+$/)
    for (const key of ['revision', 'branch', 'buildUser', 'buildDate', 'goVersion']) assert.ok(key in info, key)
  })

  test('rings and members: pages and JSON that say that there are none', async () => {
    for (const path of ['/ring', '/distributor/ring', '/partition-ring', '/memberlist']) {
      const page = await ask(path)
      assert.match(page.response.headers.get('content-type') ?? '', /^text\/html/, path)
      assert.match(page.text, /one process/)
      const json = await ask(path, { headers: { accept: 'application/json' } })
      const { now, message, ...lists } = JSON.parse(json.text) as Record<string, unknown>
      assert.ok(!Number.isNaN(Date.parse(String(now))))
      assert.match(String(message), /one process/)
      assert.deepEqual(Object.values(lists), [[]], path)
    }
    const forget = await ask('/ring', {
      method: 'POST',
      body: new URLSearchParams({ forget: 'x' }),
      redirect: 'manual',
    })
    assert.deepEqual([forget.response.status, forget.response.headers.get('location')], [302, '#'])
    assert.equal((await ask('/memberlist', { method: 'POST' })).response.status, 405)
  })

  test('/ingester/prepare_shutdown: unset, set, unset', async () => {
    const path = '/ingester/prepare_shutdown'
    const marker = join(dir, 'marker', 'shutdown-requested.txt')
    assert.equal(await get(edda.url, path), 'unset')
    assert.equal((await ask(path, { method: 'POST' })).response.status, 204)
    assert.equal((await ask(path, { method: 'POST' })).response.status, 204)
    assert.equal(await get(edda.url, path), 'set')
    assert.match(await readFile(marker, 'utf8'), /^\d{4}-/)
    assert.equal((await ask(path, { method: 'DELETE' })).response.status, 204)
    assert.equal((await ask(path, { method: 'DELETE' })).response.status, 204)
    assert.equal(await get(edda.url, path), 'unset')
    await assert.rejects(readFile(marker), /ENOENT/)
  })

  test('/debug/profile: a profile of a second, of the main thread and of a worker', async () => {
    const { response, text } = await ask('/debug/profile?seconds=1')
    assert.equal(response.status, 200)
    assert.equal(response.headers.get('content-disposition'), 'attachment; filename="edda-0.cpuprofile"')
    const profile = JSON.parse(text) as { nodes: unknown[]; startTime: number; endTime: number; samples: unknown[] }
    assert.ok(profile.nodes.length > 0 && profile.samples.length > 0)
    assert.ok(profile.endTime - profile.startTime > 900_000, `${profile.endTime - profile.startTime} us`)
    // a flush starts a worker thread
    await get(edda.url, '/loki/api/v1/push', {}, 405)
    const body = JSON.stringify({ streams: [{ stream: { a: 'b' }, values: [[`${Date.now()}000000`, 'x']] }] })
    const headers = { 'content-type': 'application/json' }
    assert.equal((await ask('/loki/api/v1/push', { method: 'POST', body, headers })).response.status, 204)
    assert.equal((await ask('/flush', { method: 'POST' })).response.status, 204)
    const workers = JSON.parse(await get(edda.url, '/debug/workers')) as {
      pool: { threads: number; running: number }
      threads: { thread: number; heapUsedBytes: number; cpuSeconds: number }[]
    }
    assert.ok(workers.pool.threads >= 1 && workers.pool.running === 0)
    const [first] = workers.threads
    assert.ok(first !== undefined && first.heapUsedBytes > 100_000 && first.cpuSeconds > 0)
    const ofWorker = await ask(`/debug/profile?seconds=1&thread=${first.thread}`)
    assert.ok((JSON.parse(ofWorker.text) as { nodes: unknown[] }).nodes.length > 0)
  })

  test('/debug/profile: wrong parameters, and one at a time', async () => {
    assert.match(
      await get(edda.url, '/debug/profile', { seconds: '61' }, 400),
      /seconds must be from 1 to 60, found 61/,
    )
    assert.match(await get(edda.url, '/debug/profile', { seconds: '0' }, 400), /found 0/)
    assert.match(await get(edda.url, '/debug/profile', { seconds: '1.5' }, 400), /must be a whole number, found "1.5"/)
    assert.match(await get(edda.url, '/debug/profile', { thread: '999' }, 404), /there is no thread 999/)
    const gone = new AbortController()
    const long = ask('/debug/profile?seconds=60', { signal: gone.signal }).catch(() => undefined)
    await untilTrue(async () => (await ask('/debug/profile?thread=999')).response.status === 503)
    const busy = await ask('/debug/profile?seconds=1')
    assert.equal(busy.response.status, 503)
    assert.match(busy.text, /a CPU profile is being taken, one at a time/)
    assert.equal(busy.response.headers.get('retry-after'), '10')
    gone.abort()
    await long
    // the client that left has ended it
    await untilTrue(async () => (await ask('/debug/profile?thread=999')).response.status === 404)
  })

  test('/debug/heap: a whole snapshot; a client that leaves in the middle frees the place', async () => {
    const gone = new AbortController()
    const first = await fetch(`${edda.url}/debug/heap`, { signal: gone.signal })
    assert.equal(first.status, 200)
    const reader = first.body!.getReader()
    await reader.read()
    gone.abort()
    await untilTrue(async () => (await ask('/debug/profile?thread=999')).response.status === 404)
    const { response, text } = await ask('/debug/heap')
    assert.equal(response.headers.get('content-disposition'), 'attachment; filename="edda.heapsnapshot"')
    assert.ok((JSON.parse(text) as { snapshot: { node_count: number } }).snapshot.node_count > 10_000)
  })

  test('/debug/*: not by another name than one of this machine', async () => {
    for (const path of ['/debug/workers', '/debug/heap', '/debug/profile']) {
      assert.equal(await askAs('evil.example', path), 403, path)
    }
    assert.equal(await askAs('localhost:3100', '/debug/workers'), 200)
    assert.equal(await askAs('localhost.evil.example', '/debug/workers'), 403)
  })
})

test('without their settings: no marker, no runtime file, no debugging', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'edda-operations-'))
  try {
    await using edda = await startEdda({ dataDir, flags: ['-server.debug-endpoints=off'] })
    assert.match(await get(edda.url, '/ingester/prepare_shutdown', {}, 500), /no shutdown marker path is set/)
    assert.equal(await get(edda.url, '/runtime_config'), "runtime config file doesn't exist\n")
    assert.match(await get(edda.url, '/debug/heap', {}, 403), /closed, see server\.debug_endpoints/)
  } finally {
    await rm(dataDir, { recursive: true, force: true })
  }
})
