/** Rules in simulated time: what they say is what queries say, through changes, failures and restarts. */
import { testSeed } from '#/kernel/fixture/test-seed.ts'
import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'

import { alertStatuses, groupStatuses } from '#/ruler/api/rule-status.ts'
import { RulerHarness, tenant } from './ruler-harness.ts'
import { SimRandom } from './world/sim-random.ts'

const minute = 60_000

const errors = (more = '', annotation = '{{ $labels.app }}: {{ $value }}'): string => `
name: g
interval: 1m
rules:
- alert: Errors
  expr: sum by (app) (count_over_time({app=~".+"} |= "error" [1m])) > 0
  ${more}
  labels: {severity: page, who: "{{ $labels.app }}"}
  annotations: {summary: '${annotation}'}
`

async function started(t: TestContext): Promise<RulerHarness> {
  const harness = new RulerHarness()
  t.after(() => harness.ruler.stop())
  await harness.ruler.start()
  return harness
}

const toldTexts = ({ told, startMs }: RulerHarness): string[] =>
  told.map(({ atMs, alert }) => {
    const { app } = Object.fromEntries(alert.labels)
    return `${Math.floor((atMs - startMs) / minute)} ${app} ${alert.endsAtMs <= atMs ? 'resolved' : 'firing'}`
  })

const states = ({ ruler }: RulerHarness): string[] =>
  (alertStatuses(ruler.running(tenant)) as { state: string; labels: { app: string } }[]).map(
    ({ state, labels }) => `${labels.app} ${state}`,
  )

describe('alerts', () => {
  test('fire, are told with labels, annotations and a link, and are resolved', async (t) => {
    const harness = await started(t)
    await harness.set(errors())
    await harness.push('web', [
      [30, 'error 1'],
      [90, 'error 2'],
    ])
    await harness.advance(5 * minute)
    const [first] = harness.told
    assert.deepEqual(Object.fromEntries(first!.alert.labels), {
      alertname: 'Errors',
      app: 'web',
      region: 'eu',
      severity: 'page',
      who: 'web',
    })
    assert.deepEqual(first!.alert.annotations, [['summary', 'web: 1']])
    assert.match(first!.alert.generatorUrl, /^http:\/\/edda\/\?q=sum/)
    assert.equal(first!.alert.endsAtMs - first!.atMs >= 3 * minute, true)
    const kinds = toldTexts(harness).map((text) => text.split(' ').at(-1))
    assert.equal(kinds.indexOf('resolved') > 0, true)
    assert.deepEqual(states(harness), [])
  })

  test('wait for `for`', async (t) => {
    const harness = await started(t)
    await harness.set(errors('for: 2m'))
    await harness.push(
      'web',
      Array.from({ length: 6 }, (_, i) => [(i * minute) / 1000 + 1, 'error'] as const),
    )
    await harness.advance(2 * minute)
    assert.deepEqual([states(harness), harness.told.length], [['web pending'], 0])
    await harness.advance(3 * minute)
    assert.deepEqual(states(harness), ['web firing'])
  })

  test('carry the newest lines of their own labels, newest first', async (t) => {
    const harness = await started(t)
    await harness.set(errors('', '{{ range .Lines }}[{{ . }}]{{ end }}'))
    await harness.push(
      'web',
      [1, 2, 3, 4, 5].map((n) => [n, `error ${n}`] as const),
    )
    await harness.push('db', [[3, 'error of another']])
    await harness.push('web', [[6, 'fine']])
    await harness.advance(minute)
    const [web] = harness.told.filter(({ alert }) => Object.fromEntries(alert.labels)['app'] === 'web')
    const summary = web?.alert.annotations[0]?.[1] ?? ''
    const seconds = [...summary.matchAll(/\[error (\d)\]/g)].map(([, n]) => Number(n))
    assert.ok(seconds.length > 0 && seconds.length <= 3, summary)
    assert.deepEqual(
      seconds,
      seconds.toSorted((a, b) => b - a),
    )
    assert.equal(summary, seconds.map((n) => `[error ${n}]`).join(''))
  })

  test('beyond the limit of the group are an error, and none', async (t) => {
    const harness = await started(t)
    await harness.set(errors().replace('interval: 1m', 'interval: 1m\nlimit: 1'))
    const often = Array.from({ length: 30 }, (_, i) => [i * 10, 'error'] as const)
    await harness.push('a', often)
    await harness.push('b', often)
    await harness.advance(3 * minute)
    const all = { type: '', files: [], groups: [], names: [] }
    const [group] = groupStatuses(harness.ruler.running(tenant), all) as { rules: Record<string, unknown>[] }[]
    const { health, lastError } = group!.rules[0]!
    assert.deepEqual([health, lastError], ['err', 'exceeded limit of 1 with 2 alerts'])
    assert.deepEqual([states(harness), harness.told], [[], []])
    assert.equal(await harness.metric('loki_prometheus_rule_evaluation_failures_total'), harness.asked.length)
  })
})

