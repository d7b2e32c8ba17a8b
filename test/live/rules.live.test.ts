/**
 * Rules with the real receivers: Debian's `prometheus` and `prometheus-alertmanager`, from PATH or from the directory that
 * RULES_LIVE_BIN names; `.ci/run` unpacks them there. Where they are not, nothing is tested, and a line says so.
 */
import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'

import { type EddaProcess, startEdda } from '../process/edda-process.ts'
import { freePort } from '../process/free-port.ts'
import { until } from '../process/until.ts'

const given = process.env['RULES_LIVE_BIN']
const programs = Object.fromEntries(
  ['prometheus', 'prometheus-alertmanager'].map((name) => {
    const places = given === undefined ? (process.env['PATH'] ?? '').split(':') : [given]
    return [name, places.map((place) => join(place, name)).find((path) => existsSync(path))]
  }),
)
const missing = Object.keys(programs).filter((name) => programs[name] === undefined)
const where = given === undefined ? 'PATH, and RULES_LIVE_BIN is not set' : `RULES_LIVE_BIN=${given}`
const skip = missing.length > 0 && `no ${missing.join(' and no ')} in ${where}`
// who names the place expects the test
if (skip !== false && given !== undefined) throw new Error(skip)
if (skip !== false) console.error(`!!! rules are NOT tested with a real Prometheus and Alertmanager: ${skip}`)

const alertmanagerConfig = `
route: {receiver: nobody, group_wait: 1s}
receivers: [{name: nobody}]
`

const group = `
name: live
interval: 1s
rules:
  - alert: Errors
    expr: sum by (app) (count_over_time({app="web"} |= "error" [15s])) > 1
    labels: {severity: page}
    annotations: {lines: "{{ range .Lines }}{{ . }};{{ end }}"}
  - record: app:lines:count15s
    expr: sum by (app) (count_over_time({app="web"}[15s]))
    labels: {from: logs}
`

type AmAlert = {
  readonly labels: Record<string, string>
  readonly annotations: Record<string, string>
  readonly generatorURL: string
}

describe('rules with a real Alertmanager and a real Prometheus', { skip }, () => {
  let dir: string
  let edda: EddaProcess
  const children: ChildProcess[] = []
  const urls = { alertmanager: '', prometheus: '' }
  const logs: string[] = []

  const run = (name: string, args: readonly string[]): void => {
    const child = spawn(programs[name]!, args, { cwd: dir, stdio: ['ignore', 'ignore', 'pipe'] })
    child.stderr?.on('data', (chunk: Buffer) => logs.push(`${name}: ${chunk.toString()}`))
    children.push(child)
  }
  const wait = <T>(what: string, ask: () => Promise<T | undefined>): Promise<T> =>
    until(() => ask().catch(() => undefined), {
      limitMs: 60_000,
      describe: () => `${what}\n${[...logs.slice(-20), ...(edda?.log.slice(-20) ?? [])].join('\n')}`,
    })

  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'edda-live-rules-'))
    const [am, prom] = [await freePort(), await freePort()]
    urls.alertmanager = `http://127.0.0.1:${am}`
    urls.prometheus = `http://127.0.0.1:${prom}`
    await writeFile(join(dir, 'am.yml'), alertmanagerConfig)
    await writeFile(join(dir, 'prom.yml'), 'global: {}\n')
    run('prometheus-alertmanager', [
      `--config.file=${join(dir, 'am.yml')}`,
      `--storage.path=${join(dir, 'am')}`,
      `--web.listen-address=127.0.0.1:${am}`,
      '--cluster.listen-address=',
    ])
    run('prometheus', [
      `--config.file=${join(dir, 'prom.yml')}`,
      `--storage.tsdb.path=${join(dir, 'prom')}`,
      `--web.listen-address=127.0.0.1:${prom}`,
      '--web.enable-remote-write-receiver',
    ])
    // both refuse connections at first: what waits for them must not be lost
    edda = await startEdda({
      dataDir: join(dir, 'edda'),
      flags: [
        `-ruler.alertmanager-url=${urls.alertmanager}`,
        '-ruler.external-url=http://grafana.example.org',
        '-ruler.datasource-uid=loki',
        '-ruler.remote-write.enabled=true',
        `-ruler.remote-write.clients={prom: {url: "${urls.prometheus}/api/v1/write", queue_config: {batch_send_deadline: 100ms}}}`,
      ],
    })
  })
  after(async () => {
    await edda?.kill()
    for (const child of children) {
      child.kill('SIGKILL')
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    }
    await rm(dir, { recursive: true, force: true })
  })

  const alerts = async (): Promise<AmAlert[]> =>
    (await (await fetch(`${urls.alertmanager}/api/v2/alerts`)).json()) as AmAlert[]
  const samples = async (query: string) => {
    const url = `${urls.prometheus}/api/v1/query?${new URLSearchParams({ query })}`
    const { data } = (await (await fetch(url)).json()) as {
      data: { result: { metric: Record<string, string>; values: [number, string][] }[] }
    }
    return data.result
  }

  test('an alert and its samples arrive', async () => {
    const posted = await fetch(`${edda.url}/loki/api/v1/rules/live`, { method: 'POST', body: group })
    assert.equal(posted.status, 202, await posted.text())
    const nowNs = BigInt(Date.now()) * 1_000_000n
    const values = ['error one', 'error two', 'fine'].map((line, i) => [String(nowNs + BigInt(i)), line])
    const body = JSON.stringify({ streams: [{ stream: { app: 'web' }, values }] })
    const headers = { 'content-type': 'application/json' }
    assert.equal((await fetch(`${edda.url}/loki/api/v1/push`, { method: 'POST', body, headers })).status, 204)

    const [alert] = await wait('the alert', async () => {
      const list = await alerts()
      return list.length > 0 ? list : undefined
    })
    assert.deepEqual(alert!.labels, { alertname: 'Errors', app: 'web', severity: 'page' })
    assert.deepEqual(alert!.annotations, { lines: 'error two;error one;' })
    const left = new URL(alert!.generatorURL).searchParams.get('left') ?? ''
    assert.match((JSON.parse(left) as { queries: { expr: string }[] }).queries[0]!.expr, /^sum by \(app\)/)

    const [series] = await wait('samples', async () => {
      const list = await samples('app:lines:count15s[1h]')
      return list.length > 0 ? list : undefined
    })
    assert.deepEqual(series!.metric, { __name__: 'app:lines:count15s', app: 'web', from: 'logs' })
    assert.equal(series!.values[0]![1], '3')
  })

  test('the alert is resolved and the series ends when the lines are past', async () => {
    await wait('the end of the alert', async () => ((await alerts()).length === 0 ? true : undefined))
    // without a stale marker the value would be seen for 5 minutes
    await wait('the end of the series', async () =>
      (await samples('app:lines:count15s')).length === 0 ? true : undefined,
    )
    const [series] = await samples('app:lines:count15s[1h]')
    const times = series!.values.map(([time]) => time)
    assert.ok(times.length >= 3, `${times.length} samples`)
    // one evaluation a second, each at its moment
    const pausesMs = times.slice(1).map((time, index) => Math.round((time - times[index]!) * 1000))
    assert.ok(
      pausesMs.every((pauseMs) => pauseMs % 1000 === 0),
      `${pausesMs.join(', ')} ms`,
    )
  })
})
