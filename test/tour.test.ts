/**
 * The guided tour: one log line on its way through Edda, from the socket to the bucket and back. Each station is named as in
 * ARCHITECTURE.md and says in one sentence what must be true there. Read it from top to bottom.
 */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'

import { encodeAnswer } from '#/logs/api/encode-answer.ts'
import { defaultsOf } from '#/platform/config/option.ts'
import { limits } from '#/logs/limits.ts'
import { dayOf, timeInDay } from '#/logs/model/day.ts'
import { Frontend } from '#/logs/read/frontend/frontend.ts'
import { Querier } from '#/logs/read/querier/querier.ts'
import { inlineScanPool } from '#/logs/read/scan/inline-scan-pool.ts'
import { decodeBlockPage } from '#/logs/store/block-page.ts'
import { openHeadPage } from '#/logs/store/head-page.ts'
import { openLogBlock } from '#/logs/store/open-log-block.ts'
import { decodeEntryBatch } from '#/logs/wire/entry-batch-codec.ts'
import type { EntryBatch } from '#/logs/wire/entry-batch.ts'
import { encodePush } from '#/logs/wire/encode-push.ts'
import { Distributor } from '#/logs/write/distributor/distributor.ts'
import { noPushMetrics } from '#/logs/write/distributor/push-metrics.ts'
import { buildBlockHere } from '#/logs/write/ingester/build-block.ts'
import { Ingester } from '#/logs/write/ingester/ingester.ts'
import { decompressSnappy } from '#/logs/write/push/decode-body.ts'
import { decodeLokiProtobuf } from '#/logs/write/push/loki-protobuf.ts'
import { textsOf } from '#/storage/index/text-table.ts'
import { MemoryBudget } from '#/platform/memory/memory-budget.ts'
import { FilesystemStore } from '#/platform/objstore/filesystem.ts'
import { FairQueue } from '#/platform/queue/fair-queue.ts'
import { silentLogger } from '#/platform/telemetry/logger.ts'
import { realWorld } from '#/platform/world/real-world.ts'
import { parseBlockKey } from '#/storage/block/block-key.ts'
import { Catalog } from '#/storage/catalog/catalog.ts'
import { inspectWal } from '#/storage/wal/inspect.ts'

const MIB = 1024 * 1024
const line = 'level=warn msg="the disk is nearly full" free=3%'
const tenant = 'acme'

