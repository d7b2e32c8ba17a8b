import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { WholeBlock } from './leaf-blocks.ts'
import { groupPages } from './scan-groups.ts'
import type { Source, SourcePage } from './source.ts'

const KB = 1024
const columns = { lengths: true, lines: false, meta: [] }

function pagesOf(readBytes: number, count: number, rowCount = 1000): SourcePage[] {
  const source = { data: { kind: 'block', block: { readBytes: () => readBytes } } } as unknown as Source
  const page = { source, rowCount, minTime: 0, maxTime: 0, lineBytes: 100 * KB, sizeBytes: 9e9 }
  return Array.from({ length: count }, (_, position) => ({ ...page, position, order: position }))
}

function blockOf(pages: SourcePage[]): { block: WholeBlock; begun: number[] } {
  const begun: number[] = []
  return { block: { pages, begin: (jobs: number) => begun.push(jobs) } as unknown as WholeBlock, begun }
}

const shape = (groups: ReturnType<typeof groupPages>): number[][] =>
  groups.map((units) => units.map(({ batch }) => batch.pages.length))

test('small blocks share a job, and each knows how many parts it has', () => {
  const blocks = Array.from({ length: 8 }, () => blockOf(pagesOf(30 * KB, 10)))
  const groups = groupPages({ blocks: blocks.map(({ block }) => block), others: [] }, columns, {
    concurrency: 1,
    maxReadBytes: 4096 * KB,
  })
  // 2,400 KB for two jobs of each thread
  assert.deepEqual(shape(groups), [
    [10, 10, 10, 10],
    [10, 10, 10, 10],
  ])
  assert.deepEqual(
    blocks.map(({ begun }) => begun),
    blocks.map(() => [1]),
  )
})

test('a large block is several jobs, of which none reads more than allowed or has too many rows', () => {
  const { block, begun } = blockOf(pagesOf(300 * KB, 10))
  const groups = groupPages({ blocks: [block], others: pagesOf(0, 3, 600_000) }, columns, {
    concurrency: 2,
    maxReadBytes: 600 * KB,
  })
  assert.deepEqual(begun, [5])
  assert.deepEqual(shape(groups), [[2], [2], [2], [2], [2, 1], [1], [1]])
  const pages = groups.flat().flatMap(({ batch }) => batch.pages)
  assert.equal(new Set(pages).size, 13)
  assert.deepEqual(groupPages({ blocks: [], others: [] }, columns, { concurrency: 2, maxReadBytes: 1 }), [])
})
