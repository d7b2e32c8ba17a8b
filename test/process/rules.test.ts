/** Rules of a whole process: through the API and from files, to an Alertmanager and a receiver of samples, over restarts. */
import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'

import { uncompressSync } from 'snappy'

import { type EddaProcess, startEdda } from './edda-process.ts'
import { until } from './until.ts'

type Received = { readonly path: string; readonly headers: IncomingHttpHeaders; readonly body: Buffer }
type PostedAlert = {
  readonly labels: Record<string, string>
  readonly annotations: Record<string, string>
  readonly startsAt: string
  readonly endsAt: string
  readonly generatorURL: string
}

/** Answers 503 to the first request and 200 to all others. */
async function receiver(): Promise<{ server: Server; url: string; received: Received[]; refused: number }> {
  const received: Received[] = []
  const state = { refused: 0 }
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      if (state.refused++ === 0) return response.writeHead(503).end('not yet')
      received.push({ path: request.url ?? '', headers: request.headers, body: Buffer.concat(chunks) })
      return response.writeHead(200).end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return { server, url, received, refused: 0 }
}

const group = `name: web
interval: 1s
rules:
  - alert: Errors
    expr: sum by (app) (count_over_time({app="web"} |= "error" [5m])) > 1
    labels:
      severity: page
    annotations:
      summary: "{{ $labels.app }} has {{ $value }} errors: {{ range .Lines }}{{ . }};{{ end }}"
  - record: app:lines:count5m
    expr: sum by (app) (count_over_time({app="web"}[5m]))
    labels:
      from: logs
`

