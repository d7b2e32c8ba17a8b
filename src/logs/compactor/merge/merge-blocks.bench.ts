/**
 * Merging blocks as flushed: CPU of the merge per GB of lines (10^9 bytes) beside that of writing the inputs, sizes, and what a query of one
 * stream costs before and after. `node src/logs/compactor/merge/merge-blocks.bench.ts [streams] [blocks] [MB of a block]`.
 */
import { mergeBlocks } from './merge-blocks.ts'
import { inlineMergeThreads } from '#/logs/compactor/tasks/inline-merge-threads.ts'
import { decodeBlockPage } from '#/logs/store/block-page.ts'
import { makeHeadPages, type PlainRow } from '#/logs/store/fixture/head-pages.ts'
import { openLogBlock } from '#/logs/store/open-log-block.ts'
import { writeLogBlock } from '#/logs/store/write-log-block.ts'
import { seededChance } from '#/kernel/fixture/seeded-chance.ts'
import { makeUlid } from '#/kernel/ulid.ts'
import type { World } from '#/kernel/world.ts'
import { MemoryBudget } from '#/platform/memory/memory-budget.ts'
import { SharedBuffers } from '#/platform/memory/shared-buffers.ts'
import { MemoryStore } from '#/platform/objstore/memory.ts'
import type { BlockMeta } from '#/storage/block/meta.ts'
import { shareTexts } from '#/storage/index/shared-texts.ts'

const streams = Number(process.argv[2] ?? 250)
const blockCount = Number(process.argv[3] ?? 6)
const blockMb = Number(process.argv[4] ?? 16)
const rounds = 3

const { below, pick, hex } = seededChance()

const formats: readonly ((time: string) => string)[] = [
  (time) =>
    `{"ts":"${time}","level":"${pick('info', 'info', 'warn', 'error')}","msg":"request completed","path":"/api/v1/users/${below(1e6)}/orders","status":${pick('200', '404')},"duration_ms":${below(50_000) / 100},"trace_id":"${hex(32)}"}`,
  (time) =>
    `${time} level=${pick('info', 'debug')} caller=ingester.go:${below(900)} msg="flushing chunk" user=${below(1000)} duration=${below(1e5) / 1e3}ms`,
  (time) =>
    `10.${below(256)}.${below(256)}.${below(256)} - - [${time}] "GET /static/img/${below(5000)}.png HTTP/1.1" ${pick('200', '304')} ${below(90_000)} "Mozilla/5.0 (X11; Linux x64) Chrome/126.0 Safari/537.36"`,
]

let time = 5 * 3_600e9
function makeRows(): PlainRow[] {
  const rows: PlainRow[] = []
  for (let bytes = 0; bytes < blockMb * 1e6;) {
    const stream = below(streams)
    const line = Buffer.from(formats[stream % formats.length]!(new Date(1.7e12 + time / 1e6).toISOString()))
    time += below(3_000_000)
    const labels = [
      ['app', `app-${stream % 13}`],
      ['namespace', `ns-${stream % 20}`],
      ['pod', `app-${stream % 13}-${(stream * 2_654_435_761) % 2 ** 32}`],
    ] as const
    const meta = [
      ['detected_level', pick('info', 'info', 'warn', 'error')],
      ['trace_id', hex(32)],
    ] as const
    rows.push({ labels, time: time % 86_400e9, line, meta })
    bytes += line.length
  }
  return rows
}

const store = new MemoryStore({ nowMs: () => 0 } as ConstructorParameters<typeof MemoryStore>[0])
const budget = new MemoryBudget(1e12)
let ids = 0

function cpu<T>(run: () => T): { readonly value: T; readonly seconds: number } {
  const before = process.cpuUsage()
  const value = run()
  const { user, system } = process.cpuUsage(before)
  return { value, seconds: (user + system) / 1e6 }
}

