import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'

import type { Disk } from '#/kernel/world.ts'
import { realWorld } from '#/platform/world/real-world.ts'
import { objectStoreConformance } from './conformance.ts'
import { FilesystemStore } from './filesystem.ts'

const { disk, random } = realWorld()
let dir = ''
let roots = 0
before(async () => void (dir = await mkdtemp(join(tmpdir(), 'edda-objstore-'))))
after(() => rm(dir, { recursive: true }))
const newRoot = (): string => join(dir, `root-${roots++}`)

objectStoreConformance('filesystem', () => FilesystemStore.open({ disk, random, root: newRoot() }))

/** The real disk, but `override` first; every call is noted as `name path`. */
function watchedDisk(root: string, calls: string[], override: Partial<Disk> = {}): Disk {
  const base: Disk = { ...disk, ...override }
  const note = (name: string, path: string): void => {
    const place = path.replace(root, '').replace(/\.~tmp\/[0-9a-f]{32}/, 'TEMP')
    calls.push(`${name} ${place === '' ? '/' : place}`)
  }
  return {
    ...base,
    openAppend: async (path, options) => {
      const file = await base.openAppend(path, options)
      return {
        sizeBytes: 0,
        append: (buffers) => file.append(buffers),
        sync: () => {
          note('sync', path)
          return file.sync()
        },
        close: () => file.close(),
      }
    },
    makeDir: (path) => {
      note('makeDir', path)
      return base.makeDir(path)
    },
    rename: (from, to) => {
      note('rename', to)
      return base.rename(from, to)
    },
    syncDir: (path) => {
      note('syncDir', path)
      return base.syncDir(path)
    },
  }
}

const failure = (code: string): Error => Object.assign(new Error(`${code}: made up`), { code })

describe('FilesystemStore', () => {
  it('syncs the file before its name, and every new directory', async () => {
    const root = newRoot()
    const calls: string[] = []
    const store = await FilesystemStore.open({ disk: watchedDisk(root, calls), random, root })
    calls.length = 0
    await store.put('t/d/one', [Buffer.from('1')])
    assert.deepEqual(calls, [
      'makeDir /.~tmp',
      'syncDir /',
      'sync /TEMP',
      'makeDir /t',
      'syncDir /',
      'makeDir /t/d',
      'syncDir /t',
      'rename /t/d/one',
      'syncDir /t/d',
    ])
    calls.length = 0
    await store.put('t/d/two', [Buffer.from('2')])
    assert.deepEqual(calls, ['sync /TEMP', 'rename /t/d/two', 'syncDir /t/d'])
  })

  it('ignores what a crash left half written, and removes it at the next start', async () => {
    const root = newRoot()
    const store = await FilesystemStore.open({ disk, random, root })
    await writeFile(join(root, '.~tmp', 'left'), 'half')
    assert.deepEqual(await Array.fromAsync(store.list({ prefix: '' })), [])
    assert.deepEqual(await store.listPrefixes(''), [])
    await FilesystemStore.open({ disk, random, root })
    assert.deepEqual(await readdir(join(root, '.~tmp')), [])
  })

  it('leaves the old object and no leftovers when the disk is full', async () => {
    const root = newRoot()
    let isFull = false
    const openAppend: Disk['openAppend'] = async (path, options) => {
      const file = await disk.openAppend(path, options)
      const append = (buffers: readonly Uint8Array[]): Promise<void> =>
        isFull ? Promise.reject(failure('ENOSPC')) : file.append(buffers)
      return { sizeBytes: 0, append, sync: () => file.sync(), close: () => file.close() }
    }
    const store = await FilesystemStore.open({ disk: { ...disk, openAppend }, random, root })
    await store.put('k', [Buffer.from('old')])
    isFull = true
    await assert.rejects(store.put('k', [Buffer.from('new')]), (error: Error & { code: string }) => {
      assert.equal(error.code, 'unavailable')
      assert.equal((error.cause as NodeJS.ErrnoException).code, 'ENOSPC')
      return true
    })
    assert.equal((await store.get('k')).toString(), 'old')
    assert.deepEqual(await readdir(join(root, '.~tmp')), [])
    isFull = false
    await store.put('k', [Buffer.from('new')])
    assert.equal((await store.get('k')).toString(), 'new')
  })

  it('does not acknowledge when a sync fails', async () => {
    const root = newRoot()
    let fails = false
    const syncDir = (path: string): Promise<void> => (fails ? Promise.reject(failure('EIO')) : disk.syncDir(path))
    const store = await FilesystemStore.open({ disk: { ...disk, syncDir }, random, root })
    fails = true
    await assert.rejects(store.put('new-dir/k', [Buffer.from('1')]), { code: 'unavailable' })
    fails = false
    await store.put('new-dir/k', [Buffer.from('2')])
    assert.equal((await store.get('new-dir/k')).toString(), '2')
  })

  it('writes again when directories or temporary files were taken away under it', async () => {
    const root = newRoot()
    const store = await FilesystemStore.open({ disk, random, root })
    await store.put('t/d/one', [Buffer.from('1')])
    await rm(root, { recursive: true })
    await disk.makeDir(root)
    await store.put('t/d/two', [Buffer.from('2')])
    assert.equal((await store.get('t/d/two')).toString(), '2')
  })

  it('takes a directory away with its last object, and those above it that are empty', async () => {
    const root = newRoot()
    const store = await FilesystemStore.open({ disk, random, root })
    for (const key of ['t/d/one', 't/d/two', 't/e/one', 'u/d/one']) await store.put(key, [Buffer.from('1')])
    await store.delete('t/d/one')
    assert.deepEqual(await readdir(join(root, 't')), ['d', 'e'])
    await store.delete('t/d/two')
    assert.deepEqual(await readdir(join(root, 't')), ['e'])
    await store.delete('u/d/one')
    await store.delete('t/e/one')
    assert.deepEqual(await readdir(root), ['.~tmp'])
    await store.put('t/d/one', [Buffer.from('2')])
    assert.equal((await store.get('t/d/one')).toString(), '2', 'it is made again')
  })

  it('keeps what is put while the directory goes', async () => {
    const root = newRoot()
    const store = await FilesystemStore.open({ disk, random, root })
    for (let round = 0; round < 20; round++) {
      await store.put('t/d/old', [Buffer.from('old')])
      const data = [Buffer.from(`${round}`)]
      await Promise.all([store.delete('t/d/old'), store.put('t/d/new', data), store.put('t/e/new', data)])
      assert.equal((await store.get('t/d/new')).toString(), `${round}`)
      await Promise.all([store.delete('t/d/new'), store.delete('t/e/new')])
    }
  })

  it('reports read errors as the store being unavailable', async () => {
    const openRead = (): Promise<never> => Promise.reject(failure('EMFILE'))
    const store = await FilesystemStore.open({ disk: { ...disk, openRead }, random, root: newRoot() })
    await store.put('k', [Buffer.from('1')])
    await assert.rejects(store.readInto('k', 0, new Uint8Array(1)), { code: 'unavailable' })
  })
})
