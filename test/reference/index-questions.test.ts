/** Questions that indexes answer (stats, volume, shards, detected labels), against plain sums over the same entries in heads, blocks and both. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { parseSelector } from '#/logs/logql/parser/parse-selector.ts'
import { formatLabels, parseLabels } from '#/logs/model/labels.ts'
import { Querier } from '#/logs/read/querier/querier.ts'
import { inlineScanPool } from '#/logs/read/scan/inline-scan-pool.ts'
import type { HeadSnapshot } from '#/logs/wire/head-view.ts'
import type { VolumeQuery } from '#/logs/wire/index-query.ts'
import { MemoryBudget } from '#/platform/memory/memory-budget.ts'
import { MemoryStore } from '#/platform/objstore/memory.ts'
import { realClock } from '#/platform/world/real-clock.ts'
import type { BlockMeta } from '#/storage/block/meta.ts'
import { blockOpener, FixedIngester, makeHeads, writeBlock, type Entry } from './sources.ts'

const START = 1_795_000_000_000_000_000n
const MINUTE = 60_000_000_000n
const HOUR = 60n * MINUTE
const { signal } = new AbortController()

/** Two days of twelve streams; lines differ in length, metadata has one size in each stream. */
const entries: readonly Entry[] = Array.from({ length: 6000 }, (_, i) => {
  const stream = (i * 7) % 12
  const env = stream < 8 ? `, env="${stream % 2 === 0 ? 'prod' : 'dev'}"` : ''
  return {
    stream: `{app="app${stream % 4}"${env}, id="${stream}"}`,
    timeNs: START + (BigInt(i) * 48n * HOUR) / 6000n + BigInt((i * 7919) % 1000),
    line: 'x'.repeat((i * 31) % 200),
    metadata: stream % 3 === 0 ? { level: 'info' } : { level: 'warn', träce: 'abcd' },
  }
})
const END = START + 48n * HOUR
const whole = { tenant: 'test', selectors: [], startNs: START, endNs: END }

const bytesOf = ({ line, metadata }: Entry): number =>
  Object.entries(metadata).reduce((sum, pair) => sum + Buffer.byteLength(pair.join('')), Buffer.byteLength(line))
const sumBytes = (some: readonly Entry[]): number => some.reduce((sum, entry) => sum + bytesOf(entry), 0)
const inRange = ({ timeNs }: Entry, startNs: bigint, endNs: bigint): boolean => timeNs >= startNs && timeNs <= endNs
const labelsOf = (entry: Entry): Map<string, string> => new Map(parseLabels(entry.stream))

type Arrangement = 'heads' | 'blocks' | 'mixture'

async function querierOver(arrangement: Arrangement): Promise<Querier> {
  const store = new MemoryStore(realClock)
  const heads: HeadSnapshot[] = []
  const blocks: BlockMeta[] = []
  // five sources of entries that interleave in time
  for (let part = 0; part < 5; part++) {
    const own = entries.filter((_, i) => i % 5 === part)
    for (const head of makeHeads(`s${part}`, own, 300)) {
      const isHead = arrangement === 'heads' || (arrangement === 'mixture' && part % 2 === 0)
      if (isHead) heads.push(head)
      else blocks.push(await writeBlock(store, head, { tenant: 'test', sequence: part }))
    }
  }
  return new Querier({
    ingesters: [new FixedIngester(heads, blocks)],
    openBlock: blockOpener(store),
    pool: inlineScanPool(2),
    budget: new MemoryBudget(64 * 1024 * 1024),
    clock: realClock,
  })
}

const volumeQuery = (text: string, more: Partial<VolumeQuery> = {}): VolumeQuery & { maxSeries: number } => ({
  ...whole,
  selectors: text === '{}' ? [] : [parseSelector(text, { validate: true })],
  aggregateBy: 'series',
  targetLabels: [],
  limit: 100,
  stepNs: 0n,
  maxSeries: 1000,
  ...more,
})

