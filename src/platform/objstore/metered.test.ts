import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { realWorld } from '#/platform/world/real-world.ts'
import { objectStoreConformance } from './conformance.ts'
import { MemoryStore } from './memory.ts'
import { MeteredStore, type StoreObserver } from './metered.ts'

const { clock } = realWorld()
const deaf: StoreObserver = { operation: () => undefined }

objectStoreConformance('metered', async () => new MeteredStore(new MemoryStore(clock), deaf, clock))

describe('MeteredStore', () => {
  it('reports operations with bytes, and failures', async () => {
    const seen: unknown[] = []
    const observer: StoreObserver = {
      operation: (name, seconds, bytes, error) => {
        assert.ok(seconds >= 0)
        seen.push([name, bytes, (error as { code?: string } | undefined)?.code])
      },
    }
    const store = new MeteredStore(new MemoryStore(clock), observer, clock)
    await store.put('a', [Buffer.alloc(3), Buffer.alloc(4)])
    await store.readInto('a', 1, new Uint8Array(2))
    await store.get('a')
    await store.get('b').catch(() => undefined)
    await store.head('a')
    await Array.fromAsync(store.list({ prefix: '' }))
    await Array.fromAsync(store.list({ prefix: '//' })).catch(() => undefined)
    await store.listPrefixes('')
    await store.delete('a')
    assert.deepEqual(seen, [
      ['put', 7, undefined],
      ['read', 2, undefined],
      ['get', 7, undefined],
      ['get', 0, 'not_found'],
      ['head', 0, undefined],
      ['list', 0, undefined],
      ['list', 0, 'bad_request'],
      ['list', 0, undefined],
      ['delete', 0, undefined],
    ])
  })
})
