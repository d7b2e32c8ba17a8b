/** The filesystem store in the simulated world: the contract holds there too, and no crash shows a part of an object. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { objectStoreConformance } from '#/platform/objstore/conformance.ts'
import { FilesystemStore } from '#/platform/objstore/filesystem.ts'
import { type FaultKind, faultKinds } from './world/sim-disk.ts'
import { type SimWorld, simWorld } from './world/sim-world.ts'

const root = '/store'
const open = (world: SimWorld): Promise<FilesystemStore> => FilesystemStore.open({ ...world, root })
const old = Buffer.alloc(5000, 'old')
const fresh = Buffer.alloc(7000, 'new')

/** The simulated disk does not stamp times. */
objectStoreConformance(
  'filesystem (simulated)',
  () => open(simWorld(1)),
  () => 0,
)

/** Puts `fresh` over what is there with a fault at the operation `at` of the put; says whether it was acknowledged. */
async function putWithFault(world: SimWorld, key: string, at: number, kind: FaultKind): Promise<boolean> {
  const store = await open(world)
  await store.put('warm/up', [])
  world.disk.failAt(world.disk.operations + at, kind)
  const isAcknowledged = await store.put(key, [fresh.subarray(0, 3000), fresh.subarray(3000)]).then(
    () => true,
    () => false,
  )
  return isAcknowledged
}

describe('an object after a fault at each step of its put', () => {
  for (const hadOld of [true, false]) {
    for (const kind of faultKinds) {
      it(`is ${hadOld ? 'the old one' : 'none'} or the new one, whole: ${kind}`, async () => {
        let steps = 0
        for (let at = 0; ; at++) {
          const world = simWorld(at * 31 + 7)
          const key = 'tenant/logs/2026-01-01/object'
          if (hadOld) await (await open(world)).put(key, [old])
          const before = world.disk.operations
          const isAcknowledged = await putWithFault(world, key, at, kind)
          const where = `fault ${kind} at operation ${at}: ${world.disk.journal.slice(before).join(', ')}`
          world.disk.crash()
          const store = await open(world)
          const found = (await store.head(key)) === undefined ? undefined : await store.get(key)
          if (isAcknowledged) assert.ok(found?.equals(fresh), `acknowledged, so it is there. ${where}`)
          else if (hadOld) assert.ok(found?.equals(old) || found?.equals(fresh), `old or new. ${where}`)
          else assert.ok(found === undefined || found.equals(fresh), `none or new. ${where}`)
          const listed = (await Array.fromAsync(store.list({ prefix: 'tenant/' }))).map((head) => head.key)
          assert.deepEqual(listed, found === undefined ? [] : [key], where)
          // and the store goes on
          await store.put(key, [fresh])
          assert.ok((await store.get(key)).equals(fresh), where)
          if (isAcknowledged && at > 0) break
          steps++
        }
        assert.ok(steps >= 4, `${steps} steps were tried`)
      })
    }
  }
})
