import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Distributor, type PushRequest } from './distributor.ts'
import { noPushMetrics } from './push-metrics.ts'
import { testDistributor, testNowNs } from './testing-distributor.ts'
import { EddaError, Unavailable } from '#/kernel/errors.ts'
import type { Clock } from '#/kernel/world.ts'
import { limits as allLimits, type Limits } from '#/logs/limits.ts'
import { encodePushProtobuf, type PushEntry, type PushStream } from '#/logs/wire/encode-push.ts'
import { decodeLokiProtobuf } from '#/logs/write/push/loki-protobuf.ts'
import { defaultsOf } from '#/platform/config/option.ts'

const second = 1_000_000_000n
const hour = 3600n * second

function stream(labels: string, ...entries: readonly (string | PushEntry)[]): PushStream {
  return {
    labels,
    entries: entries.map((entry) => (typeof entry === 'string' ? { timeNs: testNowNs, line: entry } : entry)),
  }
}

const good = stream('{app="a"}', 'good line')

type Row = {
  readonly name: string
  readonly limits?: Partial<Limits>
  readonly push: readonly PushStream[]
  readonly status: number
  readonly message: string
  readonly reason?: string
}

const at = (offsetNs: bigint, line = 'x'): PushEntry => ({ timeNs: testNowNs + offsetNs, line })
const withMeta = (metadata: readonly (readonly [string, string])[]): PushEntry => ({ ...at(0n), metadata })
const labelsOf = (count: number): string => `{${Array.from({ length: count }, (_, i) => `l${i}="v"`).join(', ')}}`

