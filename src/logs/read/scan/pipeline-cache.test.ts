import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseExpr } from '#/logs/logql/parser/parse-expr.ts'
import type { RowStageNode } from '#/logs/logql/ast/stage-nodes.ts'
import { pipelineOf } from './pipeline-cache.ts'

const stagesOf = (stages: string, values: readonly string[] = []): RowStageNode[] => {
  const expr = parseExpr(`{app="a"} ${stages}`)
  assert(expr.kind === 'log')
  return expr.stages.map((node) => {
    if (node.kind !== 'label_filter' || node.filter.kind !== 'in') return node as RowStageNode
    return { ...node, filter: { ...node.filter, values } }
  })
}

const simple = stagesOf('| json | a="1"')
const membership = (count: number): RowStageNode[] =>
  stagesOf(
    '| id in ({app="b"} | keep id)',
    Array.from({ length: count }, (_, i) => String(i)),
  )

test('a pipeline is compiled once for its key, and again after many others', () => {
  const first = pipelineOf('once', simple, 'all')
  assert.equal(pipelineOf('once', simple, 'all'), first)
  for (let i = 0; i < 63; i++) pipelineOf(`other ${i}`, simple, 'all')
  assert.equal(pipelineOf('once', simple, 'all'), first)
  for (let i = 0; i < 64; i++) pipelineOf(`another ${i}`, simple, 'all')
  assert.notEqual(pipelineOf('once', simple, 'all'), first)
})

test('values of subqueries that are over do not fill the memory, nor push out others', () => {
  const plain = pipelineOf('plain', simple, 'all')
  const old = pipelineOf('in 1', membership(10_000), 'all')
  for (let i = 2; i <= 4; i++) pipelineOf(`in ${i}`, membership(10_000), 'all')
  assert.equal(pipelineOf('plain', simple, 'all'), plain)
  assert.notEqual(pipelineOf('in 1', membership(10_000), 'all'), old)
  const large = pipelineOf('large', membership(40_000), 'all')
  assert.equal(pipelineOf('large', membership(40_000), 'all'), large, 'what is in use stays, whatever its size')
  assert.equal(pipelineOf('plain', simple, 'all'), plain)
})
