import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { StageNode } from '#/logs/logql/ast/stage-nodes.ts'
import { splitTail } from './split-tail.ts'

const at = { start: 0, end: 0 }
const json: StageNode = { kind: 'json', extractions: [], at }
const unpack: StageNode = { kind: 'unpack', at }

test('stages over all rows are taken off, the others stay in their order', () => {
  const tail: readonly StageNode[] = [
    { kind: 'distinct', labels: ['a', 'b'], at },
    { kind: 'sort', label: 'c', descending: true, at },
    { kind: 'limit', count: 5, at },
  ]
  assert.deepEqual(splitTail([json, unpack, ...tail]), {
    rowStages: [json, unpack],
    tail: { distinct: ['a', 'b'], sort: { label: 'c', descending: true }, limit: 5 },
  })
})

test('without them the tail asks nothing', () => {
  assert.deepEqual(splitTail([json]), {
    rowStages: [json],
    tail: { distinct: undefined, sort: undefined, limit: undefined },
  })
})