let writeSeconds = 0
async function writeInput(): Promise<BlockMeta> {
  const { index, pages } = makeHeadPages(makeRows(), 40_000)
  const input = {
    tenant: 't',
    day: 19_000,
    level: 0,
    ulid: makeUlid(++ids, Buffer.alloc(10)),
    source: { ingester: 'one', fromSequence: ids, toSequence: ids },
    minesPatterns: true,
    texts: shareTexts(index),
    labels: index.coded(),
    pages,
  }
  writeLogBlock(input)
  const { value, seconds } = cpu(() => writeLogBlock(input))
  writeSeconds += seconds
  await store.put(value.meta.key, value.parts)
  return value.meta
}

async function merge(
  inputs: readonly BlockMeta[],
): Promise<{ readonly outputs: readonly BlockMeta[]; readonly seconds: number }> {
  const before = process.cpuUsage()
  const { outputs } = await mergeBlocks(
    {
      store,
      catalog: { bury: async () => {}, replace: async () => {} },
      threads: inlineMergeThreads(),
      world: { clock: { nowMs: () => ++ids }, random: { bytes: () => Buffer.alloc(10) } } as unknown as World,
      budget,
      buffers: new SharedBuffers({ budget, maxIdleBytes: 0 }),
      limits: { outputBytes: 64e6, outputStoredBytes: 12e6, sliceBytes: 4e6, sliceRows: 131_072, memoryPart: 1 },
    },
    { inputs, level: 1, orders: [], minesPatterns: true },
  )
  const { user, system } = process.cpuUsage(before)
  return { outputs, seconds: (user + system) / 1e6 }
}

/** What a question about one stream reads, and the time to find a text in it. */
async function query(metas: readonly BlockMeta[]): Promise<string> {
  let [pages, bytes, hits] = [0, 0, 0]
  const before = process.cpuUsage()
  for (const meta of metas) {
    const block = await openLogBlock(store, meta)
    const pod = `app-8-${(8 * 2_654_435_761) % 2 ** 32}`
    const matcher = { name: 'pod', matches: (value: string) => value === pod, equals: pod }
    const ordinals = block.streams.match([matcher])
    const positions = block.selectPages(ordinals, 0, 86_400e9)
    const read = await block.readPages(positions, { lengths: true, lines: true, meta: [] }, undefined)
    pages += positions.length
    for (const page of read) {
      bytes += page.bytes.length
      const { lines, lineStart, stream, rowCount } = decodeBlockPage(page)
      for (let row = 0; row < rowCount; row++) {
        if (ordinals.includes(stream[row]!) && lines.subarray(lineStart[row], lineStart[row + 1]).includes('img/77'))
          hits++
      }
    }
  }
  const { user, system } = process.cpuUsage(before)
  return `${pages} pages, ${(bytes / 1e6).toFixed(1)} MB read, ${((user + system) / 1e3).toFixed(0)} ms of CPU (${hits} hits)`
}

const inputs: BlockMeta[] = []
for (let i = 0; i < blockCount; i++) inputs.push(await writeInput())
const raw = blockCount * blockMb * 1e6
const stored = (metas: readonly BlockMeta[]): number => metas.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
console.log(`${blockCount} blocks of ${blockMb} MB, ${streams} streams: ${(stored(inputs) / 1e6).toFixed(1)} MB stored`)
console.log(`write inputs  ${((writeSeconds / raw) * 1e9).toFixed(2)} CPU-s/GB`)
let best: Awaited<ReturnType<typeof merge>> | undefined
for (let round = 0; round < rounds; round++) {
  const done = await merge(inputs)
  if (best === undefined || done.seconds < best.seconds) best = done
}
const { outputs, seconds } = best!
console.log(
  `merge         ${((seconds / raw) * 1e9).toFixed(2)} CPU-s/GB, ${(raw / seconds / 1e6).toFixed(0)} MB/s of a core`,
)
console.log(
  `${outputs.length} outputs, ${(stored(outputs) / 1e6).toFixed(1)} MB stored; amplification ${(1 + stored(outputs) / stored(inputs)).toFixed(2)} with the flush`,
)
for (let round = 0; round < 2; round++) {
  console.log(`one stream before: ${await query(inputs)}`)
  console.log(`one stream after:  ${await query(outputs)}`)
}
