/**
 * Writing a block and decoding its pages. `node src/logs/store/write-log-block.bench.ts [streams] [MB]`; GB and MB are powers
 * of ten of raw line bytes.
 */
import { decodeBlockPage } from './block-page.ts'
import { makeHeadPages, testBlockInput } from './fixture/head-pages.ts'
import type { PlainRow } from './fixture/head-pages.ts'
import { openLogBlock } from './open-log-block.ts'
import { writeLogBlock } from './write-log-block.ts'
import { seededChance } from '#/kernel/fixture/seeded-chance.ts'
import { MemoryStore } from '#/platform/objstore/memory.ts'

const streams = Number(process.argv[2] ?? 250)
const megabytes = Number(process.argv[3] ?? 64)
const rounds = 5

const { below, pick, hex } = seededChance()

const formats: readonly ((time: string) => string)[] = [
  (time) =>
    `{"ts":"${time}","level":"${pick('info', 'info', 'warn', 'error')}","msg":"request completed","method":"${pick('GET', 'POST')}","path":"/api/v1/users/${below(1e6)}/orders","status":${pick('200', '200', '404', '500')},"duration_ms":${below(50_000) / 100},"trace_id":"${hex(32)}"}`,
  (time) =>
    `${time} level=${pick('info', 'debug')} caller=ingester.go:${below(900)} msg="flushing chunk" user=${below(1000)} duration=${below(1e5) / 1e3}ms`,
  (time) =>
    `10.${below(256)}.${below(256)}.${below(256)} - - [${time}] "GET /static/img/${below(5000)}.png HTTP/1.1" ${pick('200', '304', '404')} ${below(90_000)} "https://shop.example.com/category/${below(100)}" "Mozilla/5.0 (X11; Linux x64) AppleWebKit/537.36 Chrome/126.0 Safari/537.36"`,
  (time) =>
    `${time} ERROR [worker-${below(16)}] com.example.billing.InvoiceService - failed to post invoice ${hex(8)}-${hex(4)}: connection reset by peer (attempt ${below(5)})`,
]

function makeRows(): PlainRow[] {
  const rows: PlainRow[] = []
  let time = 5 * 3_600e9
  for (let bytes = 0; bytes < megabytes * 1e6;) {
    const stream = below(streams)
    const line = Buffer.from(formats[stream % formats.length]!(new Date(1.7e12 + rows.length).toISOString()))
    time += below(1_500_000)
    rows.push({
      labels: [
        ['app', `app-${stream % 13}`],
        ['namespace', `ns-${stream % 20}`],
        ['pod', `app-${stream % 13}-${(stream * 2_654_435_761) % 2 ** 32}`],
      ],
      time,
      line,
      meta: [
        ['detected_level', pick('info', 'info', 'warn', 'error')],
        ['trace_id', hex(32)],
      ],
    })
    bytes += line.length
  }
  return rows
}

function report(what: string, bytes: number, run: () => void): void {
  const seconds: number[] = []
  for (let round = 0; round < rounds; round++) {
    const before = process.cpuUsage()
    run()
    const { user, system } = process.cpuUsage(before)
    seconds.push((user + system) / 1e6)
  }
  const [best, median] = [Math.min(...seconds), seconds.toSorted((a, b) => a - b)[rounds >> 1]!]
  const rate = (one: number): string =>
    `${((one / bytes) * 1e9).toFixed(2)} CPU-s/GB, ${(bytes / one / 1e6).toFixed(0)} MB/s`
  console.log(`${what.padEnd(22)} best ${rate(best)}; median ${rate(median)}`)
}

/** The rows themselves must not stay: a garbage collector that walks them would be what is measured. */
function makeHead(): { readonly lineBytes: number; readonly rowCount: number } & ReturnType<typeof makeHeadPages> {
  const rows = makeRows()
  const lineBytes = rows.reduce((sum, { line }) => sum + line.length, 0)
  return { lineBytes, rowCount: rows.length, ...makeHeadPages(rows, 40_000) }
}

const { lineBytes, rowCount, index, pages } = makeHead()
const input = { ...testBlockInput({ index, pages }), minesPatterns: true }
const { meta, parts } = writeLogBlock(input)
console.log(
  `${rowCount} rows, ${(lineBytes / 1e6).toFixed(0)} MB of lines, ${meta.streamCount} streams, ${meta.pageCount} pages`,
)
console.log(
  `block ${(meta.sizeBytes / 1e6).toFixed(1)} MB, ${((meta.sizeBytes / lineBytes) * 1000).toFixed(0)} MB per GB of lines`,
)
report('write block', lineBytes, () => void writeLogBlock(input))

const store = new MemoryStore({ nowMs: () => 0 } as ConstructorParameters<typeof MemoryStore>[0])
await store.put(meta.key, parts)
const block = await openLogBlock(store, meta)
const bytes = await block.readPages([...block.pages.keys()], { lengths: true, lines: true, meta: 'all' }, undefined)
report('decode lines', lineBytes, () => bytes.forEach((page) => decodeBlockPage(page).lines))
report('decode time', lineBytes, () => bytes.forEach((page) => decodeBlockPage(page).time))
report('decode length', lineBytes, () => bytes.forEach((page) => decodeBlockPage(page).lineStart))
report('decode detected_level', lineBytes, () => bytes.forEach((page) => decodeBlockPage(page).meta('detected_level')))
report('decode trace_id', lineBytes, () => bytes.forEach((page) => decodeBlockPage(page).meta('trace_id')))

for (const [what, labels] of [
  ['head', index],
  ['block', block.streams],
] as const) {
  const matchers = [{ name: 'pod', matches: (value: string) => value.endsWith('7') }]
  labels.match(matchers)
  const before = performance.now()
  for (let i = 0; i < 10; i++) labels.match(matchers)
  console.log(`match in ${what}: ${((performance.now() - before) / 10).toFixed(2)} ms`)
}
