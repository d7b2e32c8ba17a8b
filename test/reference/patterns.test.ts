/** Patterns over heads, blocks and both: the same counts as over all lines at once, in any step, for the streams and times of the query. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { Corruption } from '#/kernel/errors.ts'
import { compileLinePattern, matchesLinePattern } from '#/logs/logql/pipeline/line-pattern.ts'
import { parseSelector } from '#/logs/logql/parser/parse-selector.ts'
import { Querier } from '#/logs/read/querier/querier.ts'
import { inlineScanPool } from '#/logs/read/scan/inline-scan-pool.ts'
import type { HeadSnapshot } from '#/logs/wire/head-view.ts'
import type { Pattern, PatternsQuery } from '#/logs/wire/index-query.ts'
import { MemoryBudget } from '#/platform/memory/memory-budget.ts'
import { MemoryStore } from '#/platform/objstore/memory.ts'
import { realClock } from '#/platform/world/real-clock.ts'
import type { BlockMeta } from '#/storage/block/meta.ts'
import { blockOpener, FixedIngester, makeHeads, writeBlock, type Entry } from './sources.ts'

const MINUTE = 60_000_000_000n
const START = (1_795_000_000_000_000_000n / MINUTE) * MINUTE
const HOURS = 30n
const END = START + HOURS * 60n * MINUTE
const { signal } = new AbortController()

const texts = [
  (i: number) => `level=info msg="order placed" user=u${i} took=${i % 90}ms`,
  (i: number) => `payment of ${i} refused by bank`,
  (i: number) => `{"level":"warn","msg":"cache is slow","took":${i}}`,
]
const patterns = [
  'level=info msg="order placed" user=<_> took=<_>',
  'payment of <_> refused by bank',
  '{"level":"warn","msg":"cache is slow","took":<_>}',
]
const levels = ['info', 'error', undefined]

const entries: readonly Entry[] = Array.from({ length: 3000 }, (_, i) => {
  const kind = (i * 5) % 3
  return {
    stream: `{app="app${i % 4}"}`,
    timeNs: START + (BigInt(i) * HOURS * 60n * MINUTE) / 3000n,
    line: texts[kind]!(i),
    metadata: levels[kind] === undefined ? {} : { detected_level: levels[kind], trace: `t${i}` },
  }
})

type Arrangement = 'heads' | 'blocks' | 'mixture'

async function sourcesOf(
  arrangement: Arrangement,
): Promise<{ readonly querier: Querier; readonly store: MemoryStore; readonly blocks: readonly BlockMeta[] }> {
  const store = new MemoryStore(realClock)
  const heads: HeadSnapshot[] = []
  const blocks: BlockMeta[] = []
  for (let part = 0; part < 5; part++) {
    const own = entries.filter((_, i) => i % 5 === part)
    for (const head of makeHeads(`s${part}`, own, 100)) {
      if (arrangement === 'heads' || (arrangement === 'mixture' && part % 2 === 0)) heads.push(head)
      else blocks.push(await writeBlock(store, head, { tenant: 'test', sequence: part }))
    }
  }
  const querier = new Querier({
    ingesters: [new FixedIngester(heads, blocks)],
    openBlock: blockOpener(store),
    pool: inlineScanPool(2),
    budget: new MemoryBudget(64 * 1024 * 1024),
    clock: realClock,
  })
  return { querier, store, blocks }
}

const query = (more: Partial<PatternsQuery> = {}): PatternsQuery => ({
  tenant: 'test',
  selectors: [parseSelector('{app=~".+"}', { validate: true })],
  startNs: START,
  endNs: END,
  stepNs: 60n * MINUTE,
  ...more,
})

/** By looking at every line. */
function expected(some: readonly Entry[], stepNs: bigint): Pattern[] {
  return patterns
    .map((pattern, kind) => {
      const compiled = compileLinePattern(pattern)
      const own = some.filter(({ line }) => {
        const bytes = Buffer.from(line)
        return matchesLinePattern(compiled, bytes, 0, bytes.length)
      })
      const counts = Map.groupBy(own, ({ timeNs }) => timeNs - (timeNs % stepNs))
      const samples = [...counts].map(([timeNs, ofStep]) => ({ timeNs, lines: ofStep.length }))
      return { pattern, level: levels[kind] ?? 'unknown', samples, lines: own.length }
    })
    .filter(({ lines }) => lines > 0)
    .toSorted((a, b) => b.lines - a.lines || (a.pattern < b.pattern ? -1 : 1))
    .map(({ pattern, level, samples }) => ({ pattern, level, samples }))
}

for (const arrangement of ['heads', 'blocks', 'mixture'] as const) {
  describe(`patterns over ${arrangement}`, () => {
    test('are those of all lines', async () => {
      const { querier } = await sourcesOf(arrangement)
      for (const stepNs of [60n * MINUTE, 10n * MINUTE, 24n * 60n * MINUTE]) {
        assert.deepEqual(await querier.patterns(query({ stepNs }), signal), expected(entries, stepNs))
      }
    })

    test('of some streams and times', async () => {
      const { querier } = await sourcesOf(arrangement)
      const selectors = [parseSelector('{app=~"app[12]"}', { validate: true })]
      const [startNs, endNs] = [START + 7n * 60n * MINUTE, START + 26n * 60n * MINUTE - 1n]
      const found = await querier.patterns(query({ selectors, startNs, endNs }), signal)
      const own = entries.filter(({ stream, timeNs }) => /app[12]/.test(stream) && timeNs >= startNs && timeNs <= endNs)
      assert.deepEqual(found, expected(own, 60n * MINUTE))
      assert.deepEqual(
        await querier.patterns(query({ selectors: [parseSelector('{app="none"}', { validate: true })] }), signal),
        [],
      )
      assert.deepEqual(await querier.patterns(query({ startNs: END + MINUTE, endNs: END + 2n * MINUTE }), signal), [])
    })
  })
}

test('steps shorter than ten seconds are made longer', async () => {
  const { querier } = await sourcesOf('heads')
  const found = await querier.patterns(query({ stepNs: 1_000_000n, endNs: START + 60n * MINUTE }), signal)
  assert.ok(found.every(({ samples }) => samples.every(({ timeNs }) => timeNs % 10_000_000_000n === 0n)))
})

test('a damaged section fails the query and names the block', async () => {
  const { querier, store, blocks } = await sourcesOf('blocks')
  const { key } = blocks[0]!
  const bytes = await store.get(key)
  const block = await blockOpener(store)(blocks[0]!)
  const { offset } = (await block.readPatterns(undefined))!
  bytes[offset + 20]! ^= 4
  await store.put(key, [bytes])
  await assert.rejects(
    querier.patterns(query(), signal),
    (error) => error instanceof Corruption && error.file === key && error.offset === offset,
  )
})