describe('rules', () => {
  let dir: string
  let edda: EddaProcess
  let alertmanager: Awaited<ReturnType<typeof receiver>>
  let prometheus: Awaited<ReturnType<typeof receiver>>

  const start = (): Promise<EddaProcess> =>
    startEdda({
      dataDir: dir,
      flags: [
        '-auth.enabled=true',
        `-ruler.alertmanager-url=${alertmanager.url}`,
        '-ruler.external-url=http://logs.example.org',
        '-ruler.poll-interval=1s',
        `-ruler.storage.local.directory=${join(dir, 'files')}`,
        '-ruler.remote-write.enabled=true',
        `-ruler.remote-write.clients={prom: {url: "${prometheus.url}/api/v1/write", queue_config: {batch_send_deadline: 10ms}}}`,
      ],
    })

  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'edda-rules-'))
    alertmanager = await receiver()
    prometheus = await receiver()
    edda = await start()
  })
  after(async () => {
    await edda?.kill()
    alertmanager.server.close()
    prometheus.server.close()
    await rm(dir, { recursive: true, force: true })
  })

  const send = async (path: string, init: RequestInit & { tenant?: string } = {}) => {
    const headers = { 'X-Scope-OrgID': init.tenant ?? 'acme', ...(init.headers as Record<string, string>) }
    const response = await fetch(edda.url + path, { ...init, headers })
    return { status: response.status, text: await response.text(), type: response.headers.get('content-type') }
  }
  const post = (path: string, body: string) =>
    send(path, { method: 'POST', body, headers: { 'content-type': 'application/yaml' } })
  const wait = <T>(what: string, ask: () => Promise<T | undefined>): Promise<T> =>
    until(ask, { limitMs: 30_000, describe: () => `${what}\n${edda.log.slice(-20).join('\n')}` })

  test('there are none at first', async () => {
    assert.deepEqual(await send('/loki/api/v1/rules'), {
      status: 404,
      text: 'no rule groups found',
      type: 'text/plain; charset=utf-8',
    })
    const { text } = await send('/prometheus/api/v1/rules')
    assert.deepEqual(JSON.parse(text), { status: 'success', data: { groups: [] }, errorType: '', error: '' })
  })

  test('a group is written, read and listed', async () => {
    const done = { status: 'success', data: null, errorType: '', error: '' }
    const written = await post('/loki/api/v1/rules/team%20a%2Fb', group)
    assert.equal(written.status, 202, written.text)
    assert.deepEqual(JSON.parse(written.text), done)
    for (const path of ['/loki/api/v1/rules', '/api/prom/rules']) {
      assert.equal((await send(`${path}/team%20a%2Fb/web`)).text, group)
      const listed = await send(path)
      assert.equal(listed.type, 'application/yaml')
      assert.match(listed.text, /^team a\/b:\n {2}- name: web\n/)
      assert.equal((await send(`${path}/team%20a%2Fb`)).text, listed.text)
      assert.equal((await send(`${path}?labels=severity:page`)).text.includes('record:'), false)
      assert.equal((await send(`${path}?labels=severity:none`)).status, 404)
    }
    assert.equal((await send('/loki/api/v1/rules', { tenant: 'other' })).status, 404)
  })

  test('what is wrong is refused', async () => {
    assert.deepEqual((await post('/loki/api/v1/rules/x', 'a: [')).text.trim(), 'unable to decoded rule group')
    const bad = await post('/loki/api/v1/rules/x', 'name: g\nrules: [{alert: A, expr: "sum("}]')
    assert.equal(bad.status, 400)
    assert.match(bad.text, /could not parse expression for alert 'A' in group 'g': parse error/)
    assert.equal((await send('/loki/api/v1/rules/x/y')).text.trim(), 'group does not exist')
    const gone = await send('/loki/api/v1/rules/x', { method: 'DELETE' })
    assert.deepEqual([gone.status, gone.text.trim()], [404, 'group namespace does not exist'])
    const type = await send('/prometheus/api/v1/rules?type=x')
    assert.equal(type.status, 400)
    assert.deepEqual(JSON.parse(type.text), {
      status: 'error',
      data: null,
      errorType: 'bad_data',
      error: 'not supported value "x"',
    })
  })

  test('an alert fires, arrives with its lines, and is shown', async () => {
    const nowNs = BigInt(Date.now()) * 1_000_000n
    const values = ['error one', 'fine', 'error two'].map((line, i) => [
      String(nowNs - 10_000_000_000n + BigInt(i)),
      line,
    ])
    const body = JSON.stringify({ streams: [{ stream: { app: 'web' }, values }] })
    const headers = { 'content-type': 'application/json' }
    assert.equal((await send('/loki/api/v1/push', { method: 'POST', body, headers })).status, 204)

    const message = await wait('an alert', async () => alertmanager.received[0])
    assert.equal(message.path, '/api/v2/alerts')
    assert.equal(message.headers['x-scope-orgid'], 'acme')
    const [alert] = JSON.parse(message.body.toString()) as PostedAlert[]
    assert.deepEqual(alert!.labels, { alertname: 'Errors', app: 'web', severity: 'page' })
    assert.equal(alert!.annotations['summary'], 'web has 2 errors: error two;error one;')
    assert.ok(Date.parse(alert!.endsAt) > Date.now())
    assert.match(alert!.generatorURL, /^http:\/\/logs\.example\.org\/loki\/api\/v1\/query_range\?query=sum/)

    const { text } = await send('/prometheus/api/v1/alerts')
    const { alerts } = (JSON.parse(text) as { data: { alerts: Record<string, unknown>[] } }).data
    assert.equal(alerts.length, 1)
    assert.deepEqual([alerts[0]!['state'], alerts[0]!['value']], ['firing', '2e+00'])
    const rules = JSON.parse((await send('/prometheus/api/v1/rules?type=alert&rule_name[]=Errors')).text) as {
      data: { groups: { name: string; file: string; interval: number; rules: Record<string, unknown>[] }[] }
    }
    const [shown] = rules.data.groups
    assert.deepEqual([shown!.name, shown!.file, shown!.interval, shown!.rules.length], ['web', 'team a/b', 1, 1])
    assert.deepEqual([shown!.rules[0]!['state'], shown!.rules[0]!['health']], ['firing', 'ok'])
  })

  test('recorded samples arrive', async () => {
    const message = await wait('samples', async () => prometheus.received[0])
    const { 'content-encoding': encoding, 'content-type': type, 'x-scope-orgid': tenant } = message.headers
    assert.deepEqual(
      [message.path, encoding, type, tenant],
      ['/api/v1/write', 'snappy', 'application/x-protobuf', 'acme'],
    )
    const text = (uncompressSync(message.body) as Buffer).toString('latin1')
    for (const part of ['__name__', 'app:lines:count5m', 'from', 'logs', 'web']) assert.ok(text.includes(part), part)
  })

  test('numbers say what was done', async () => {
    const labels = 'rule_group="team a/b;web",user="acme"'
    const wanted = [
      `loki_prometheus_rule_evaluations_total\\{${labels}\\} [1-9]`,
      `loki_prometheus_rule_group_rules\\{${labels}\\} 2`,
      'loki_prometheus_notifications_sent_total\\{user="acme",alertmanager="[^"]+"\\} [1-9]',
      'loki_ruler_wal_prometheus_remote_storage_samples_total\\{tenant="acme",remote_name="prom"\\} [1-9]',
    ]
    // an answer is counted a moment after it was given
    await wait('the numbers', async () => {
      const { text } = await send('/metrics')
      return wanted.every((one) => new RegExp(one).test(text)) ? true : undefined
    })
  })

  test('files are read while running, and are only read', async () => {
    await mkdir(join(dir, 'files', 'acme'), { recursive: true })
    const file = 'groups:\n- name: f\n  interval: 1s\n  rules:\n  - {alert: Always, expr: vector(1)}\n'
    const place = async (text: string): Promise<void> => {
      const path = (name: string): string => join(dir, 'files', 'acme', name)
      await writeFile(path('.always'), text)
      await rename(path('.always'), path('always.yaml'))
    }
    await place(file)
    await wait('the alert of the file', async () => {
      const { text } = await send('/prometheus/api/v1/alerts')
      return text.includes('Always') ? true : undefined
    })
    await place('groups: [{}]')
    await wait('word of the wrong file', async () => {
      const { text } = await send('/metrics')
      return text.includes('loki_ruler_config_last_reload_successful{user="acme"} 0') ? true : undefined
    })
    assert.ok((await send('/prometheus/api/v1/alerts')).text.includes('Always'))
    await place(file)
    const refused = await post('/loki/api/v1/rules/always.yaml', group)
    assert.deepEqual(
      [refused.status, refused.text.trim()],
      [403, 'namespace always.yaml is a file, which is only read'],
    )
  })

  test('rules and alerts are there after a restart', async () => {
    const activeAt = async (): Promise<unknown> => {
      const { text } = await send('/prometheus/api/v1/alerts')
      const { alerts } = (JSON.parse(text) as { data: { alerts: { labels: { app?: string }; activeAt: string }[] } })
        .data
      return alerts.find(({ labels }) => labels.app === 'web')?.activeAt
    }
    const before = await activeAt()
    assert.equal(await edda.stop(), 0)
    edda = await start()
    const again = await wait('the alert', activeAt)
    assert.equal(again, before)
  })

  test('a group is removed', async () => {
    assert.equal((await send('/loki/api/v1/rules/team%20a%2Fb/web', { method: 'DELETE' })).status, 202)
    assert.equal((await send('/loki/api/v1/rules/team%20a%2Fb/web')).status, 404)
    assert.equal((await send('/prometheus/api/v1/alerts')).text.includes('Errors'), false)
  })
})