test('the tour: one line from the socket to the bucket and back', async (t: TestContext) => {
  const dir = await mkdtemp(join(tmpdir(), 'edda-tour-'))
  t.after(() => rm(dir, { recursive: true, force: true }))
  const world = realWorld()
  const signal = new AbortController().signal
  const budget = new MemoryBudget(64 * MIB)
  const limitsOf = () => defaultsOf(limits)
  const store = await FilesystemStore.open({ disk: world.disk, random: world.random, root: join(dir, 'blocks') })
  const catalog = await Catalog.open({ store, logger: silentLogger })
  const ingester = await Ingester.open({
    world,
    log: silentLogger,
    store,
    catalog,
    buildBlock: buildBlockHere,
    budget,
    limits: limitsOf,
    wal: { directory: join(dir, 'wal'), sync: 'commit' },
    flushBytes: 32 * MIB,
    flushAgeMs: 300_000,
  })
  t.after(() => ingester.shutdown({ flush: false, deadlineMs: 1000 }))
  const timeNs = world.clock.nowNs()

  // The client: a push request in protobuf, inside a raw snappy block.
  const body = encodePush([{ labels: '{app="store", env="prod"}', entries: [{ timeNs, line }] }])

  // write/push: the line becomes a range in the decompressed body, and no string is made of it.
  const bytes = await decompressSnappy(body, { maxCompressedBytes: MIB, maxDecompressedBytes: MIB })
  const columns = decodeLokiProtobuf(bytes)
  const { lineStart, lineLength } = columns
  assert.equal(columns.bytes.toString('utf8', lineStart[0], lineStart[0]! + lineLength[0]!), line)

  // write/distributor: labels are canonical and have a service_name, the level is found, and a batch leaves for the ingester.
  let batch: EntryBatch | undefined
  const distributor = new Distributor({
    clock: world.clock,
    limitsOf,
    metrics: noPushMetrics,
    maxInflightBytes: 0,
    ingester: {
      push: (one, sent, abort) => {
        batch = sent
        return ingester.push(one, sent, abort)
      },
    },
  })
  const reply = await distributor.push(tenant, { columns, backfillShard: undefined, policy: undefined, signal })
  assert.equal(reply.status, 204, 'the acknowledgement: from here on the line is never lost')
  assert.deepEqual(batch && textsOf(batch.streams), ['{app="store", env="prod", service_name="store"}'])
  assert.deepEqual(batch?.metaNames, ['detected_level'])
  assert.equal(batch?.day[0], dayOf(timeNs))
  assert.equal(batch?.time[0], timeInDay(timeNs), 'nanoseconds since midnight, exact')

  // storage/wal: one record with the whole batch is synced to disk.
  let recorded: ReturnType<typeof decodeEntryBatch> | undefined
  const wal = await inspectWal(world.disk, join(dir, 'wal'), {
    maxRecords: 10,
    describe: (payload) => {
      recorded = decodeEntryBatch(Buffer.from(payload))
      return undefined
    },
  })
  assert.equal(
    wal.segments.reduce((sum, { recordCount }) => sum + recordCount, 0),
    1,
  )
  assert.equal(recorded?.tenant, tenant)
  assert.ok(recorded?.batch.bytes.includes(line))

  // write/ingester: the head of the day has the line, and shows it to queries.
  const day = dayOf(timeNs)
  const { heads } = await ingester.view(tenant, day, day)
  assert.equal(heads.length, 1)
  const headPage = openHeadPage(heads[0]!.pages[0]!)
  assert.equal(headPage.lines.toString(), line)
  assert.equal(headPage.meta('detected_level')?.valueOf(0), 'warn')

  // read/frontend → read/querier → read/scan: a query finds it in the head, before anything is flushed.
  const querier = new Querier({
    ingesters: [ingester],
    openBlock: (meta) => openLogBlock(store, meta),
    pool: inlineScanPool(1),
    budget,
    clock: world.clock,
  })
  const frontend = new Frontend({
    querier,
    queue: new FairQueue({ maxConcurrent: 1, maxWaitingPerTenant: 1 }),
    limitsOf,
    clock: world.clock,
  })
  const ask = async (): Promise<unknown> => {
    const range = { startNs: timeNs, endNs: timeNs + 1n, stepNs: 1_000_000_000n, intervalNs: 0n }
    const query = '{app="store"} |= "nearly full" | logfmt | level="warn"'
    const answer = await frontend.range({ tenant, query, ...range, limit: 10, direction: 'backward' }, signal)
    return JSON.parse(Buffer.concat(encodeAnswer(answer, [])).toString())
  }
  const expected = [
    {
      stream: {
        app: 'store',
        detected_level: 'warn',
        env: 'prod',
        free: '3%',
        level: 'warn',
        msg: 'the disk is nearly full',
        service_name: 'store',
      },
      values: [[String(timeNs), line]],
    },
  ]
  assert.deepEqual(resultOf(await ask()), expected)

  // flush: the head becomes one block; its name alone says tenant, day, times and level.
  await ingester.flush(tenant)
  const blocks = catalog.list(tenant, day, day)
  assert.equal(blocks.length, 1)
  const name = parseBlockKey(blocks[0]!.key)
  assert.deepEqual([name?.tenant, name?.day, name?.level], [tenant, day, 0])
  assert.equal(name?.minTime, timeInDay(timeNs))

  // platform/objstore: the object is there, the head is gone, and a replay would skip the WAL record: the block names it.
  assert.ok(await store.head(blocks[0]!.key))
  assert.equal((await ingester.view(tenant, day, day)).heads.length, 0)
  assert.equal(catalog.flushedSequence(ingester.ingesterId, tenant, day), 1)

  // storage/block: the page gives the bytes back as they came.
  const block = await openLogBlock(store, blocks[0]!)
  const [pageBytes] = await block.readPages([0], { lengths: true, lines: true, meta: 'all' }, signal)
  const page = decodeBlockPage(pageBytes!)
  assert.equal(page.lines.toString(), line)
  assert.equal(page.time[0], timeInDay(timeNs))

  // The same query again: now the block answers, and the answer is the same.
  assert.deepEqual(resultOf(await ask()), expected)
})

function resultOf(reply: unknown): unknown {
  return (reply as { data: { result: unknown } }).data.result
}
