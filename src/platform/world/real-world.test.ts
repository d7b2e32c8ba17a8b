import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'

import { dropBytes } from './real-disk.ts'
import { realWorld } from './real-world.ts'

const { clock, disk, random } = realWorld()

describe('real disk', () => {
  let dir = ''
  before(async () => void (dir = await mkdtemp(join(tmpdir(), 'edda-disk-'))))
  after(() => rm(dir, { recursive: true }))

  it('appends many buffers in order and knows its size', async () => {
    const path = join(dir, 'append')
    const file = await disk.openAppend(path, { create: true })
    const parts = Array.from({ length: 2500 }, (_, index) => Buffer.from(`${index},`))
    await file.append([...parts, Buffer.alloc(0)])
    await file.sync()
    const expected = Buffer.concat(parts)
    assert.equal(file.sizeBytes, expected.length)
    await file.close()
    assert.deepEqual(await disk.readFile(path), expected)
  })

  it('goes on behind what is there, and refuses to create over it', async () => {
    const path = join(dir, 'again')
    await disk.writeFile(path, Buffer.from('abc'), { sync: true })
    await assert.rejects(disk.openAppend(path, { create: true }), { code: 'EEXIST' })
    const file = await disk.openAppend(path, { create: false })
    assert.equal(file.sizeBytes, 3)
    await file.append([Buffer.from('d'), Buffer.from('ef')])
    await file.close()
    assert.equal((await disk.readFile(path)).toString(), 'abcdef')
    await assert.rejects(disk.openAppend(join(dir, 'missing'), { create: false }), { code: 'ENOENT' })
  })

  it('reads ranges, also into shared memory, short only at the end', async () => {
    const path = join(dir, 'read')
    await disk.writeFile(path, Buffer.from('0123456789'), { sync: false })
    const file = await disk.openRead(path)
    const shared = new Uint8Array(new SharedArrayBuffer(4))
    assert.equal(await file.read(shared, 3), 4)
    assert.equal(Buffer.from(shared).toString(), '3456')
    assert.equal(await file.read(new Uint8Array(8), 6), 4)
    assert.equal(await file.read(new Uint8Array(8), 10), 0)
    await file.close()
  })

  it('lists by name with kinds; a directory that is not there is empty', async () => {
    const path = join(dir, 'list')
    await disk.makeDir(join(path, 'b', 'deep'))
    await writeFile(join(path, 'c'), '')
    await writeFile(join(path, 'a'), '')
    assert.deepEqual(await disk.list(path), [
      { name: 'a', isDirectory: false },
      { name: 'b', isDirectory: true },
      { name: 'c', isDirectory: false },
    ])
    assert.deepEqual(await disk.list(join(path, 'none')), [])
  })

  it('stats, truncates, renames and removes', async () => {
    const path = join(dir, 'one')
    await disk.writeFile(path, Buffer.from('hello'), { sync: false })
    await disk.truncate(path, 2)
    assert.equal((await disk.stat(path))?.sizeBytes, 2)
    await disk.rename(path, `${path}-2`)
    await disk.syncDir(dir)
    assert.equal(await disk.stat(path), undefined)
    assert.equal(await disk.stat(`${path}-2/below-a-file`), undefined)
    await disk.remove(`${path}-2`)
    await disk.remove(`${path}-2`)
    assert.equal(await disk.stat(`${path}-2`), undefined)
  })

  it('knows the free space of a directory that will be', async () => {
    assert.ok((await disk.freeBytes(join(dir, 'not', 'yet'))) > 0)
  })
})

describe('dropBytes', () => {
  it('drops whole buffers and the start of the next', () => {
    const text = (buffers: readonly Uint8Array[]): string[] => buffers.map((one) => Buffer.from(one).toString())
    const parts = ['ab', 'cde', 'f'].map((one) => Buffer.from(one))
    assert.deepEqual(text(dropBytes(parts, 0)), ['ab', 'cde', 'f'])
    assert.deepEqual(text(dropBytes(parts, 2)), ['cde', 'f'])
    assert.deepEqual(text(dropBytes(parts, 3)), ['de', 'f'])
    assert.deepEqual(text(dropBytes(parts, 6)), [])
  })
})

describe('real clock', () => {
  it('tells one time in its units', () => {
    const ns = clock.nowNs()
    const ms = clock.nowMs()
    assert.ok(Math.abs(Number(ns / 1_000_000n) - ms) < 1000)
  })

  it('sleeps until the signal says stop, and rejects with its reason', async () => {
    await clock.sleep(0)
    const stop = new AbortController()
    const sleeping = clock.sleep(60_000, stop.signal)
    const reason = new Error('enough')
    stop.abort(reason)
    await assert.rejects(sleeping, reason)
    await assert.rejects(clock.sleep(5, stop.signal), reason)
  })

  it('ticks until it is told to stop', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    let ticks = 0
    const stop = clock.every(1, () => {
      ticks++
      if (ticks === 2) resolve()
    })
    // the ticks alone do not keep the process alive
    const done = new AbortController()
    const alive = clock.sleep(10_000, done.signal).catch(() => undefined)
    await Promise.race([promise, alive])
    stop()
    done.abort()
    assert.equal(ticks, 2)
  })
})

describe('real random', () => {
  it('gives floats below one and as many bytes as asked', () => {
    const value = random.next()
    assert.ok(value >= 0 && value < 1)
    assert.equal(random.bytes(9).length, 9)
  })
})
