import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { admit, formatGoTime, type IngesterLimits } from './admit.ts'
import { STREAM_IDLE_MS, StreamRegistry } from './stream-registry.ts'
import { BadRequest } from '#/kernel/errors.ts'
import { buildEntryBatch, type PlainEntry } from '#/logs/wire/entry-batch-builder.ts'
import { hashTexts } from '#/storage/index/text-table.ts'

const none: IngesterLimits = {
  max_streams_per_user: 0,
  max_global_streams_per_user: 0,
  per_stream_rate_limit: 0,
  per_stream_rate_limit_burst: 0,
}
const hashOf = (text: string): number => hashTexts([text]).hashes[0]!
const row = (line: string, stream = '{a="1"}', timeNs = 0n): PlainEntry => ({ stream, timeNs, line })

function linesOf({ batch }: ReturnType<typeof admit>): string[] {
  return Array.from({ length: batch.rowCount }, (_, i) =>
    batch.bytes.toString('utf8', batch.lineStart[i], batch.lineStart[i]! + batch.lineLength[i]!),
  )
}

describe('admission', () => {
  it('hands over the batch itself when nothing is refused', () => {
    const batch = buildEntryBatch([row('x')])
    const context = { tenant: 't', registry: new StreamRegistry(), limits: none, nowMs: 0 }
    assert.equal(admit(batch, context).batch, batch)
    assert.equal(context.registry.count, 1)
  })

  it('takes the lower of the two stream limits, and 0 for none', () => {
    for (const [local, global, expected] of [
      [1, 3, 1],
      [3, 1, 1],
      [0, 2, 2],
      [2, 0, 2],
      [0, 0, 4],
    ] as const) {
      const limits = { ...none, max_streams_per_user: local, max_global_streams_per_user: global }
      const registry = new StreamRegistry()
      const batch = buildEntryBatch(['1', '2', '3', '4'].map((value) => row(value, `{a="${value}"}`)))
      const result = admit(batch, { tenant: 't', registry, limits, nowMs: 0 })
      assert.equal(registry.count, expected)
      assert.deepEqual(linesOf(result), ['1', '2', '3', '4'].slice(0, expected))
      assert.deepEqual(
        result.refused.map(({ reason, rowCount }) => [reason, rowCount]),
        Array(4 - expected).fill(['stream_limit', 1]),
      )
    }
  })

  it('does not count a stream whose entries are not in the batch', () => {
    const batch = { ...buildEntryBatch([row('x')]), streams: hashTexts(['{a="1"}', '{a="unused"}']) }
    const registry = new StreamRegistry()
    admit(batch, { tenant: 't', registry, limits: none, nowMs: 0 })
    assert.equal(registry.count, 1)
  })

  it('refuses labels that are none before they reach the WAL', () => {
    const context = { tenant: 't', registry: new StreamRegistry(), limits: none, nowMs: 0 }
    assert.throws(() => admit(buildEntryBatch([row('x', 'not labels')]), context), BadRequest)
    assert.equal(context.registry.count, 0)
  })

  it('lets small entries pass behind a large one that does not', () => {
    const limits = { ...none, per_stream_rate_limit: 10, per_stream_rate_limit_burst: 20 }
    const registry = new StreamRegistry()
    const batch = buildEntryBatch([
      row('a'.repeat(15)),
      row('b'.repeat(15)),
      row('ccccc'),
      row('d'.repeat(99), '{a="2"}'),
    ])
    const result = admit(batch, { tenant: 't', registry, limits, nowMs: 0 })
    assert.deepEqual(linesOf(result), ['a'.repeat(15), 'ccccc'])
    assert.deepEqual(
      result.refused.map(({ rowCount, bytes }) => [rowCount, bytes]),
      [
        [1, 15],
        [1, 99],
      ],
    )
    const again = (nowMs: number): string[] =>
      linesOf(admit(buildEntryBatch([row('e'.repeat(10))]), { tenant: 't', registry, limits, nowMs }))
    assert.deepEqual(again(500), [])
    assert.deepEqual(again(1000), ['e'.repeat(10)])
    assert.deepEqual(again(1000), [])
  })

  it('names ten refused entries and counts them all', () => {
    const limits = { ...none, per_stream_rate_limit: 1, per_stream_rate_limit_burst: 1 }
    const batch = buildEntryBatch(Array.from({ length: 30 }, (_, i) => row('xx', '{a="1"}', BigInt(i))))
    const { refused } = admit(batch, { tenant: 't', registry: new StreamRegistry(), limits, nowMs: 0 })
    const lines = refused[0]!.message.split('\n')
    assert.equal(lines.length, 11)
    assert.equal(lines[10], `user 't', total ignored: 30 out of 30 for stream: {a="1"}`)
  })

  it('forgets idle streams and uses their slots again', () => {
    const registry = new StreamRegistry()
    const first = registry.add(hashOf('{a="1"}'), 0)
    const second = registry.add(hashOf('{a="2"}'), 0)
    registry.touch(second, STREAM_IDLE_MS)
    registry.purge(STREAM_IDLE_MS)
    assert.equal(registry.find(hashOf('{a="1"}')), -1)
    assert.equal(registry.add(hashOf('{a="3"}'), STREAM_IDLE_MS), first)
    assert.equal(registry.refill(first, STREAM_IDLE_MS, 5, 10), 10, 'with a full bucket')
    for (let i = 0; i < 200; i++) registry.add(hashOf(`{n="${i}"}`), 0)
    assert.equal(new Set(Array.from({ length: 200 }, (_, i) => registry.find(hashOf(`{n="${i}"}`)))).size, 200)
    assert.deepEqual([registry.created, registry.removed, registry.count], [203, 1, 202])
  })

  it('prints times as Go does', () => {
    assert.equal(formatGoTime(0n), '1970-01-01 00:00:00 +0000 UTC')
    assert.equal(formatGoTime(1_768_478_400_120_000_000n), '2026-01-15 12:00:00.12 +0000 UTC')
    assert.equal(formatGoTime(1_768_478_400_000_000_001n), '2026-01-15 12:00:00.000000001 +0000 UTC')
  })
})
