import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { testSeed } from '#/kernel/fixture/test-seed.ts'
import { parseExpr } from '#/logs/logql/parser/parse-expr.ts'
import { compilePipeline } from '#/logs/logql/pipeline/compile-pipeline.ts'
import type { PipelineEntry } from '#/logs/logql/pipeline/row.ts'
import { makePlan } from '#/logs/logql/planner/make-plan.ts'
import { decodeBlockPage } from '#/logs/store/block-page.ts'
import { makeHeadPages, testBlockInput, type PlainRow } from '#/logs/store/fixture/head-pages.ts'
import { openHeadPage } from '#/logs/store/head-page.ts'
import type { LogPage } from '#/logs/store/log-page.ts'
import { openLogBlock } from '#/logs/store/open-log-block.ts'
import { writeLogBlock } from '#/logs/store/write-log-block.ts'
import { MemoryStore } from '#/platform/objstore/memory.ts'

const clock = { nowMs: () => 0 } as ConstructorParameters<typeof MemoryStore>[0]
const COPIES = 12

/** `#` becomes a number, `0#` one with zeros in front, `@` hexadecimal digits, `~` the time of day, `$` the trace id. */
const jsonLine = fc.constantFrom(
  '{"status":#,"took":#.#,"msg":"a # b"}',
  '{"status":"#","took":-#.0#,"msg":"@"}',
  '{"took":#,"a":{"b":#,"c#":1},"status":#}',
  '{"status":#,"status":#}',
  '{"k#":1,"status":#,"k7":#}',
  '{"status":0#,"took":0.#,"at":"~"}',
  '{"status":#,"msg":"say \\"#\\" \\u00#"}',
  '{"status":@,"took":#}',
  '{"status":#,"took":~,"msg":1}',
  '{"status":#,"list":[#,{"status":#}],"took":null}',
  '{"status":#, broken',
  '{"status":#,"took":#',
  '{"app":"#","user":"u-#","took":"#ms"}',
  '{"status":#e#,"took":#.#.#,"msg":true}',
  '{ "status" : # , "took" : "" }',
  '{"status":12345678901234567890#,"took":#}',
  '{"trace":"$","status":#}',
  'no json #',
)
const logfmtLine = fc.constantFrom(
  'status=# took=#ms msg="a # b"',
  'status=0# took=#.# at=~',
  'k#=1 status=# k7=#',
  'status=# msg="say \\"#\\"" took=#',
  'status=@ took=# msg=',
  'status=# status=# app=#',
  'status=# =# took=#',
  'status="# took=#',
  'ts=~.# status=# took=-#.0# trace=$',
  'took=#h#m#s status=#,#',
)
const word = fc.constantFrom('', ' µ', ' \u0001', '\ufffd', ' x', '\\')

const shape = fc.record({
  line: fc.oneof(jsonLine, logfmtLine),
  suffix: fc.oneof({ weight: 5, arbitrary: fc.constant('') }, word),
  hasStatus: fc.boolean(),
  seed: fc.nat(1_000_000),
})
type Shape = typeof shape extends fc.Arbitrary<infer T> ? T : never

function numberOf(seed: number): number {
  const mixed = Math.imul(seed ^ (seed >>> 7), 0x9e37_79b1) >>> 0
  return mixed % [10, 100, 1000, 1_000_000, 999_999_999][mixed % 5]!
}

function rowOf({ line, suffix, hasStatus, seed }: Shape, i: number): PlainRow {
  const time = 3_600e9 + i * 1_987_654_321
  const trace = (BigInt(seed + i) * 0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835n)
    .toString(16)
    .slice(0, 16)
    .padStart(16, 'a')
  let count = seed + 31 * i
  const text = line.replaceAll(/0?#|@|~|\$/g, (mark) => {
    count++
    if (mark === '~') return new Date(time / 1e6).toISOString().slice(11, 23)
    if (mark === '$') return trace
    if (mark === '@') return (numberOf(count) + 0x1_0000).toString(16)
    return mark === '#' ? String(numberOf(count)) : String(numberOf(count) % 1000).padStart(3, '0')
  })
  const meta: [string, string][] = [['trace', trace]]
  if (hasStatus) meta.push(['took', 'slow'])
  return { labels: [['app', 'a']], time, line: Buffer.from(text + suffix, 'utf8'), meta }
}

const queries: readonly (readonly [string, readonly string[]])[] = [
  ['| json', ['status']],
  ['| json | status >= 500', ['status', 'took']],
  ['| json', ['took', 'msg', 'a_b', 'app', 'app_extracted', 'took_extracted']],
  ['| json | took > 1s', ['user', '__error__']],
  ['| json | msg = "a 7 b" or status != ""', ['k7', 'a_c1', 'at']],
  ['| json | drop status', ['status', 'trace', 'trace_extracted']],
  ['| logfmt', ['status']],
  ['| logfmt | status >= 50', ['took', 'msg', 'k7', 'k1', 'app', 'app_extracted']],
  ['| logfmt --strict', ['status', '__error__']],
  ['| logfmt --keep-empty | took > 10ms', ['msg', 'ts', 'at']],
  ['| json | logfmt', ['status', 'took', 'took_extracted']],
]

/** What the pipeline makes of each row, and how many lines it had to see. */
function results(
  query: string,
  needed: readonly string[],
  page: LogPage,
): { readonly rows: unknown[]; readonly lines: number } {
  const plan = makePlan(parseExpr(`{app="a"} ${query}`))
  assert.ok(plan.kind === 'logs')
  const pipeline = compilePipeline(plan.selection.stages, { needed: new Set(needed) })
  const positions = Uint32Array.from({ length: page.rowCount }, (_, i) => i)
  const lines = pipeline.linesToRead(page, positions)
  page.chooseLines?.(lines)
  const entry: PipelineEntry = { page, row: 0, day: 19_000, streamLabels: [['app', 'a']] }
  const rows = [...positions].map((row) => {
    entry.row = row
    const out = pipeline.run(entry)
    if (out === undefined) return undefined
    const details = out.get('__error_details__')
    // decimals first: a text that was made is read differently
    const decimals = needed.map((name) => out.decimalOf(name))
    return [decimals, needed.map((name) => out.get(name)), out.get('__error__'), details, out.parsedCount]
  })
  return { rows, lines: lines.length }
}

test(`labels come from the texts of lines as from the lines (seed ${testSeed})`, async () => {
  let [fromTexts, all] = [0, 0]
  await fc.assert(
    fc.asyncProperty(fc.array(shape, { minLength: 3, maxLength: 25 }), async (shapes) => {
      const rows = Array.from({ length: shapes.length * COPIES }, (_, i) => rowOf(shapes[i % shapes.length]!, i))
      const { index, pages } = makeHeadPages(rows, 10_000)
      const { meta, parts } = writeLogBlock(testBlockInput({ index, pages }))
      const store = new MemoryStore(clock)
      await store.put(meta.key, parts)
      const block = await openLogBlock(store, meta)
      const [bytes] = await block.readPages([0], { lengths: true, lines: true, meta: 'all' }, undefined)
      for (const [query, needed] of queries) {
        const expected = results(query, needed, openHeadPage(pages[0]!))
        const found = results(query, needed, decodeBlockPage(bytes!))
        for (const [i, row] of found.rows.entries()) {
          assert.deepEqual(row, expected.rows[i], `${query} of ${rows[i]!.line.toString()}`)
        }
        all += rows.length
        fromTexts += rows.length - found.lines
      }
    }),
    { numRuns: 60 },
  )
  assert.ok(fromTexts > all / 8, `${fromTexts} of ${all} rows did without their line`)
})
