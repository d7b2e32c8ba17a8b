import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { HeadSnapshot } from '#/logs/wire/head-view.ts'
import type { BlockMeta } from '#/storage/block/meta.ts'
import { splitByTime } from './split-view.ts'
import type { DayView } from './view.ts'

const block = (key: string, minTime: number, maxTime: number): BlockMeta =>
  ({ key, minTime, maxTime }) as unknown as BlockMeta
const head = (id: string, ...spans: readonly (readonly [number, number])[]): HeadSnapshot =>
  ({ id, pages: spans.map(([minTime, maxTime]) => ({ rowCount: 1, minTime, maxTime })) }) as unknown as HeadSnapshot

function split(blocks: readonly BlockMeta[], heads: readonly HeadSnapshot[]): unknown[] {
  const view = { day: 7, blocks, heads } as unknown as DayView
  return splitByTime(view).map(({ view: piece, minTime, maxTime }) => [
    piece.day,
    [...piece.blocks.map(({ key }) => key), ...piece.heads.map(({ id }) => id)].join(' '),
    minTime,
    maxTime,
  ])
}

test('what overlaps stays together, also by way of others and when it only touches', () => {
  const blocks = [block('e', 50, 60), block('a', 0, 10), block('b', 10, 12), block('c', 30, 45), block('d', 20, 40)]
  assert.deepEqual(split(blocks, [head('h', [41, 44], [58, 70])]), [
    [7, 'a b', 0, 12],
    [7, 'e c d h', 20, 70],
  ])
})

test('a block inside of another does not end the piece, and parts keep their order', () => {
  assert.deepEqual(split([block('c', 60, 80), block('b', 10, 20), block('a', 0, 70)], [head('h', [90, 91])]), [
    [7, 'c b a', 0, 80],
    [7, 'h', 90, 91],
  ])
})

test('there is nothing to split in a day without anything', () => {
  assert.deepEqual(split([], []), [])
})