/** One row for each refusal of a stream or an entry. Each push is sent alone and beside a good stream. */
const refusals: readonly Row[] = [
  {
    name: 'labels that do not parse',
    push: [stream('{app=}', 'x')],
    status: 400,
    message: `error parsing labels '{app=}' with error: 1:6: parse error: unexpected "}" in label set, expected string`,
    reason: 'invalid_labels',
  },
  {
    name: 'no labels',
    push: [stream('{}', 'x')],
    status: 400,
    message: 'error at least one label pair is required per stream',
    reason: 'missing_labels',
  },
  {
    name: 'only empty labels',
    push: [stream('{app=""}', 'x')],
    status: 400,
    message: 'error at least one label pair is required per stream',
    reason: 'missing_labels',
  },
  {
    name: 'too many labels',
    limits: { max_label_names_per_series: 3 },
    push: [stream(labelsOf(4), 'x')],
    status: 400,
    message: `entry for stream '${labelsOf(4)}' has 4 label names; limit 3`,
    reason: 'max_label_names_per_series',
  },
  {
    name: 'long label name',
    limits: { max_label_name_length: 7 },
    push: [stream('{too_long="v"}', 'x')],
    status: 400,
    message: `stream '{too_long="v"}' has label name too long: 'too_long'`,
    reason: 'label_name_too_long',
  },
  {
    name: 'long label value, in bytes',
    limits: { max_label_value_length: 3 },
    push: [stream('{a="éé"}', 'x')],
    status: 400,
    message: `stream '{a="éé"}' has label value too long: 'éé'`,
    reason: 'label_value_too_long',
  },
  {
    name: 'a label twice',
    push: [stream('{a="1", a="2"}', 'x')],
    status: 400,
    message: `stream '{a="1", a="2"}' has duplicate label name: 'a'`,
    reason: 'duplicate_label_names',
  },
  {
    name: 'old',
    push: [stream('{app="a"}', at(-169n * hour))],
    status: 400,
    message: `entry for stream '{app="a", service_name="a"}' has timestamp too old: 2026-09-14T13:13:20Z, oldest acceptable timestamp is: 2026-09-14T14:13:20Z`,
    reason: 'greater_than_max_sample_age',
  },
  {
    name: 'of year 1',
    push: [stream('{app="a"}', { timeNs: -62_135_596_800n * second, line: 'x' })],
    status: 400,
    message: `entry for stream '{app="a", service_name="a"}' has timestamp too old: 0001-01-01T00:00:00Z, oldest acceptable timestamp is: 2026-09-14T14:13:20Z`,
    reason: 'greater_than_max_sample_age',
  },
  {
    name: 'in the future',
    push: [stream('{app="a"}', at(600n * second + 1n))],
    status: 400,
    message: `entry for stream '{app="a", service_name="a"}' has timestamp too new: 2026-09-21T14:23:20Z`,
    reason: 'too_far_in_future',
  },
  {
    name: 'in the year 9999',
    push: [stream('{app="a"}', { timeNs: 253_402_300_799n * second, line: 'x' })],
    status: 400,
    message: `entry for stream '{app="a", service_name="a"}' has timestamp too new: 9999-12-31T23:59:59Z`,
    reason: 'too_far_in_future',
  },
  {
    name: 'long line',
    limits: { max_line_size: 10 },
    push: [stream('{app="a"}', 'eleven char')],
    status: 400,
    message: `max entry size '10' bytes exceeded for stream '{app="a", service_name="a"}' while adding an entry with length '11' bytes`,
    reason: 'line_too_long',
  },
  {
    name: 'structured metadata where it is not allowed',
    limits: { allow_structured_metadata: false },
    push: [stream('{app="a"}', withMeta([['k', 'v']]))],
    status: 400,
    message: `stream '{app="a", service_name="a"}' includes structured metadata, but this feature is disallowed. Please see \`limits_config.allow_structured_metadata\` or contact your Loki administrator to enable it`,
    reason: 'disallowed_structured_metadata',
  },
  {
    name: 'much structured metadata',
    limits: { max_structured_metadata_size: 5 },
    push: [stream('{app="a"}', withMeta([['key', 'val']]))],
    status: 400,
    message: `stream '{app="a", service_name="a"}' has structured metadata too large: '6' bytes, limit: '5' bytes. Please see \`limits_config.max_structured_metadata_size\` or contact your Loki administrator to increase it`,
    reason: 'structured_metadata_too_large',
  },
  {
    name: 'many structured metadata values',
    limits: { max_structured_metadata_entries_count: 1 },
    push: [
      stream(
        '{app="a"}',
        withMeta([
          ['a', '1'],
          ['b', '2'],
        ]),
      ),
    ],
    status: 400,
    message: `stream '{app="a", service_name="a"}' has too many structured metadata labels: '2', limit: '1'. Please see \`limits_config.max_structured_metadata_entries_count\` or contact your Loki administrator to increase it`,
    reason: 'structured_metadata_too_many',
  },
  {
    name: 'a metadata name of nothing',
    push: [stream('{app="a"}', withMeta([['__', '1']]))],
    status: 400,
    message: 'normalization for label name "__" resulted in invalid name "_"',
    reason: 'invalid_structured_metadata',
  },
  {
    name: 'missing enforced labels',
    limits: { enforced_labels: ['app', 'env', 'team'] },
    push: [stream('{job="a"}', 'x')],
    status: 400,
    message: `missing required labels 'app,env,team' for user 't1' for stream '{job="a", service_name="a"}' (policy: '')`,
    reason: 'missing_enforced_labels',
  },
  {
    name: 'blocked',
    limits: { block_ingestion_until: Date.UTC(2026, 9, 1) },
    push: [stream('{app="a"}', 'x')],
    status: 260,
    message: `ingestion blocked for user 't1' until '2026-10-01T00:00:00Z' with status code '260'`,
    reason: 'blocked_ingestion',
  },
]

for (const { name, limits, push, status, message, reason } of refusals) {
  test(`refused: ${name}`, async () => {
    const alone = testDistributor(limits)
    assert.deepEqual(await alone.push(push), { status, message })
    assert.equal(alone.rows.length, 0)
    assert.ok(
      alone.counted.some((one) => one.startsWith(`discarded t1 [] ${reason} 1 `)),
      alone.counted.join('; '),
    )
    const isWhole = reason === 'blocked_ingestion' || reason === 'missing_enforced_labels'
    if (isWhole) return
    const beside = testDistributor(limits)
    const refusedRows = push.flatMap(({ entries }) => entries).length
    const reply = await beside.push([good, ...push, good])
    assert.deepEqual(reply, { status, message, refusedRows }, 'beside good streams')
    assert.deepEqual(
      beside.rows.map(({ line }) => line),
      ['good line', 'good line'],
    )
  })
}

test('the limits themselves are still good', async () => {
  const { push, rows } = testDistributor({
    max_label_names_per_series: 2,
    max_label_name_length: 12,
    max_label_value_length: 3,
    max_line_size: 3,
    max_structured_metadata_size: 6,
    max_structured_metadata_entries_count: 1,
  })
  const entries = [at(-168n * hour, 'old'), at(600n * second, 'new'), { ...at(0n, 'abc'), metadata: [['key', 'val']] }]
  const reply = await push([stream('{app="abc", b="x", service_name="svc"}', ...(entries as PushEntry[]))])
  assert.deepEqual(reply, { status: 204, message: '' })
  assert.equal(rows.length, 3)
})

