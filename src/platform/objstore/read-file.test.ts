import assert from 'node:assert/strict'
import { test } from 'node:test'
import { realWorld } from '#/platform/world/real-world.ts'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FilesystemStore } from './filesystem.ts'
import { readFileRanges } from './read-file.ts'

const target = (size: number): Uint8Array<SharedArrayBuffer> => new Uint8Array(new SharedArrayBuffer(size))

test('a thread reads what the store would have read, and fails alike', async () => {
  const root = mkdtempSync(join(tmpdir(), 'edda-read-file-'))
  try {
    const { disk, random } = realWorld()
    const store = await FilesystemStore.open({ disk, random, root })
    await store.put('a/b', [Buffer.from('0123456789')])
    const file = store.fileOf('a/b')!
    const [first, second] = [target(3), target(4)]
    readFileRanges({
      key: 'a/b',
      file,
      ranges: [
        { offset: 2, target: first },
        { offset: 6, target: second },
      ],
    })
    assert.equal(Buffer.from(first).toString(), '234')
    assert.equal(Buffer.from(second).toString(), '6789')
    const beyond = [{ offset: 8, target: target(3) }]
    assert.throws(() => readFileRanges({ key: 'a/b', file, ranges: beyond }), { code: 'bad_request' })
    await assert.rejects(store.readRanges('a/b', beyond), { code: 'bad_request' })
    const missing = store.fileOf('a/c')!
    assert.throws(() => readFileRanges({ key: 'a/c', file: missing, ranges: [] }), { code: 'not_found' })
    assert.throws(() => readFileRanges({ key: 'a', file: root, ranges: [{ offset: 0, target: target(1) }] }), {
      code: 'unavailable',
    })
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
})