describe('changes', () => {
  test('a changed group goes on with its alerts, a removed one is silent', async (t) => {
    const harness = await started(t)
    await harness.push(
      'web',
      Array.from({ length: 20 }, (_, i) => [i * 30 + 1, 'error'] as const),
    )
    await harness.set(errors('for: 3m'))
    await harness.advance(2 * minute)
    assert.deepEqual(states(harness), ['web pending'])
    await harness.set(errors('for: 1m'))
    await harness.advance(minute)
    assert.deepEqual(states(harness), ['web firing'])
    await harness.ruler.deleteGroup(tenant, 'ns', 'g')
    const { length } = harness.told
    await harness.advance(3 * minute)
    assert.deepEqual([harness.told.length, harness.ruler.running(tenant)], [length, []])
    await assert.rejects(harness.ruler.deleteGroup(tenant, 'ns', 'g'), { message: 'group does not exist' })
    await assert.rejects(harness.ruler.deleteNamespace(tenant, 'ns'), { message: 'group namespace does not exist' })
  })

  test('alerts and rules are there after a restart, and so is what became of them meanwhile', async (t) => {
    const harness = await started(t)
    await harness.push(
      'web',
      Array.from({ length: 240 }, (_, i) => [i * 30 + 1, 'error'] as const),
    )
    await harness.set(errors('for: 20m'))
    await harness.advance(15 * minute)
    assert.deepEqual(states(harness), ['web pending'])
    await harness.restart({ downMs: 10 * minute })
    // 5 of 20 minutes are left, and the grace period is 10
    await harness.advance(9 * minute)
    assert.deepEqual(states(harness), ['web pending'])
    await harness.advance(3 * minute)
    assert.deepEqual(states(harness), ['web firing'])
    await harness.restart({ downMs: 5 * minute })
    assert.deepEqual(states(harness), ['web firing'])
    await harness.restart({ downMs: 120 * minute })
    assert.deepEqual(states(harness), [])
  })
})

test('a query that takes too long makes evaluations miss, and they are counted', async (t) => {
  const harness = await started(t)
  await harness.set(errors())
  const { promise, resolve } = Promise.withResolvers<void>()
  harness.gate = promise
  await harness.advance(6 * minute)
  assert.equal(harness.asked.length, 1)
  resolve()
  harness.gate = Promise.resolve()
  await harness.idle()
  await harness.advance(minute)
  assert.ok((await harness.metric('loki_prometheus_rule_group_iterations_missed_total')) >= 4)
  const times = harness.asked.map(({ timeNs }) => timeNs)
  assert.ok(times.every((time, index) => index === 0 || time > times[index - 1]!))
})

test('a recorded series that ends is marked', async (t) => {
  const harness = await started(t)
  await harness.set(
    '{name: r, interval: 1m, rules: [{record: "app:lines", expr: "sum by (app) (count_over_time({app=~\\".+\\"}[1m]))"}]}',
  )
  await harness.push('web', [[30, 'x']])
  await harness.advance(5 * minute)
  const { written } = harness
  assert.deepEqual(
    written.map(({ isStale }) => isStale ?? false),
    [false, true],
  )
  assert.deepEqual(written[1]!.labels, written[0]!.labels)
  assert.equal(written[1]!.timeMs - written[0]!.timeMs, minute)
})

test('a day of evaluations says what queries say at the same times', async (t) => {
  const harness = await started(t)
  const random = new SimRandom(testSeed)
  const apps = ['a', 'b', 'c']
  for (const app of apps) {
    // busy and silent hours
    const hours = Array.from({ length: 24 }, () => random.next() < 0.6)
    const seconds = Array.from({ length: 3000 }, () => Math.floor(random.next() * 86_400))
    const lines = seconds
      .filter((second) => hours[Math.floor(second / 3600)])
      .toSorted((x, y) => x - y)
      .map((second, index) => [second, `${random.next() < 0.2 ? 'error' : 'fine'} ms=${index % 50}`] as const)
    await harness.push(app, lines)
  }
  const record = 'sum by (app) (rate({app=~"a|b"} | logfmt | ms > 10 [10m]))'
  const alert = 'sum by (app) (count_over_time({app=~".+"} |= "error" [15m])) > 6'
  await harness.set(`
name: g
interval: 10m
query_offset: 30s
rules:
- {record: app:slow, expr: ${JSON.stringify(record)}, labels: {from: logs}}
- {alert: Errors, expr: ${JSON.stringify(alert)}}
`)
  const signal = new AbortController().signal
  const ask = async (query: string, timeNs: bigint) => {
    const { data } = await harness.logs.frontend.instant(
      { tenant, query, timeNs, limit: 1, direction: 'backward' },
      signal,
    )
    assert.ok(data.kind === 'vector')
    return data.samples
  }
  let evaluations = 0
  let alerts = 0
  for (let at = 0; at < 144; at++) {
    harness.written.length = 0
    await harness.advance(10 * minute)
    const last = harness.asked.at(-1)
    assert.equal(last?.query, alert)
    const wanted = (await ask(record, last!.timeNs)).map(({ labels, value }) => [
      Object.fromEntries(labels)['app'],
      value,
    ])
    const written = harness.written.filter(({ isStale }) => !isStale)
    assert.deepEqual(
      written.map(({ labels, value }) => [Object.fromEntries(labels)['app'], value]),
      wanted,
    )
    for (const { timeMs } of written) assert.equal(BigInt(timeMs) * 1_000_000n, last!.timeNs)
    const firing = (await ask(alert, last!.timeNs)).map(({ labels }) => `${Object.fromEntries(labels)['app']} firing`)
    assert.deepEqual(states(harness).toSorted(), firing.toSorted())
    evaluations++
    alerts += firing.length
  }
  assert.equal(evaluations, 144)
  assert.equal(harness.asked.length, 288)
  assert.ok(alerts > 20 && alerts < 3 * 144, `${alerts} alerts`)
})
