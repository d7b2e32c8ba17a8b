import assert from 'node:assert/strict'
import { test } from 'node:test'

import { eachConcurrently } from './each-concurrently.ts'

test('every item gets its turn, no more than the limit at a time', async () => {
  let running = 0
  let most = 0
  const done: number[] = []
  await eachConcurrently([1, 2, 3, 4, 5, 6, 7], 3, async (item) => {
    most = Math.max(most, ++running)
    for (let i = 0; i < item; i++) await Promise.resolve()
    running--
    done.push(item)
  })
  assert.equal(most, 3)
  assert.deepEqual(
    done.toSorted((a, b) => a - b),
    [1, 2, 3, 4, 5, 6, 7],
  )
})

test('after a failure nothing new begins, and the first error comes out when all have ended', async () => {
  const begun: number[] = []
  let ended = 0
  const work = async (item: number): Promise<void> => {
    begun.push(item)
    await Promise.resolve()
    ended++
    if (item === 2) throw new Error('second')
  }
  await assert.rejects(eachConcurrently([1, 2, 3, 4, 5, 6, 7, 8, 9], 2, work), /second/)
  assert.equal(ended, begun.length)
  assert.ok(begun.length < 9, `${begun.length} begun`)
})
