import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'

import { openMemoryLogs } from '#/logs/roles/memory-logs.ts'
import { realClock } from '#/platform/world/real-clock.ts'
import { realWorld } from '#/platform/world/real-world.ts'
import { runCli } from './main.ts'

const rules = `# the rules of the shop
groups:
    - name: shop
      interval: 30s
      rules:
        - alert: Errors # loud
          expr: sum by (app) ( count_over_time({app="web"}|="error"[5m]) ) > 2
          for: 1m
          labels: {severity: page}
          annotations: {summary: "{{ $value }} errors: {{ range .Lines }}{{ . }};{{ end }}"}
        - record: app:lines:count1m
          expr: sum by (app) (count_over_time({app=~".+"}[1m]))
`

const tests = `
rule_files: [rules.yaml]
evaluation_interval: 1m
tests:
  - name: three errors
    input_streams:
      - stream: {app: web}
        lines:
          - {at: 10s, line: error one}
          - {at: 20s, line: error two}
          - {at: 30s, line: error three}
      - stream: '{app="db"}'
        lines:
          - {from: 0s, to: 5m, every: 10s, line: fine}
    alert_rule_test:
      - {eval_time: 30s, alertname: Errors, exp_alerts: []}
      - {eval_time: 1m, alertname: Errors}
      - eval_time: 2m
        alertname: Errors
        exp_alerts:
          - exp_labels: {severity: page, app: web}
            exp_annotations: {summary: "3 errors: error three;error two;error one;"}
      - {eval_time: 6m, alertname: Errors}
    recording_rule_test:
      - eval_time: 1m
        record: app:lines:count1m
        exp_samples:
          - {labels: '{app="db"}', value: 6}
          - {labels: {app: web}, value: 3}
    logql_expr_test:
      - {expr: 'sum(count_over_time({app="db"}[1m]))', eval_time: 5m, exp_samples: [{value: 6}]}
      - {expr: 'count by (detected_level) (count_over_time({app="web"}[1m]))', eval_time: 1m, exp_samples: [{labels: {detected_level: error}, value: 1}]}
`

