import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import type { Clock } from '#/kernel/world.ts'
import { bytes, custom, defaultsOf, int } from '#/platform/config/option.ts'
import type { Logger } from '#/platform/telemetry/logger.ts'
import { Metrics } from '#/platform/telemetry/metrics.ts'
import { realWorld } from '#/platform/world/real-world.ts'
import { Overrides, type OverridesOptions } from './overrides.ts'

const section = {
  max_line_size: bytes('256KB', 'Longest line.'),
  max_streams: int(5000, 'Streams.'),
  shard_streams: { desired_rate: bytes('1536KB', 'Rate.') },
  retention_stream: custom('rules', [] as readonly unknown[], 'Rules.', (value) => value as unknown[]),
}

/** Overrides over files in memory; the test turns the clock. */
async function open(
  files: Record<string, string>,
  names = Object.keys(files).join(','),
): Promise<{
  overrides: Overrides<typeof section>
  tick: () => Promise<void>
  messages: string[]
  metric: (start: string) => Promise<string | undefined>
  isTicking: () => boolean
}> {
  const messages: string[] = []
  const note = (message: string, fields?: object): void =>
    void messages.push(fields && 'err' in fields ? `${message}: ${(fields.err as Error).message}` : message)
  const logger: Logger = { debug: note, info: () => undefined, warn: note, error: note, with: () => logger }
  const metrics = new Metrics()
  let onTick: (() => void) | undefined
  const clock: Clock = {
    ...realWorld().clock,
    every: (ms, tick) => {
      assert.equal(ms, 10_000)
      onTick = tick
      return () => (onTick = undefined)
    },
  }
  const readFile = async (path: string): Promise<Buffer> => {
    const text = files[path]
    if (text === undefined) throw Object.assign(new Error(`ENOENT: no such file, open '${path}'`), { code: 'ENOENT' })
    return Buffer.from(text)
  }
  const options: OverridesOptions<typeof section> = {
    section,
    defaults: { ...defaultsOf(section), max_streams: 100 },
    files: names,
    periodMs: 10_000,
    foreignKeys: [{ path: 'tsdb_max', fate: 'ignored', instead: 'there is no TSDB' }],
    disk: { readFile },
    clock,
    logger,
    metrics,
  }
  const overrides = await Overrides.open(options)
  return {
    overrides,
    tick: async () => {
      onTick?.()
      await overrides.reload()
    },
    messages,
    metric: async (start) => (await metrics.text()).split('\n').find((line) => line.startsWith(start)),
    isTicking: () => onTick !== undefined,
  }
}

