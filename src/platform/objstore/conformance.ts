/** What every object store must do. A new implementation runs this from a test of three lines. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import type { ListOptions, ObjectStore } from './objstore.ts'

/** `open` gives an empty store; `nowMs` is the time that it stamps on objects. */
export function objectStoreConformance(
  name: string,
  open: () => Promise<ObjectStore>,
  nowMs: () => number = Date.now,
): void {
  describe(`${name} keeps the contract of an object store`, () => {
    const bytes = (text: string): Uint8Array[] => [Buffer.from(text)]
    const fill = async (keys: readonly string[]): Promise<ObjectStore> => {
      const store = await open()
      for (const key of keys) await store.put(key, bytes(key))
      return store
    }
    const keysOf = async (store: ObjectStore, options: ListOptions): Promise<string[]> =>
      (await Array.fromAsync(store.list(options))).map((head) => head.key)

    it('gives back what was put, from several buffers, and over an old object', async () => {
      const store = await open()
      await store.put('a/b', [Buffer.from('one '), Buffer.alloc(0), Buffer.from('two')])
      assert.equal((await store.get('a/b')).toString(), 'one two')
      await store.put('a/b', bytes('three'))
      assert.equal((await store.get('a/b')).toString(), 'three')
      assert.equal((await store.head('a/b'))?.sizeBytes, 5)
    })

    it('keeps its own copy', async () => {
      const store = await open()
      const data = Buffer.from('abc')
      await store.put('k', [data])
      data.fill(0)
      const first = await store.get('k')
      first.fill(0)
      assert.equal((await store.get('k')).toString(), 'abc')
    })

    it('holds empty and large objects', async () => {
      const store = await open()
      await store.put('empty', [])
      assert.equal((await store.get('empty')).length, 0)
      await store.readInto('empty', 0, new Uint8Array(0))
      const large = Buffer.alloc(3_000_001, 'edda')
      await store.put('large', [large.subarray(0, 1_000_000), large.subarray(1_000_000)])
      assert.ok((await store.get('large')).equals(large))
    })

    it('reads ranges, also into shared memory', async () => {
      const store = await open()
      await store.put('k', bytes('0123456789'))
      const shared = new Uint8Array(new SharedArrayBuffer(6), 1, 4)
      await store.readInto('k', 6, shared)
      assert.equal(Buffer.from(shared).toString(), '6789')
      assert.equal(Buffer.from(shared.buffer).toString('latin1'), '\u00006789\u0000')
    })

    it('reads several ranges of an object, in any order, overlapping or empty', async () => {
      const store = await open()
      await store.put('k', bytes('0123456789'))
      const shared = new Uint8Array(new SharedArrayBuffer(16))
      await store.readRanges('k', [
        { offset: 7, target: shared.subarray(0, 3) },
        { offset: 0, target: shared.subarray(3, 8) },
        { offset: 3, target: shared.subarray(8, 8) },
        ...Array.from({ length: 8 }, (_, i) => ({ offset: i, target: shared.subarray(8 + i, 9 + i) })),
      ])
      assert.equal(Buffer.from(shared).toString(), '7890123401234567')
      await store.readRanges('k', [])
      await assert.rejects(
        store.readRanges('k', [
          { offset: 0, target: new Uint8Array(1) },
          { offset: 9, target: new Uint8Array(2) },
        ]),
        { code: 'bad_request' },
      )
      await assert.rejects(store.readRanges('missing', [{ offset: 0, target: shared }]), { code: 'not_found' })
    })

    it('refuses ranges that are not inside', async () => {
      const store = await open()
      await store.put('k', bytes('0123456789'))
      for (const [offset, length] of [
        [8, 3],
        [11, 0],
        [-1, 1],
        [0.5, 1],
        [Number.NaN, 1],
      ] as const) {
        await assert.rejects(store.readInto('k', offset, new Uint8Array(length)), { code: 'bad_request' })
      }
    })

    it('says not found, and nothing at head', async () => {
      const store = await fill(['dir/below'])
      for (const key of ['none', 'dir', 'dir/below/deeper', 'none/at/all']) {
        await assert.rejects(store.get(key), { code: 'not_found' }, key)
        await assert.rejects(store.readInto(key, 0, new Uint8Array(1)), { code: 'not_found' }, key)
        assert.equal(await store.head(key), undefined, key)
      }
    })

    it('deletes, and does not mind when there is nothing', async () => {
      const store = await fill(['a/b', 'a/c'])
      await store.delete('a/b')
      await store.delete('a/b')
      await store.delete('a')
      await store.delete('never')
      assert.deepEqual(await keysOf(store, { prefix: '' }), ['a/c'])
    })

    it('lists by prefix in byte order of the whole key', async () => {
      const keys = ['a', 'a-b/x', 'a.b', 'ab/c/d', 'ab/c', 'b/1', 'b/10', 'b/2', 'b!', 'ü/1', '\u{1f600}', '\uffee']
        // a file system has no file with the name of a directory
        .filter((key) => key !== 'ab/c')
      const store = await fill(keys.toReversed())
      const sorted = keys.toSorted((x, y) => Buffer.compare(Buffer.from(x), Buffer.from(y)))
      assert.deepEqual(await keysOf(store, { prefix: '' }), sorted)
      assert.deepEqual(await keysOf(store, { prefix: 'a' }), ['a', 'a-b/x', 'a.b', 'ab/c/d'])
      assert.deepEqual(await keysOf(store, { prefix: 'b/1' }), ['b/1', 'b/10'])
      assert.deepEqual(await keysOf(store, { prefix: 'ab/c/' }), ['ab/c/d'])
      assert.deepEqual(await keysOf(store, { prefix: 'zzz' }), [])
      assert.deepEqual(await keysOf(store, { prefix: 'a/none/' }), [])
    })

    it('lists behind a key, whether it exists or not', async () => {
      const keys = ['t/1/a', 't/1/b', 't/2/a', 't/2/b', 't/3']
      const store = await fill(keys)
      for (const startAfter of ['', 't', 't/1', 't/1/a', 't/1/aa', 't/1/z', 't/2/', 't/2/b', 't/3', 'u']) {
        const expected = keys.filter((key) => key > startAfter)
        assert.deepEqual(await keysOf(store, { prefix: 't/', startAfter }), expected, startAfter)
      }
    })

    it('lists sizes and times', async () => {
      const store = await fill(['k/abc'])
      const [head] = await Array.fromAsync(store.list({ prefix: 'k' }))
      assert.equal(head?.sizeBytes, 5)
      assert.ok(Math.abs((head?.modifiedMs ?? -1e9) - nowMs()) < 60_000)
    })

    it('lists prefixes one level down that hold something', async () => {
      const store = await fill(['t1/logs/d1/x', 't1/logs/d2/x', 't1/rules', 't2/logs/d3/x', 'top'])
      assert.deepEqual(await store.listPrefixes(''), ['t1/', 't2/'])
      assert.deepEqual(await store.listPrefixes('t1/'), ['t1/logs/'])
      assert.deepEqual(await store.listPrefixes('t1/logs/'), ['t1/logs/d1/', 't1/logs/d2/'])
      assert.deepEqual(await store.listPrefixes('none/'), [])
      await store.delete('t2/logs/d3/x')
      assert.deepEqual(await store.listPrefixes(''), ['t1/'])
      await assert.rejects(store.listPrefixes('t1'), { code: 'bad_request' })
    })

    it('refuses keys that could leave the root', async () => {
      const store = await open()
      const bad = [
        '',
        '/',
        '/etc/x',
        'a//b',
        'a/',
        '.',
        '..',
        '../x',
        'a/../b',
        'a/./b',
        'a\\b',
        'a\0b',
        'a\nb',
        '.~tmp/x',
      ]
      for (const key of [...bad, 'x'.repeat(256), 'a/'.repeat(600) + 'b']) {
        const refusal = { code: 'bad_request' }
        await assert.rejects(store.put(key, []), refusal, JSON.stringify(key))
        await assert.rejects(store.get(key), refusal, JSON.stringify(key))
        await assert.rejects(store.readInto(key, 0, new Uint8Array(0)), refusal, JSON.stringify(key))
        await assert.rejects(store.head(key), refusal, JSON.stringify(key))
        await assert.rejects(store.delete(key), refusal, JSON.stringify(key))
      }
      for (const prefix of ['/', '../', 'a/../../', '..//x']) {
        await assert.rejects(keysOf(store, { prefix }), { code: 'bad_request' }, prefix)
        await assert.rejects(store.listPrefixes(prefix), { code: 'bad_request' }, prefix)
      }
    })

    it('takes every name that a tenant may have', async () => {
      const keys = ["!-_.*'()/x", '.hidden/x', 'a b/x', '...'.concat('/x')]
      const store = await fill(keys)
      assert.deepEqual((await keysOf(store, { prefix: '' })).toSorted(), keys.toSorted())
    })

    it('stops when told', async () => {
      const store = await fill(['a', 'b'])
      const signal = AbortSignal.abort()
      const stopped = { code: 'cancelled' }
      await assert.rejects(store.put('c', bytes('c'), signal), stopped)
      await assert.rejects(store.get('a', signal), stopped)
      await assert.rejects(store.readInto('a', 0, new Uint8Array(1), signal), stopped)
      await assert.rejects(Array.fromAsync(store.list({ prefix: '' }, signal)), stopped)
      assert.equal(await store.head('c'), undefined)
    })

    it('lets many write at once, into the same place too', async () => {
      const store = await open()
      const keys = Array.from({ length: 40 }, (_, index) => `t${index % 3}/logs/d${index % 5}/o${index}`)
      await Promise.all(keys.map((key) => store.put(key, bytes(key))))
      assert.deepEqual(await keysOf(store, { prefix: '' }), keys.toSorted())
      const values = Array.from({ length: 10 }, (_, index) => String(index).repeat(1000))
      await Promise.all(values.map((value) => store.put('same', bytes(value))))
      assert.ok(values.includes((await store.get('same')).toString()), 'one of the values, whole')
    })
  })
}
