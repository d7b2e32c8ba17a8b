import assert from 'node:assert/strict'
import { test } from 'node:test'
import { replaceLabel } from './replace-label.ts'
import { setOf, textOf } from './set-fixture.ts'

test('a label gets its value from another one, is removed by an empty one, and stays without a match', () => {
  const set = setOf({ 'a=x1 b=y': '1', 'a=z b=y': '2' })
  const run = (target: string, source: string, replace: (value: string) => string | undefined) =>
    textOf(replaceLabel(set, { target, source, replace }))
  const digit = (value: string): string | undefined => /^x(.)$/.exec(value)?.[1]
  assert.deepEqual(run('c', 'a', digit), { 'a=x1 b=y c=1': '1', 'a=z b=y': '2' })
  assert.deepEqual(
    run('b', 'a', () => ''),
    { 'a=x1': '1', 'a=z': '2' },
  )
  assert.deepEqual(
    run('c', 'missing', (value) => (value === '' ? 'none' : undefined)),
    { 'a=x1 b=y c=none': '1', 'a=z b=y c=none': '2' },
  )
  assert.equal(replaceLabel(set, { target: 'b', source: 'a', replace: () => '' }).series.length, 2)
})