test('0 switches limits off', async () => {
  const { push } = testDistributor({
    max_line_size: 0,
    max_structured_metadata_size: 0,
    max_structured_metadata_entries_count: 0,
    reject_old_samples: false,
  })
  const metadata = Array.from({ length: 300 }, (_, index): [string, string] => [`k${index}`, 'v'.repeat(1000)])
  const entry = { timeNs: 0n, line: 'x'.repeat(1_000_000), metadata }
  assert.deepEqual(await push([stream('{app="a"}', entry)]), { status: 204, message: '' })
})

test('equal errors are counted, different ones joined, and their number is bounded', async () => {
  const { push } = testDistributor({ max_line_size: 3 })
  const long = `max entry size '3' bytes exceeded for stream '{app="a", service_name="a"}' while adding an entry with length '4' bytes`
  const both = await push([stream('{app="a"}', 'long', 'long', 'ok'), stream('{}', 'x')])
  assert.equal(
    both.message,
    `2 errors like: ${long}; 1 errors like: error at least one label pair is required per stream`,
  )
  const many = await push([stream('{app="a"}', ...Array.from({ length: 300 }, (_, index) => 'x'.repeat(4 + index)))])
  assert.equal(many.message.split(' errors like: ').length, 101)
  assert.match(many.message, /; 200 more errors$/)
})

test('a stream error is told once, its lines are all counted', async () => {
  const { push, counted } = testDistributor()
  const reply = await push([stream('{}', 'abc', 'de')])
  assert.equal(reply.message, 'error at least one label pair is required per stream')
  assert.deepEqual(counted, ['received t1 loki [] false 2 5 0', 'discarded t1 [] missing_labels 2 5'])
})

test('a push without streams is 422, one without entries is good', async () => {
  const { push } = testDistributor()
  await assert.rejects(
    push([]),
    (error) =>
      error instanceof EddaError &&
      error.code === 'unprocessable' &&
      error.message === 'error at least one valid stream is required for ingestion',
  )
  assert.deepEqual(await push([stream('{not labels')]), { status: 204, message: '' })
})

test('blocks by policy, and silently with 200', async () => {
  const mapping = {
    policy_stream_mapping: {
      noisy: [{ selector: '{app=~"n.+"}', priority: 1 }],
      best: [{ selector: '{tier="1"}', priority: 2 }],
    },
    block_ingestion_policy_until: { noisy: Date.UTC(2026, 9, 1) },
  }
  const push = [stream('{app="noise"}', 'no'), stream('{app="noise", tier="1"}', 'yes'), stream('{app="a"}', 'yes')]
  const loud = testDistributor({ ...mapping, block_ingestion_status_code: 429 })
  assert.deepEqual(await loud.push(push), {
    status: 429,
    message: `ingestion blocked for user 't1' (policy: 'noisy') until '2026-10-01T00:00:00Z' with status code '429'`,
    refusedRows: 1,
  })
  assert.deepEqual(
    loud.rows.map(({ line }) => line),
    ['yes', 'yes'],
  )
  assert.ok(loud.counted.includes('discarded t1 [noisy] blocked_ingestion_policy 1 2'))
  const silent = testDistributor({ ...mapping, block_ingestion_status_code: 200 })
  assert.deepEqual(await silent.push(push), { status: 204, message: '' })
  assert.equal(silent.rows.length, 2)
  loud.clock.nowNs = BigInt(Date.UTC(2026, 9, 1)) * 1_000_000n
  assert.equal((await loud.push([stream('{app="noise"}', { timeNs: loud.clock.nowNs, line: 'later' })])).status, 204)
})

test('labels enforced for a policy, which a header may name', async () => {
  const { push } = testDistributor({ policy_enforced_labels: { strict: ['env'] } })
  assert.equal((await push([good])).status, 204)
  assert.deepEqual(await push([good], { policy: 'strict' }), {
    status: 400,
    message: `missing required labels 'env' for user 't1' for stream '{app="a", service_name="a"}' (policy: 'strict')`,
  })
})

