/**
 * What it costs to ask blocks again whose results are known, beside asking them without looking at what is known, and what it costs to
 * keep them:
 *
 *     node src/logs/read/querier/known-blocks.bench.ts [megabytes]
 */
import { makeUlid } from '#/kernel/ulid.ts'
import { parseExpr } from '#/logs/logql/parser/parse-expr.ts'
import { parseLabels } from '#/logs/model/labels.ts'
import { inlineScanPool } from '#/logs/read/scan/inline-scan-pool.ts'
import type { HeadPageColumns } from '#/logs/store/log-page.ts'
import { openLogBlock } from '#/logs/store/open-log-block.ts'
import { writeLogBlock } from '#/logs/store/write-log-block.ts'
import { MemoryBudget } from '#/platform/memory/memory-budget.ts'
import { MemoryStore } from '#/platform/objstore/memory.ts'
import { enableLinearRegex } from '#/platform/regex/linear.ts'
import { realClock } from '#/platform/world/real-clock.ts'
import type { BlockMeta } from '#/storage/block/meta.ts'
import { LabelIndexBuilder } from '#/storage/index/label-index-builder.ts'
import { shareTexts } from '#/storage/index/shared-texts.ts'
import { Querier } from './querier.ts'

enableLinearRegex()

const DAY_NS = 86_400_000_000_000n
const T0 = 20_000n * DAY_NS
const STREAMS = 250
const BLOCK_BYTES = 16_000_000
const PAGE_BYTES = 2_000_000
const blockCount = Math.max(1, Math.round((Number(process.argv[2] ?? 200) * 1e6) / BLOCK_BYTES))

const levels = ['info', 'info', 'info', 'warn', 'error', 'debug']
let random = 12345
const next = (below: number): number => {
  random = (Math.imul(random, 1664525) + 1013904223) >>> 0
  return Math.floor((random / 4294967296) * below)
}
const hex = (digits: number): string => Array.from({ length: digits }, () => next(16).toString(16)).join('')

function makeLine(level: string): string {
  const status = next(100) === 0 ? 'timeout' : 'done'
  return `level=${level} msg="request ${status}" path=/api/v1/orders/${next(1e5)} took=${next(900)}ms id=${hex(24)} worker-${next(16)}`
}

const shared = <T extends Uint32Array | Float64Array | Uint8Array>(array: T): never => {
  const copy = new (array.constructor as new (buffer: SharedArrayBuffer) => T)(new SharedArrayBuffer(array.byteLength))
  copy.set(array as never)
  return copy as never
}

/** Lines at even distances between two times of the day. */
function makePage(firstTime: number, endTime: number): HeadPageColumns {
  const [lines, metas, stream]: [Buffer[], number[], number[]] = [[], [], []]
  const [starts, metaStarts] = [[0], [0]]
  let size = 0
  while (size < PAGE_BYTES) {
    const level = levels[next(levels.length)]!
    const line = Buffer.from(makeLine(level))
    lines.push(line)
    starts.push((size += line.length))
    stream.push(next(STREAMS))
    metas.push(0, level.length, ...Buffer.from(level))
    metaStarts.push(metas.length)
  }
  const time = Float64Array.from(lines, (_, i) => Math.floor(firstTime + ((endTime - firstTime) * i) / lines.length))
  return {
    rowCount: lines.length,
    stream: shared(Uint32Array.from(stream)),
    time: shared(time),
    lineStart: shared(Uint32Array.from(starts)),
    lines: shared(new Uint8Array(Buffer.concat(lines))),
    metaStart: shared(Uint32Array.from(metaStarts)),
    meta: shared(Uint8Array.from(metas)),
    metaNames: ['detected_level'],
    minTime: time[0]!,
    maxTime: time.at(-1)!,
  }
}

async function writeBlocks(store: MemoryStore): Promise<BlockMeta[]> {
  const streams = new LabelIndexBuilder()
  for (let i = 0; i < STREAMS; i++) {
    const text = `{app="app-${i % 50}", pod="pod-${i}"}`
    streams.add(text, parseLabels(text))
  }
  const pageCount = BLOCK_BYTES / PAGE_BYTES
  const pageNs = Number(DAY_NS) / (blockCount * pageCount)
  const metas: BlockMeta[] = []
  for (let sequence = 0; sequence < blockCount; sequence++) {
    const first = sequence * pageCount
    const pages = Array.from({ length: pageCount }, (_, i) => makePage((first + i) * pageNs, (first + i + 1) * pageNs))
    const ulid = makeUlid(sequence, Buffer.alloc(10))
    const source = { ingester: 'bench', fromSequence: sequence, toSequence: sequence }
    const base = { tenant: 'bench', day: 20_000, level: 0, ulid, source, minesPatterns: false, pages }
    const { meta, parts } = writeLogBlock({ ...base, labels: streams.coded(), texts: shareTexts(streams) })
    await store.put(meta.key, parts)
    metas.push(meta)
  }
  return metas
}

const store = new MemoryStore(realClock)
const blocks = await writeBlocks(store)
const ingester = { view: async () => ({ heads: [], blocks }), tenants: async () => ['bench'] }

const newQuerier = (): Querier =>
  new Querier({
    ingesters: [ingester],
    openBlock: (meta) => openLogBlock(store, meta),
    pool: inlineScanPool(1),
    budget: new MemoryBudget(96 * 1024 * 1024),
    clock: realClock,
  })

type Asked = { readonly noCache?: boolean; readonly moved?: bigint }

async function ask(querier: Querier, query: string, { noCache = false, moved = 0n }: Asked = {}): Promise<number> {
  const stepNs = 300_000_000_000n
  const startNs = T0 + moved * stepNs
  const times = { startNs, endNs: startNs + DAY_NS, stepNs, intervalNs: 0n }
  const request = { tenant: 'bench', query, ...times, limit: 100, direction: 'backward' as const, noCache }
  const before = process.cpuUsage()
  await querier.range({ ...request, expr: parseExpr(query), maxSeries: 0 }, new AbortController().signal)
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}

const queries: Readonly<Record<string, string>> = {
  'volume by level per 5 minutes': 'sum by (detected_level) (count_over_time({app=~".+"}[5m]))',
  'count of a word in 1 %': 'sum(count_over_time({app=~".+"} |= "timeout" [5m]))',
  'volume by stream per 5 minutes': 'sum by (pod) (count_over_time({app=~".+"}[5m]))',
  'sum of a number': 'sum by (app) (sum_over_time({app=~".+"} | logfmt | unwrap duration(took) [5m]))',
  'lines with an absent regular expression': '{app=~".+"} |~ "worker-[0-9]+ gone"',
}

const ROUNDS = 3
console.log(`${blockCount} blocks, ${(blockCount * BLOCK_BYTES) / 1e6} MB; CPU ms, best of ${ROUNDS}`)
for (const [name, query] of Object.entries(queries)) {
  const [without, first, again, moved]: [number[], number[], number[], number[]] = [[], [], [], []]
  for (let round = 0; round < ROUNDS; round++) {
    const querier = newQuerier()
    await ask(querier, 'sum(count_over_time({app="none"}[5m]))', { noCache: true })
    without.push(await ask(querier, query, { noCache: true }))
    first.push(await ask(querier, query))
    again.push(await ask(querier, query))
    moved.push(await ask(querier, query, { moved: 1n }))
  }
  const best = (all: readonly number[]): string => Math.min(...all).toFixed(1)
  console.log(`${name}: without ${best(without)}, kept ${best(first)}, again ${best(again)}, moved ${best(moved)}`)
}