type Sums = readonly (readonly [name: string, bytes: number])[]

async function volumes(querier: Querier, query: VolumeQuery & { maxSeries: number }): Promise<Sums> {
  const answer = await querier.volume(query, signal)
  return answer.volumes.map(({ labels, samples }) => [
    formatLabels(labels),
    samples.reduce((sum, { bytes }) => sum + bytes, 0),
  ])
}

/** Groups of entries by the labels that `names` are, largest first. */
function naiveVolumes(some: readonly Entry[], keyOf: (entry: Entry) => string | undefined): Sums {
  const groups = Map.groupBy(some, keyOf)
  groups.delete(undefined)
  return [...groups]
    .map(([key, group]) => [key!, sumBytes(group)] as const)
    .toSorted((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
}

const byNames =
  (...names: readonly string[]) =>
  (entry: Entry): string =>
    formatLabels([...labelsOf(entry)].filter(([name]) => names.includes(name)))

for (const arrangement of ['heads', 'blocks', 'mixture'] as const) {
  describe(`entries in ${arrangement}`, async () => {
    const querier = await querierOver(arrangement)

    test('stats of a whole range are exact, of a part nearly so', async () => {
      const { chunks, ...stats } = await querier.indexStats(whole, signal)
      assert.deepEqual(stats, { streams: 12, bytes: sumBytes(entries), entries: 6000 })
      assert.ok(chunks > 0)
      const selected = entries.filter((entry) => labelsOf(entry).get('env') === 'prod')
      const selectors = [parseSelector('{env="prod"}', { validate: true })]
      const prod = await querier.indexStats({ ...whole, selectors }, signal)
      assert.deepEqual([prod.streams, prod.entries, prod.bytes], [4, selected.length, sumBytes(selected)])
      for (let i = 0; i < 20; i++) {
        const startNs = START + BigInt(i) * 100n * MINUTE + 17n
        const endNs = startNs + BigInt(i * i) * MINUTE
        const inside = entries.filter((entry) => inRange(entry, startNs, endNs))
        const found = await querier.indexStats({ ...whole, startNs, endNs }, signal)
        // a run lasts an hour at most, and has about ten rows: some of those at the two ends are guessed
        const tolerance = arrangement === 'heads' ? 0 : 130
        assert.ok(Math.abs(found.entries - inside.length) <= tolerance, `${found.entries} of ${inside.length}`)
        assert.ok(inside.length === 0 || found.entries > 0)
      }
    })

    test('volume groups by the names in the selector, by target labels, and by all labels', async () => {
      const prod = entries.filter((entry) => labelsOf(entry).get('env') === 'prod')
      assert.deepEqual(await volumes(querier, volumeQuery('{env="prod"}')), naiveVolumes(prod, byNames('env')))
      assert.deepEqual(
        await volumes(querier, volumeQuery('{env="prod", app=~".+"}')),
        naiveVolumes(prod, byNames('env', 'app')),
      )
      assert.deepEqual(await volumes(querier, volumeQuery('{}')), naiveVolumes(entries, byNames('app', 'env', 'id')))
      // the names of the selector, without the labels that a stream does not have
      assert.deepEqual(
        await volumes(querier, volumeQuery('{app=~".+", env!="prod"}')),
        naiveVolumes(
          entries.filter((entry) => !prod.includes(entry)),
          byNames('app', 'env'),
        ),
      )
      // streams without one of the targets are left out
      const withEnv = entries.filter((entry) => labelsOf(entry).has('env'))
      const targets = volumeQuery('{app=~".+"}', { targetLabels: ['env', 'app'] })
      assert.deepEqual(await volumes(querier, targets), naiveVolumes(withEnv, byNames('env', 'app')))
    })

    test('volume by label names has each label of the streams, or those that are targeted', async () => {
      const byLabel = volumeQuery('{app=~".+"}', { aggregateBy: 'labels' })
      const total = sumBytes(entries)
      const env = sumBytes(entries.filter((entry) => labelsOf(entry).has('env')))
      assert.deepEqual(await volumes(querier, byLabel), [
        ['{app=""}', total],
        ['{id=""}', total],
        ['{env=""}', env],
      ])
      const targeted = volumeQuery('{app=~".+"}', { aggregateBy: 'labels', targetLabels: ['env', 'nothing'] })
      assert.deepEqual(await volumes(querier, targeted), [['{env=""}', env]])
    })

    test('the limit keeps the largest groups, and too many groups are an error', async () => {
      const all = naiveVolumes(entries, byNames('id'))
      assert.deepEqual(await volumes(querier, volumeQuery('{id=~".+"}', { limit: 3 })), all.slice(0, 3))
      await assert.rejects(volumes(querier, { ...volumeQuery('{id=~".+"}'), maxSeries: 11 }), {
        message: 'the query hit the max number of series limit (limit: 11 series)',
      })
      assert.equal((await volumes(querier, { ...volumeQuery('{id=~".+"}'), maxSeries: 12 })).length, 12)
      assert.equal((await volumes(querier, { ...volumeQuery('{id=~".+"}'), maxSeries: 0 })).length, 12)
    })

    for (const [name, step] of [
      ['an hour', HOUR],
      ['seven minutes', 7n * MINUTE],
      ['three days', 72n * HOUR],
    ] as const) {
      test(`volume by steps of ${name} counts each entry in its step`, async () => {
        const [startNs, endNs] = [START + 13n * MINUTE, END - 95n * MINUTE]
        const query = volumeQuery('{app=~".+"}', { stepNs: step, startNs, endNs })
        const answer = await querier.volume(query, signal)
        const inside = entries.filter((entry) => inRange(entry, startNs, endNs))
        const first = startNs - (startNs % step)
        const bucketOf = ({ timeNs }: Entry): number => Number((timeNs - first) / step)
        assert.equal(answer.bucketEndsNs.at(-1), endNs)
        if (answer.bucketEndsNs.length > 1) assert.equal(answer.bucketEndsNs[0], first + step)
        const expected = naiveVolumes(inside, byNames('app')).map(([group]) => {
          const buckets = Map.groupBy(
            inside.filter((entry) => byNames('app')(entry) === group),
            bucketOf,
          )
          const samples = [...buckets].map(([bucket, some]) => ({ bucket, bytes: sumBytes(some) }))
          return [group, samples.toSorted((a, b) => a.bucket - b.bucket)]
        })
        assert.deepEqual(
          answer.volumes.map(({ labels, samples }) => [formatLabels(labels), samples]),
          expected,
        )
      })
    }

    test('shards cover all hashes, and together what the selector covers', async () => {
      const targetBytes = Math.ceil(sumBytes(entries) / 5)
      const { shards } = await querier.shards({ ...whole, targetBytes }, signal)
      assert.ok(shards.length > 2 && shards.length <= 5, String(shards.length))
      assert.equal(shards[0]!.min, 0n)
      assert.equal(shards.at(-1)!.max, 2n ** 64n - 1n)
      for (const [i, { min }] of shards.entries()) if (i > 0) assert.equal(min, shards[i - 1]!.max + 1n)
      const sum = (pick: 'streams' | 'bytes' | 'entries'): number =>
        shards.reduce((total, { stats }) => total + stats[pick], 0)
      assert.deepEqual([sum('streams'), sum('bytes'), sum('entries')], [12, sumBytes(entries), 6000])
      const one = await querier.shards({ ...whole, targetBytes: 1e12 }, signal)
      assert.deepEqual(
        one.shards.map(({ min, max }) => [min, max]),
        [[0n, 2n ** 64n - 1n]],
      )
    })

    test('detected labels leave out identifiers', async () => {
      assert.deepEqual(await querier.detectedLabels(whole, signal), [
        { label: 'app', cardinality: 4 },
        { label: 'env', cardinality: 2 },
      ])
    })
  })
}