test('the rate of a tenant lets a push through whole or not at all', async () => {
  const { push, rows, clock, counted } = testDistributor({ ingestion_rate_mb: 1, ingestion_burst_size_mb: 2 })
  const megabyte = stream('{app="a"}', ...Array.from({ length: 16 }, () => 'x'.repeat(65_536)))
  assert.equal((await push([megabyte])).status, 204)
  assert.equal((await push([megabyte])).status, 204)
  assert.deepEqual(await push([good]), {
    status: 429,
    message:
      "ingestion rate limit exceeded for user t1 (limit: 1048576 bytes/sec) while attempting to ingest '1' lines totaling '9' bytes, reduce log volume or contact your Loki administrator to see if the limit can be increased",
  })
  assert.ok(counted.includes('discarded t1 [] rate_limited 1 9'))
  assert.equal((await push([good], { tenant: 't2' })).status, 204, 'another tenant has a bucket of its own')
  clock.monotonicMs += 999
  assert.equal((await push([megabyte])).status, 429)
  clock.monotonicMs += 1
  assert.equal((await push([megabyte])).status, 204)
  assert.equal(rows.length, 49)
})

test('metadata counts against the rate', async () => {
  const { push } = testDistributor({ ingestion_rate_mb: 0.001, ingestion_burst_size_mb: 10 / 1024 / 1024 })
  assert.equal((await push([stream('{app="a"}', { ...at(0n, '12345'), metadata: [['ab', 'cdef']] })])).status, 429)
  assert.equal((await push([stream('{app="a"}', { ...at(0n, '12345'), metadata: [['ab', 'cde']] })])).status, 204)
})

test('what the ingester refuses goes to the client', async () => {
  const harness = testDistributor()
  const refusal = { rowCount: 1, bytes: 4 }
  harness.outcome = {
    duplicateRows: 0,
    refused: [
      { ...refusal, reason: 'too_far_behind', status: 400, message: 'behind' },
      { ...refusal, reason: 'stream_limit', status: 429, message: 'streams' },
    ],
  }
  assert.deepEqual(await harness.push([good]), { status: 429, message: 'behind\nstreams', refusedRows: 2 })
  assert.ok(harness.counted.includes('discarded t1 [] stream_limit 1 4'))
  harness.outcome = new Unavailable('disk full')
  await assert.rejects(harness.push([good]), harness.outcome)
  assert.equal(harness.distributor.inflightBytes, 0)
})

test('bytes in work are bounded', async () => {
  const harness = testDistributor({}, 100)
  await assert.rejects(
    harness.push([stream('{app="a"}', 'x'.repeat(200))]),
    (error) => error instanceof Unavailable && error.message === 'The server cannot accept more requests at this time.',
  )
  assert.equal((await harness.push([good])).status, 204)
})

test('service_name', async () => {
  const { push, rows } = testDistributor()
  const labels = [
    '{service="s", app="a"}',
    '{app_name="n", job="j"}',
    '{pod="p"}',
    '{service_name="own", app="a"}',
    '{__aggregated_metric__="m"}',
  ]
  await push(labels.map((one) => stream(one, 'x')))
  const off = testDistributor({ discover_service_name: [] })
  await off.push([stream('{app="a"}', 'x')])
  assert.deepEqual(
    [...rows, ...off.rows].map((row) => row.stream),
    [
      '{app="a", service="s", service_name="s"}',
      '{app_name="n", job="j", service_name="n"}',
      '{pod="p", service_name="unknown_service"}',
      '{app="a", service_name="own"}',
      '{__aggregated_metric__="m"}',
      '{app="a"}',
    ],
  )
})

test('one stream however its labels are written', async () => {
  const { push, rows } = testDistributor()
  await push([stream('{b="2",app="1"}', 'x'), stream('{ app = `1`, b="2", }', 'y'), stream('{b="2",app="1"}', 'z')])
  assert.deepEqual(new Set(rows.map((row) => row.stream)), new Set(['{app="1", b="2", service_name="1"}']))
})

test('detected_level comes from the first place that has one', async () => {
  const { push, rows } = testDistributor()
  const line = '{"level":"fatal"}'
  const entry = (metadata: readonly (readonly [string, string])[]): PushEntry => ({ timeNs: testNowNs, line, metadata })
  await push([
    stream(
      '{app="a", level="WARN"}',
      entry([
        ['detected_level', 'ERR'],
        ['level', 'info'],
      ]),
      entry([['level', 'info']]),
      line,
    ),
    stream('{app="a", severity="Notice"}', line, entry([['x', 'y']])),
    stream(
      '{app="a"}',
      entry([
        ['severity_number', '9'],
        ['severity', 'dbg'],
        ['level', 'Verbose'],
      ]),
      entry([['severity_number', '17']]),
      entry([['x', 'y']]),
      line,
      'nothing',
    ),
  ])
  assert.deepEqual(
    rows.map(({ meta }) => meta['detected_level']),
    ['error', 'warn', 'warn', 'Notice', 'Notice', 'Verbose', 'error', 'fatal', 'fatal', 'unknown'],
  )
})

