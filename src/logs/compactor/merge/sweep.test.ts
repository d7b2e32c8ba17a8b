import assert from 'node:assert/strict'
import { test } from 'node:test'

import { Sweeper } from './sweep.ts'
import { Unavailable } from '#/kernel/errors.ts'
import type { DayState } from '#/storage/catalog/day-file.ts'

class Buried {
  readonly keys = new Set<string>()
  readonly deleted: string[] = []
  nowMs = 0
  failsAt: string | undefined

  sweeper(delayMs: number): Sweeper {
    return new Sweeper({
      delayMs,
      clock: { monotonicMs: () => this.nowMs },
      catalog: {
        days: () => [{ tenant: 'a', day: 1, state: { tombstones: new Set(this.keys) } as unknown as DayState }],
        forget: (_tenant, _day, keys) => keys.forEach((key) => this.keys.delete(key)),
      },
      store: {
        delete: async (key) => {
          if (key === this.failsAt) throw new Unavailable('no')
          this.deleted.push(key)
        },
      },
    })
  }
}

test('buried objects stay for as long as a query may read them; those of before the start go at once', async () => {
  const buried = new Buried()
  buried.keys.add('old')
  const sweeper = buried.sweeper(1000)
  buried.keys.add('new')
  await sweeper.sweep()
  assert.deepEqual(buried.deleted, ['old'])
  assert.equal(sweeper.waiting, 1)
  buried.nowMs = 999
  await sweeper.sweep()
  assert.deepEqual([...buried.keys], ['new'])
  buried.nowMs = 1000
  await sweeper.sweep()
  assert.deepEqual(buried.deleted, ['old', 'new'])
  assert.deepEqual([sweeper.waiting, sweeper.deleted, buried.keys.size], [0, 2, 0])
})

test('what cannot be deleted holds back what was buried later, and is tried again', async () => {
  const buried = new Buried()
  for (const key of ['1', '2', '3']) buried.keys.add(key)
  const sweeper = buried.sweeper(0)
  buried.failsAt = '2'
  await assert.rejects(sweeper.sweep(), Unavailable)
  assert.deepEqual(buried.deleted, ['1'])
  buried.failsAt = undefined
  await sweeper.sweep()
  assert.deepEqual(buried.deleted, ['1', '2', '3'])
})
