import assert from 'node:assert/strict'
import { test } from 'node:test'

import { decodeBlockPage } from './block-page.ts'
import { makeHeadPages, testBlockInput } from './fixture/head-pages.ts'
import type { PlainRow } from './fixture/head-pages.ts'
import type { PageBytes, PageColumns } from './log-block.ts'
import { openLogBlock } from './open-log-block.ts'
import { writeLogBlock } from './write-log-block.ts'
import { Corruption } from '#/kernel/errors.ts'
import { MemoryStore } from '#/platform/objstore/memory.ts'
import { ENCODING_LINE_TEMPLATES } from '#/storage/column/encoding.ts'

const clock = { nowMs: () => 0 } as ConstructorParameters<typeof MemoryStore>[0]

const rows: readonly PlainRow[] = Array.from({ length: 400 }, (_, i) => {
  const traceId = (BigInt(i + 1) * 0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835n).toString(16).padStart(32, '0').slice(-32)
  const time = 3_600e9 + i * 1_234_567_000
  const clockText = new Date(time / 1e6).toISOString().slice(11, 23)
  return {
    labels: [['app', `a${i % 2}`]],
    time,
    line: Buffer.from(
      i % 5 === 0 ? 'deadline exceeded' : `${clockText} served user=${i * 7} in 0.0${i % 9} s trace=${traceId}`,
    ),
    meta:
      i % 5 === 0
        ? [['user', `u${i}`]]
        : [
            ['trace_id', traceId],
            ['user', `u${i}`],
          ],
  }
})

async function readPage(columns: PageColumns): Promise<PageBytes> {
  const { index, pages } = makeHeadPages(rows, 1000)
  const { meta, parts } = writeLogBlock(testBlockInput({ index, pages }))
  const store = new MemoryStore(clock)
  await store.put(meta.key, parts)
  const [page] = await (await openLogBlock(store, meta)).readPages([0], columns, undefined)
  return page!
}

const expected = [0, 1].flatMap((app) => rows.filter((_, i) => i % 2 === app).map(({ line }) => line.toString()))

test('lines come back with the metadata that they refer to, which nobody asked for', async () => {
  const bytes = await readPage({ lengths: true, lines: true, meta: ['user'] })
  assert.equal(bytes.columns.find(({ name }) => name === 'line')?.encoding, ENCODING_LINE_TEMPLATES)
  const page = decodeBlockPage(bytes)
  const { lines, lineStart } = page
  assert.deepEqual(
    expected.map((_, row) => lines.toString('utf8', lineStart[row], lineStart[row + 1])),
    expected,
  )
  assert.deepEqual(page.metaNames, ['user'])
  assert.equal(page.meta('user')?.valueOf(0), 'u0')
  assert.throws(() => page.meta('trace_id'), /metadata 'trace_id'/)
})

test('the cut lines of a page find words in its rows, before and after its lines were asked for', async () => {
  const page = decodeBlockPage(await readPage({ lengths: true, lines: true, meta: [] }))
  const rowsWith = (word: string): number[] => {
    const { text, textStart, textOfRow } = page.cutLines!
    const isWith = (its: number): boolean => text.subarray(textStart[its], textStart[its + 1]).includes(word)
    return expected.flatMap((_, row) => (isWith(textOfRow![row]!) ? [row] : []))
  }
  const wanted = expected.flatMap((line, row) => (line.includes('deadline') ? [row] : []))
  assert.equal(wanted.length, 80)
  assert.deepEqual(rowsWith('deadline'), wanted)
  assert.equal(page.lines.toString(), expected.join(''))
  assert.deepEqual(rowsWith('deadline'), wanted)
  page.release()
  assert.deepEqual(
    rowsWith('served user='),
    [...expected.keys()].filter((row) => !wanted.includes(row)),
  )
  assert.equal(page.lines.toString(), expected.join(''))
})

test('lines of chosen rows are put together alone, those of all once the page was released', async () => {
  const page = decodeBlockPage(await readPage({ lengths: true, lines: true, meta: [] }))
  const lineOf = (row: number): string => page.lines.toString('utf8', page.lineStart[row], page.lineStart[row + 1])
  for (const every of [1, 2, 3, 50, 399]) {
    const chosen = Uint32Array.from(expected.keys()).filter((row) => row % every === every - 1)
    page.chooseLines?.(chosen)
    assert.deepEqual(
      [...chosen].map(lineOf),
      [...chosen].map((row) => expected[row]),
    )
    assert.equal(page.lines.toString() === expected.join(''), every === 1, 'others are left out')
    page.chooseLines?.(chosen.subarray(1))
    assert.deepEqual(
      [...chosen.subarray(1)].map(lineOf),
      [...chosen.subarray(1)].map((row) => expected[row]),
    )
    page.release()
  }
  assert.equal(page.lines.toString(), expected.join(''))
})

test('a column that lines refer to and that is damaged makes them corrupt', async () => {
  const bytes = await readPage({ lengths: true, lines: true, meta: [] })
  const column = bytes.columns.find(({ name }) => name === 'meta:trace_id')!
  bytes.bytes[column.offset + 20]! ^= 1
  assert.throws(() => decodeBlockPage(bytes).lines, Corruption)
  const without = { ...bytes, columns: bytes.columns.filter(({ name }) => name !== 'meta:trace_id') }
  assert.throws(() => decodeBlockPage(without).lines, /no values to put into lines/)
})
