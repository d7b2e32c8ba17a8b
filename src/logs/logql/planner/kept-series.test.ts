import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseExpr } from '#/logs/logql/parser/parse-expr.ts'
import { keptSeries } from './kept-series.ts'
import { makePlainPlan } from './make-plan.ts'

function kept(query: string): unknown {
  const plan = makePlainPlan(parseExpr(query))
  assert.ok(plan.kind === 'metric')
  return keptSeries(plan.root, plan.leaves)
}

const count = 'count_over_time({app="a"}[1m])'
const best = { op: 'topk', k: 3 }

test('the best of all series of a leaf are all that counts', () => {
  assert.deepEqual(kept(`topk(3, ${count})`), [best])
  assert.deepEqual(kept(`topk(3, sum by (user) (${count}))`), [best])
  assert.deepEqual(kept(`bottomk(3, sum by (a, b) (${count}))`), [{ op: 'bottomk', k: 3 }])
  assert.deepEqual(kept(`topk(3, sum by (b, a) (sum by (a) (${count})))`), [best])
  assert.deepEqual(kept(`sort_desc(topk(3, sum by (user) (${count}))) > 5`), [best])
  assert.deepEqual(kept(`sum by (user) (${count}) / topk(3, sum by (user) (${count}))`), [undefined, best])
})

test('elsewhere all series count', () => {
  for (const query of [
    `sum by (user) (${count})`,
    `topk by (a) (3, sum by (a, b) (${count}))`,
    `topk(3, sum by (a) (sum by (a, b) (${count})))`,
    `topk(3, avg by (a) (${count}))`,
    `topk(3, sum without (a) (${count}))`,
    `topk(3, sum by (user) (${count}) > 1)`,
    `sum(topk(3, sum by (user) (${count})) or ${count})`.replace(
      'topk(3, sum by (user)',
      'sum by (user) (sum by (user)',
    ),
  ])
    assert.ok(
      (kept(query) as unknown[]).every((one) => one === undefined),
      query,
    )
})