describe('Overrides', () => {
  it('gives everyone the defaults without a file', async () => {
    const { overrides, isTicking } = await open({}, '')
    assert.equal(overrides.forTenant('a').max_streams, 100)
    assert.equal(overrides.forTenant('a'), overrides.forTenant('b'))
    assert.equal(isTicking(), false)
  })

  it('lays a tenant over the defaults', async () => {
    const { overrides } = await open({
      'r.yaml': `
overrides:
  a:
    max_line_size: 1MB
    shard_streams: {desired_rate: 1KB}
  "b.c": {max_streams: 7, retention_stream: [{selector: '{x="y"}'}]}
`,
    })
    const a = overrides.forTenant('a')
    assert.deepEqual([a.max_line_size, a.max_streams, a.shard_streams.desired_rate], [1_048_576, 100, 1024])
    assert.equal(overrides.forTenant('b.c').max_streams, 7)
    assert.equal(overrides.forTenant('b.c').retention_stream.length, 1)
    assert.equal(overrides.forTenant('b').max_streams, 100)
    assert.deepEqual(overrides.tenants, ['a', 'b.c'])
    assert.equal(overrides.forTenant('a'), a, 'the same object while nothing changes')
  })

  it('merges files, later ones win', async () => {
    const { overrides } = await open({
      'one.yaml': 'overrides: {a: {max_streams: 1, max_line_size: 1KB}}',
      'two.yaml': 'overrides: {a: {max_streams: 2}, b: {max_streams: 3}}',
    })
    assert.deepEqual([overrides.forTenant('a').max_streams, overrides.forTenant('a').max_line_size], [2, 1024])
    assert.equal(overrides.forTenant('b').max_streams, 3)
  })

  it('sees changes', async () => {
    const files = { 'r.yaml': 'overrides: {a: {max_streams: 1}}' }
    const { overrides, tick, metric } = await open(files)
    const hash = await metric('loki_runtime_config_hash')
    files['r.yaml'] = 'overrides: {a: {max_streams: 2}}'
    await tick()
    assert.equal(overrides.forTenant('a').max_streams, 2)
    assert.notEqual(await metric('loki_runtime_config_hash'), hash)
    files['r.yaml'] = ''
    await tick()
    assert.equal(overrides.forTenant('a').max_streams, 100)
  })

  it('keeps what it had when the file turns bad or goes away, and recovers', async () => {
    const files: Record<string, string> = { 'r.yaml': 'overrides: {a: {max_streams: 1}}' }
    const { overrides, tick, metric, messages } = await open(files)
    assert.equal(
      await metric('loki_runtime_config_last_reload_successful'),
      'loki_runtime_config_last_reload_successful 1',
    )
    files['r.yaml'] = 'overrides: {a: {max_steams: 2}}'
    await tick()
    assert.equal(overrides.forTenant('a').max_streams, 1)
    assert.equal(
      await metric('loki_runtime_config_last_reload_successful'),
      'loki_runtime_config_last_reload_successful 0',
    )
    assert.match(
      messages[0] ?? '',
      /previous one stays: .*unknown key max_steams, did you mean max_streams\? \(tenant a\)$/,
    )
    delete files['r.yaml']
    await tick()
    assert.equal(overrides.forTenant('a').max_streams, 1)
    files['r.yaml'] = 'overrides: {a: {max_streams: 3}}'
    await tick()
    assert.equal(overrides.forTenant('a').max_streams, 3)
    assert.equal(
      await metric('loki_runtime_config_last_reload_successful'),
      'loki_runtime_config_last_reload_successful 1',
    )
  })

  it('does not start with a bad file', async () => {
    const bad: readonly (readonly [string, RegExp])[] = [
      [
        'overrides: {a: {max_streams: many}}',
        /r\.yaml:1: max_streams: expected a whole number, found "many" \(tenant a\)/,
      ],
      ['overides: {}', /r\.yaml:1: unknown key overides, did you mean overrides\?/],
      ['overrides: [1]', /overrides: expected tenants/],
      ['overrides: {"a/b": {max_streams: 1}}', /tenant ID 'a\/b' contains unsupported character/],
      ['overrides: {a: {', /r\.yaml:1:/],
      ['overrides: {a: {}}\noverrides: {}', /r\.yaml:2:/],
    ]
    for (const [text, message] of bad) await assert.rejects(open({ 'r.yaml': text }), message, text)
    await assert.rejects(open({}, 'none.yaml'), /cannot read runtime_config.file none.yaml: ENOENT/)
  })

  it('accepts what Loki has besides, with a warning', async () => {
    const { overrides, messages } = await open({
      'r.yaml':
        'overrides: {a: {tsdb_max: 1, max_streams: 4}, b: }\nconfigs: {a: {log_push_request: true}}\nmulti_kv_config:\n',
    })
    assert.equal(overrides.forTenant('a').max_streams, 4)
    assert.deepEqual(messages, [
      'r.yaml:2: configs has no effect: logging is not set by tenant',
      'r.yaml:3: multi_kv_config has no effect: there is one key-value store',
      'r.yaml:1: tsdb_max has no effect: there is no TSDB',
      'r.yaml: overrides of tenant b are empty',
    ])
  })

  it('combines tenants to the smallest positive value', async () => {
    const { overrides } = await open({
      'r.yaml': 'overrides: {a: {max_streams: 0}, b: {max_streams: 7}, z: {max_streams: 0}}',
    })
    const pick = (limits: { readonly max_streams: number }): number => limits.max_streams
    assert.equal(overrides.smallestPositive(['a', 'b', 'c'], pick), 7)
    assert.equal(overrides.smallestPositive(['a', 'c'], pick), 100)
    assert.equal(overrides.smallestPositive(['a', 'z'], pick), 0)
  })

  it('stops reading when told', async () => {
    const { overrides, isTicking } = await open({ 'r.yaml': '' })
    assert.equal(isTicking(), true)
    overrides.stop()
    assert.equal(isTicking(), false)
  })
})
