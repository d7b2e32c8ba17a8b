import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { testSeed } from '#/kernel/fixture/test-seed.ts'
import { makeUlid } from '#/kernel/ulid.ts'
import { parseExpr } from '#/logs/logql/parser/parse-expr.ts'
import { makePlan } from '#/logs/logql/planner/make-plan.ts'
import { makeHeadPages, type PlainRow } from '#/logs/store/fixture/head-pages.ts'
import { openLogBlock } from '#/logs/store/open-log-block.ts'
import { writeLogBlock } from '#/logs/store/write-log-block.ts'
import { MemoryStore } from '#/platform/objstore/memory.ts'
import { enableLinearRegex } from '#/platform/regex/linear.ts'
import { isCutLines } from '#/storage/column/encoding.ts'
import { shareTexts } from '#/storage/index/shared-texts.ts'
import { runScanJob } from './run-job.ts'
import type { RowsResult, ScanJob, ScanPage } from './scan-job.ts'

enableLinearRegex()

const ROWS = 700
const clock = { nowMs: () => 0 } as ConstructorParameters<typeof MemoryStore>[0]

/** Lines as programs write them: much of each is cut out. */
const shape = fc.record({
  kind: fc.nat(4),
  status: fc.constantFrom(200, 200, 404, 500, 503),
  number: fc.nat(100_000),
  word: fc.constantFrom('deadline', 'Deadline', 'dead', 'timeout', 'TASK', 'tas\u212a', 'feed', '1dead2', 'µ'),
  id: fc.option(fc.bigInt({ min: 0n, max: 2n ** 128n - 1n }), { nil: undefined }),
  hasLevel: fc.boolean(),
})
type Shape = typeof shape extends fc.Arbitrary<infer T> ? T : never

function rowOf({ kind, status, number, word, id, hasLevel }: Shape, i: number): PlainRow {
  const time = 3_600e9 + i * 987_654_321
  const iso = new Date(time / 1e6).toISOString()
  const hex = (id ?? 0n).toString(16).padStart(32, '0')
  const texts = [
    `{"ts":"${iso}","msg":"${word} x","status":${status},"took":${number},"trace":"${hex}"}`,
    `ts=${iso} status=${status} msg="${word}" took=${number}ms trace=${hex}`,
    `${iso.slice(11, 19)} [${number}] ${word}line 0${status} \u0001`,
    `${word} ${number}`,
    `{"status":"${word}",${number}`,
  ]
  const meta: [string, string][] = id === undefined ? [] : [['trace_id', hex]]
  if (hasLevel) meta.push(['level', status < 500 ? 'info' : 'error'])
  return { labels: [['app', `a${i % 3}`]], time, line: Buffer.from(texts[kind]!), meta }
}

const queries = [
  '|= "dead"',
  '|= "deadline"',
  '!= "deadline"',
  '|= "status=50"',
  '|= "503"',
  '|= "\\":50" |= "timeout"',
  '|~ "dead[a-z]+ne"',
  '|~ "(?i)deadline"',
  '|~ "(?i)task"',
  '!~ "(?i)task"',
  '|~ "status=5\\\\d\\\\d"',
  '|~ "d l"',
  '|> "<_>status=<_>deadline<_>"',
  '|= "timeout" or "feed"',
  '|~ "x.*50[03]" |= "dead"',
  '|~ "^dead"',
  '|~ "[a-f]+"',
  '| json | status >= 500',
  '| json | took > 50000',
  '| logfmt | status = "503"',
  '| level="error" |= "dead"',
  '|= "dead" | json | line_format "{{.msg}} {{.trace}}"',
  '| trace_id != "" |~ "(?i)x"',
  '',
]

function run(
  query: string,
  pages: readonly ScanPage[],
  labels: ScanJob['parts'][number]['labels'],
  limit: number,
): string[] {
  const plan = makePlan(parseExpr(`{app=~".+"} ${query}`))
  assert.ok(plan.kind === 'logs')
  const { stages, needed } = plan.selection
  const job = { kind: 'scan', key: query, stages, needed, nowNs: 0n, day: 19_000, from: 0, to: 86_400e9 } as const
  const task = { kind: 'rows', limit, direction: 'backward' } as const
  const parts = [{ labels, streams: undefined, pages }]
  const result = runScanJob({ ...job, parts, task }, () => undefined) as RowsResult
  const { time, lines, lineStart } = result
  return Array.from(time, (one, i) => `${one} ${Buffer.from(lines).toString('latin1', lineStart[i], lineStart[i + 1])}`)
}

test(`pages with cut lines answer as the same rows in heads do (seed ${testSeed})`, async () => {
  const shapes = fc.array(shape, { minLength: 5, maxLength: 40 })
  let cutPages = 0
  await fc.assert(
    fc.asyncProperty(shapes, fc.constantFrom(3, 100, 5000), async (some, limit) => {
      const rows = Array.from({ length: ROWS }, (_, i) => rowOf(some[(i * 7) % some.length]!, i))
      const { index, pages } = makeHeadPages(rows, 500)
      const written = writeLogBlock({
        tenant: 't',
        day: 19_000,
        level: 0,
        ulid: makeUlid(1, Buffer.alloc(10)),
        source: undefined,
        minesPatterns: false,
        texts: shareTexts(index),
        labels: index.coded(),
        pages,
      })
      const store = new MemoryStore(clock)
      await store.put(written.meta.key, written.parts)
      const block = await openLogBlock(store, written.meta)
      const read = await block.readPages(
        [...block.pages.keys()],
        { lengths: true, lines: true, meta: 'all' },
        undefined,
      )
      cutPages += read.filter(({ columns }) => columns.some(({ encoding }) => isCutLines(encoding))).length
      const scanPage = (data: ScanPage['data'], order: number): ScanPage => ({
        data,
        order,
        isInside: true,
        dropped: undefined,
      })
      const ofHead = pages.map((columns, order) => scanPage({ kind: 'head', columns }, order))
      const ofBlock = read.map((bytes, order) => scanPage({ kind: 'block', bytes }, order))
      for (const query of queries) {
        const expected = run(query, ofHead, index.coded(), limit)
        assert.deepEqual(run(query, ofBlock, block.streams.coded(), limit), expected, query)
      }
    }),
    { seed: testSeed, numRuns: 8 },
  )
  assert.ok(cutPages >= 6, `${cutPages} pages were cut`)
})