test('no level where none is wanted', async () => {
  for (const limits of [{ discover_log_levels: false }, { allow_structured_metadata: false }]) {
    const { push, rows } = testDistributor(limits)
    await push([stream('{app="a", level="info"}', 'error')])
    assert.deepEqual(rows[0]?.meta, {})
  }
  const { push, rows } = testDistributor()
  await push([stream('{__pattern__="p"}', 'error')])
  assert.deepEqual(rows[0]?.meta, {})
})

test('names of metadata are normalised, and the last of two equal ones counts', async () => {
  const { push, rows } = testDistributor({ discover_log_levels: false })
  await push([
    stream(
      '{app="a"}',
      withMeta([
        ['http.status-code', '200'],
        ['9lives', 'yes'],
        ['__keep__', '1'],
        ['ok', ''],
      ]),
      withMeta([
        ['a.b', '1'],
        ['a_b', '2'],
        ['c', '3'],
        ['a-b', '4'],
      ]),
    ),
  ])
  assert.deepEqual(
    rows.map(({ meta }) => meta),
    [
      { http_status_code: '200', key_9lives: 'yes', __keep__: '1', ok: '' },
      { a_b: '4', c: '3' },
    ],
  )
})

test('long lines are cut where that is wanted', async () => {
  const limits = { max_line_size: 10, max_line_size_truncate: true }
  const plain = testDistributor(limits)
  await plain.push([stream('{app="a"}', '0123456789', '0123456789ab', '012345678é')])
  assert.deepEqual(
    plain.rows.map(({ line }) => line),
    ['0123456789', '0123456789', '012345678'],
  )
  assert.ok(plain.counted.includes('mutated t1 line_too_long 2 4'))
  const marked = testDistributor({ ...limits, max_line_size_truncate_identifier: '<cut>' })
  await marked.push([stream('{app="a"}', '0123456789ab', 'short', 'warn abcdefgh')])
  assert.deepEqual(
    marked.rows.map(({ line, meta }) => `${line} ${meta['detected_level']}`),
    ['01234<cut> unknown', 'short unknown', 'warn <cut> warn'],
  )
})

test('increment_duplicate_timestamp moves other lines apart and leaves equal ones', async () => {
  const { push, rows } = testDistributor({
    increment_duplicate_timestamp: true,
    max_line_size: 4,
    max_line_size_truncate: true,
    max_line_size_truncate_identifier: '~',
  })
  const midnight = testNowNs - (testNowNs % (24n * hour))
  const last = midnight - 1n
  const entry = (timeNs: bigint, line: string): PushEntry => ({ timeNs, line })
  await push([
    stream(
      '{app="a"}',
      at(0n, 'a'),
      at(0n, 'b'),
      at(0n, 'c'),
      at(0n, 'c'),
      at(1n, 'd'),
      at(9n, 'e'),
      at(9n, 'long line'),
    ),
    stream('{app="b"}', entry(last, 'a'), entry(last, 'b')),
  ])
  assert.deepEqual(
    rows.map(({ timeNs }) => timeNs - testNowNs),
    [0n, 1n, 2n, 2n, 1n, 9n, 10n, last - testNowNs, midnight - testNowNs],
  )
})

test('a backfill has its labels and may be old', async () => {
  const { push, rows } = testDistributor()
  const old = stream('{app="a"}', at(-10_000n * hour))
  assert.deepEqual(await push([old], { backfillShard: 's"1' }), { status: 204, message: '' })
  assert.equal(rows[0]?.stream, '{__backfill__="true", __backfill_shard__="s\\"1", app="a", service_name="a"}')
  const taken = await push([stream('{app="a", __backfill__="true"}', 'x')], { backfillShard: '1' })
  assert.deepEqual(
    [taken.status, taken.message],
    [400, `stream '{__backfill__="true", app="a"}' has the reserved label name '__backfill__'`],
  )
  assert.equal((await push([old])).status, 400, 'the next push is no backfill')
})

