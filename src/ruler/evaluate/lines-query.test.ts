import assert from 'node:assert/strict'
import { test } from 'node:test'

import { linesQuery } from './lines-query.ts'

const labels = [
  ['app', 'we"b'],
  ['level', 'error'],
] as const

test('the first selector, its range, and the labels of the alert', () => {
  assert.deepEqual(
    linesQuery('sum by (app, level) (rate({app=~".+"} |= "x" | json [5m] offset 1m)) > 1', labels, 600_000_000_000n, 7),
    {
      query: '{app=~".+"} |= "x" | json | app="we\\"b" | level="error"',
      startNs: 240_000_000_001n,
      endNs: 540_000_000_000n,
      limit: 7,
    },
  )
})

test('labels that the query makes are not looked for', () => {
  const expr = 'label_replace(vector(0) + count_over_time({a="b"}[1m]), "level", "x", "a", ".*")'
  assert.equal(linesQuery(expr, labels, 0n, 1)?.query, '{a="b"} | app="we\\"b"')
})

test('some queries have no lines', () => assert.equal(linesQuery('vector(1) > 0', [], 0n, 1), undefined))