describe('edda rules', () => {
  let dir: string
  const path = (name: string): string => join(dir, name)

  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'edda-cli-rules-'))
    await writeFile(path('rules.yaml'), rules)
    await writeFile(path('tests.yaml'), tests)
  })
  after(() => rm(dir, { recursive: true, force: true }))

  async function run(...argv: readonly string[]): Promise<{ code: number; out: string; err: string }> {
    let out = ''
    let err = ''
    const missing = (): Promise<never> => Promise.reject(new Error('none'))
    const code = await runCli(
      ['rules', ...argv],
      {
        out: async (text) => void (out += text),
        err: (text) => void (err += text),
        stdin: (async function* () {})(),
        isTerminal: false,
        env: {},
        world: realWorld(),
        signal: new AbortController().signal,
      },
      {
        version: '1',
        inspectors: { block: missing, wal: missing, catalog: missing },
        openRuleEngine: async (tenant) => openMemoryLogs(realClock, tenant),
        openLocalData: () => Promise.reject(new Error('none')),
      },
    )
    return { code, out, err }
  }

  test('check says how many there are, or what is wrong and where', async () => {
    assert.deepEqual(await run('check', path('rules.yaml')), {
      code: 0,
      out: `${path('rules.yaml')}: 1 group, 2 rules\n`,
      err: '',
    })
    await writeFile(path('bad.yaml'), rules.replace('record: app', 'record: 0app').replace('for: 1m', 'for: soon'))
    const bad = await run('check', path('rules.yaml'), path('bad.yaml'))
    assert.equal(bad.code, 1)
    assert.equal(
      bad.err,
      `${path('bad.yaml')}:8: for: not a valid duration string: "soon"\n` +
        `${path('bad.yaml')}:11: invalid recording rule name: 0app:lines:count1m\n` +
        'edda: 1 of 2 files are wrong\n',
    )
    const [, rule = ''] = rules.split(/(?= {8}- record)/)
    await writeFile(path('twice.yaml'), rules + rule)
    assert.match(
      (await run('check', path('twice.yaml'))).err,
      /record 'app:lines:count1m' in group 'shop' is there twice/,
    )
  })

  test('format keeps comments and says the same', async () => {
    await writeFile(path('format.yaml'), rules)
    assert.equal((await run('format', '--check', path('format.yaml'))).code, 1)
    assert.equal((await run('format', '--write', path('format.yaml'))).code, 0)
    const text = await readFile(path('format.yaml'), 'utf8')
    assert.match(text, /^# the rules of the shop\ngroups:\n {2}- name: shop\n/)
    assert.ok(text.includes('- alert: Errors # loud'))
    assert.ok(text.includes('expr: (sum by (app)(count_over_time({app="web"} |= "error"[5m])) > 2)'), text)
    assert.equal((await run('format', '--check', path('format.yaml'))).code, 0)
    assert.equal((await run('format', path('format.yaml'))).out, text)
  })

  test('test runs rules over lines', async () => {
    assert.deepEqual(await run('test', path('tests.yaml')), { code: 0, out: `${path('tests.yaml')}: ok\n`, err: '' })
  })

  test('test shows what differs', async () => {
    const wrong = tests
      .replace('exp_labels: {severity: page', 'exp_labels: {severity: mail')
      .replace('value: 3', 'value: 4')
    await writeFile(path('wrong.yaml'), wrong)
    const { code, out, err } = await run('test', path('wrong.yaml'))
    assert.equal(code, 1)
    assert.equal(err, 'edda: 1 of 1 test files failed\n')
    const summary = '{summary="3 errors: error three;error two;error one;"}'
    assert.equal(
      out,
      `${path('wrong.yaml')}: FAILED\n` +
        '  name: three errors, record: app:lines:count1m, time: 1m\n' +
        '    exp: {__name__="app:lines:count1m", app="db"} 6\n' +
        '         {__name__="app:lines:count1m", app="web"} 4\n' +
        '    got: {__name__="app:lines:count1m", app="db"} 6\n' +
        '         {__name__="app:lines:count1m", app="web"} 3\n' +
        '  name: three errors, alertname: Errors, time: 2m\n' +
        `    exp: {alertname="Errors", app="web", severity="mail"} ${summary}\n` +
        `    got: {alertname="Errors", app="web", severity="page"} ${summary}\n`,
    )
    await writeFile(path('wrong.yaml'), tests.replace('input_streams', 'input_series'))
    assert.match((await run('test', path('wrong.yaml'))).err, /tests\[0\]: unknown key input_series, known are /)
  })

  test('diff and sync', async () => {
    const group = (name: string, expr: string): object => ({ name, rules: [{ alert: 'A', expr }] })
    const state: Record<string, object[]> = {
      rules: [group('shop', 'vector(1)'), group('old', 'vector(2)')],
      other: [group('x', 'vector(3)')],
    }
    const seen: string[] = []
    const server = createServer((request, response) => {
      let body = ''
      request.on('data', (chunk: Buffer) => (body += chunk.toString()))
      request.on('end', () => {
        seen.push(`${request.method} ${request.url} ${request.headers['x-scope-orgid']} ${body.split('\n')[0]}`)
        if (request.method === 'GET') return response.writeHead(200).end(JSON.stringify(state))
        return response.writeHead(202).end('{}')
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const options = ['--addr', address, '--tenant', 'acme']
    const diff = await run('diff', path('rules.yaml'), ...options)
    assert.equal(diff.code, 1)
    assert.match(diff.out, /^~ rules\/shop\n {4}- rules:\n/m)
    assert.match(diff.out, /^- rules\/old\n/m)
    assert.equal(diff.out.includes('other'), false)
    seen.length = 0
    const sync = await run('sync', path('rules.yaml'), '--prune', ...options)
    assert.deepEqual(sync, { code: 0, out: 'changed rules/shop\nremoved rules/old\nremoved other/x\n', err: '' })
    assert.deepEqual(seen, [
      'GET /loki/api/v1/rules acme ',
      'POST /loki/api/v1/rules/rules acme name: shop',
      'DELETE /loki/api/v1/rules/rules/old acme ',
      'DELETE /loki/api/v1/rules/other/x acme ',
    ])
    server.close()
  })
})