test('new limits count at once, also for streams that are known', async () => {
  const harness = testDistributor()
  assert.equal((await harness.push([good])).status, 204)
  harness.limits = { ...harness.limits, max_label_value_length: 0 }
  assert.equal((await harness.push([good])).status, 400)
})

test('what clients send too much of is cut in messages', async () => {
  const { push } = testDistributor()
  const { message } = await push([stream(`{a="${'x'.repeat(1_000_000)}`, 'x')])
  assert.ok(message.length < 10_000, `${message.length}`)
  const labelled = await push([stream(`{a="${'x'.repeat(1_000_000)}"}`, 'x')])
  assert.ok(labelled.message.length < 20_000)
})

test('any bytes are a line', async () => {
  const { push, rows } = testDistributor()
  const reply = await push([
    stream('{app="a"}', { timeNs: testNowNs, line: Buffer.from([0, 0xff, 0xc3, 0x28, 0x0a]) }, ''),
  ])
  assert.equal(reply.status, 204)
  assert.equal(rows.length, 2)
})

test('discover_generic_fields fills metadata from labels, metadata and lines', async () => {
  const fields = { trace_id: ['trace_id', 'traceID', 'ctx.trace'], org: ['org_id'] }
  const harness = testDistributor({ discover_generic_fields: { fields } })
  await harness.push([
    stream(
      '{app="a", org_id="o1"}',
      '{"ctx":{"trace":"t1"},"traceID":""}',
      'traceID="t 2" x',
      withMeta([['traceID', 't3']]),
    ),
    stream('{app="a"}', withMeta([['trace_id', 't4']]), '{"org_id":7,"trace_id":{}}', '{"org_id', 'plain text'),
    stream('{__pattern__="p"}', 'traceID=t5'),
  ])
  assert.deepEqual(
    harness.rows.map(({ meta }) => [meta['trace_id'], meta['org'], meta['detected_level']]),
    [
      ['t1', 'o1', 'trace'],
      ['t 2', 'o1', 'unknown'],
      ['t3', 'o1', 'unknown'],
      ['t4', undefined, 'unknown'],
      [undefined, '7', 'unknown'],
      [undefined, undefined, 'unknown'],
      [undefined, undefined, 'unknown'],
      [undefined, undefined, undefined],
    ],
  )
})

test('when the ingester takes nothing, no work is done for a push', async () => {
  let batches = 0
  const full = new Distributor({
    clock: { nowNs: () => testNowNs, monotonicMs: () => 0 } as unknown as Clock,
    limitsOf: () => defaultsOf(allLimits),
    metrics: { ...noPushMetrics, received: () => assert.fail('nothing is counted as received') },
    maxInflightBytes: 0,
    ingester: {
      push: async () => ({ duplicateRows: batches++, refused: [] }),
      refusal: () => new Unavailable('no memory', { retryAfterSeconds: 1 }),
    },
  })
  await assert.rejects(full.push('t1', requestOf('{a="b"}')), Unavailable)
  assert.equal(batches, 0)
})

test('while memory fills, a push waits before it is read, and may then be refused', async () => {
  const slept: number[] = []
  const counted: number[] = []
  let paceMs = 0
  let refusal: Unavailable | undefined
  const clock = { sleep: async (ms: number) => void slept.push(ms) } as unknown as Clock
  const distributor = new Distributor({
    clock,
    limitsOf: () => defaultsOf(allLimits),
    metrics: { ...noPushMetrics, paced: (seconds) => counted.push(seconds) },
    maxInflightBytes: 0,
    ingester: {
      push: async () => ({ duplicateRows: 0, refused: [] }),
      refusal: () => refusal,
      paceMs: () => paceMs,
    },
  })
  await distributor.admit()
  assert.deepEqual(slept, [])
  paceMs = 120
  await distributor.admit()
  assert.deepEqual([slept, counted], [[120], [0.12]])
  refusal = new Unavailable('no memory', { retryAfterSeconds: 1 })
  await assert.rejects(distributor.admit(), refusal)
  assert.deepEqual(slept, [120, 120], 'room may come while it waits')
})

function requestOf(labels: string): PushRequest {
  const entries = [{ timeNs: testNowNs, line: 'x' }]
  const columns = decodeLokiProtobuf(encodePushProtobuf([{ labels, entries }]))
  return { columns, backfillShard: undefined, policy: undefined, signal: undefined }
}
