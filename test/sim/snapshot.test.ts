/**
 * Snapshots in the simulated world. Every disk operation of making one and of restoring one goes wrong once, in every way; a
 * snapshot is there whole or not at all, a restored directory is what was acknowledged, once, or no server takes it.
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { createSnapshot } from '#/logs/keeper/snapshot/create-snapshot.ts'
import { deleteSnapshot } from '#/logs/keeper/snapshot/delete-snapshot.ts'
import { listSnapshots } from '#/logs/keeper/snapshot/list-snapshots.ts'
import { refuseUnfinishedRestore, restoreSnapshot } from '#/logs/keeper/snapshot/restore-snapshot.ts'
import { SnapshotFolder } from '#/logs/keeper/snapshot/snapshot-folder.ts'
import type { PlainEntry } from '#/logs/wire/entry-batch-builder.ts'
import type { SnapshotInfo } from '#/logs/wire/snapshot.ts'
import { FilesystemStore } from '#/platform/objstore/filesystem.ts'
import { silentLogger } from '#/platform/telemetry/logger.ts'
import type { BlockMeta } from '#/storage/block/meta.ts'
import { Catalog } from '#/storage/catalog/catalog.ts'
import { blockDir, IngesterHarness } from './ingester-harness.ts'
import { plainRow, readBlock } from './read-rows.ts'
import type { FaultKind } from './world/sim-disk.ts'

const noon = BigInt(Date.UTC(2026, 0, 15, 12)) * 1_000_000n
const nsPerDay = 86_400_000_000_000n
const tenants = ['a', 'b']
const snapshots = '/snapshots'
const none = new AbortController().signal

function entriesOf(tenant: string, number: number): PlainEntry[] {
  return [0, 1, 2].map((i) => ({
    stream: `{app="${tenant}${i % 2}"}`,
    timeNs: noon + BigInt(number * 10 + i) - (i === 2 ? nsPerDay : 0n),
    line: `${tenant}${number}.${i} `.padEnd(60 + 200 * i, '-'),
  }))
}

/** Pushes three entries of each tenant; gives them as rows. */
async function pushAll(t: IngesterHarness, number: number): Promise<string[]> {
  const rows: string[] = []
  for (const tenant of tenants) {
    const entries = entriesOf(tenant, number)
    await t.push(entries, tenant)
    rows.push(...entries.map(plainRow))
  }
  return rows
}

function create(t: IngesterHarness, name: string, mayLink: boolean): Promise<SnapshotInfo> {
  const world = { ...t.world, disk: t.world.disk.session() }
  return createSnapshot({
    world,
    folder: new SnapshotFolder(world, snapshots),
    store: t.store,
    catalog: t.catalog,
    flush: () => t.ingester.flush(undefined),
    ...(mayLink && { pathOf: (key: string) => `${blockDir}/${key}` }),
    name,
    send: () => undefined,
    signal: none,
  })
}

const namesOf = async (t: IngesterHarness): Promise<string[]> => {
  const found = await Array.fromAsync(listSnapshots(t.world, snapshots, none))
  for (const { problem } of found) assert.equal(problem, undefined)
  return found.map(({ name }) => name)
}

async function restore(t: IngesterHarness, name: string, to: string): Promise<void> {
  const world = { ...t.world, disk: t.world.disk.session() }
  await restoreSnapshot({ world, from: snapshots, name, to, onProgress: () => undefined, signal: none })
}

/** What a server would find that starts in a restored directory. */
async function rowsIn(t: IngesterHarness, directory: string): Promise<string[]> {
  const root = `${directory}/blocks`
  await refuseUnfinishedRestore(t.world.disk, root)
  const store = await FilesystemStore.open({ ...t.world, root })
  const catalog = await Catalog.open({ store, logger: silentLogger })
  assert.deepEqual(catalog.damaged(), [])
  const rows: string[] = []
  for (const tenant of tenants) {
    for (const meta of catalog.list(tenant, -Infinity, Infinity)) rows.push(...(await readBlock(meta, store)))
  }
  return rows.toSorted()
}

type Run = {
  readonly t: IngesterHarness
  /** What each snapshot must hold. */
  readonly expected: Map<string, string[]>
  /** Those that were acknowledged. */
  readonly made: string[]
}
const newRun = (seed: number): Run => ({ t: new IngesterHarness(seed), expected: new Map(), made: [] })

/** Two snapshots with pushes before, between and after. */
async function scenario({ t, expected, made }: Run, mayLink: boolean): Promise<void> {
  const rows: string[] = []
  await t.start()
  rows.push(...(await pushAll(t, 0)))
  await t.ingester.flush('a')
  rows.push(...(await pushAll(t, 1)))
  await t.store.put('a/rules/ns/group', [Buffer.from('name: group\n')])
  expected.set('one', [...rows])
  await create(t, 'one', mayLink)
  made.push('one')
  rows.push(...(await pushAll(t, 2)))
  expected.set('two', [...rows])
  await create(t, 'two', mayLink)
  made.push('two')
  await pushAll(t, 3)
}

/** What is acknowledged before a snapshot begins is in it; what was pushed since may be. */
function checkRows(found: readonly string[], least: readonly string[], context: string): void {
  assert.equal(new Set(found).size, found.length, `${context}: a row is there twice`)
  const seen = new Set(found)
  for (const row of least) assert.ok(seen.has(row), `${context}: lost ${row}`)
  assert.equal(found.length, least.length, `${context}: rows that nobody sent`)
}

/** Of the operations that a fault can hit, every so many are hit. */
const faults: readonly (readonly [FaultKind, RegExp, every: number])[] = [
  ['crash-before', /^(?:append|writeFile|openAppend|makeDir|sync|syncDir|rename|remove|truncate|link) /, 2],
  ['torn', /^(?:append|writeFile|sync) /, 1],
  ['EIO', /./, 7],
  ['ENOSPC', /^(?:append|writeFile|openAppend|makeDir|link) /, 3],
]

for (const mayLink of [false, true]) {
  describe(`every disk operation of making a snapshot goes wrong once, ${mayLink ? 'links' : 'copies'}`, async () => {
    const whole: Run = newRun(51)
    await scenario(whole, mayLink)
    const { journal } = whole.t.world.disk
    const first = journal.findIndex((what) => what.includes(snapshots))
    for (const [kind, pattern, every] of faults) {
      it(kind, async () => {
        let count = 0
        for (let at = first; at < journal.length; at++) {
          // those of flushes have a test of their own
          if (!pattern.test(journal[at]!) || !journal[at]!.includes(snapshots)) continue
          if (count++ % every > 0) continue
          const context = `${kind} at ${at}, ${journal[at]}`
          const run: Run = newRun(51)
          const { t, expected, made } = run
          t.world.disk.failAt(at, kind)
          await scenario(run, mayLink).catch(() => undefined)
          t.world.clock.clear()
          t.world.disk.crash()
          const names = await namesOf(t)
          for (const name of made) assert.ok(names.includes(name), `${context}: ${name} was acknowledged`)
          await t.start()
          for (const name of names) {
            await restore(t, name, `/restored/${name}`)
            checkRows(await rowsIn(t, `/restored/${name}`), expected.get(name)!, `${context}, ${name}`)
          }
          // and the next one goes as if nothing had been
          if (count % 4 > 0) continue
          await create(t, 'three', mayLink)
          await restore(t, 'three', '/restored/three')
          const all = (await Promise.all(tenants.map((tenant) => t.rows(tenant)))).flat()
          checkRows(await rowsIn(t, '/restored/three'), all, `${context}, three`)
        }
        assert.ok(count > 10, `${count} operations`)
      })
    }
  })
}

describe('every disk operation of a restore goes wrong once', async () => {
  const made = async (): Promise<Run> => {
    const run: Run = newRun(52)
    await run.t.start()
    run.expected.set('two', await pushAll(run.t, 0))
    await run.t.store.put('a/rules/ns/group', [Buffer.from('name: group\n')])
    await create(run.t, 'two', false)
    await run.t.ingester.shutdown({ flush: false, deadlineMs: 1000 })
    return run
  }
  const { t: sample } = await made()
  const first = sample.world.disk.operations
  await restore(sample, 'two', '/restored')
  const { journal } = sample.world.disk
  for (const [kind, pattern, every] of faults) {
    it(kind, async () => {
      let count = 0
      for (let at = first; at < journal.length; at++) {
        if (!pattern.test(journal[at]!) || count++ % every > 0) continue
        const context = `${kind} at ${at}, ${journal[at]}`
        const { t, expected } = await made()
        t.world.disk.failAt(at, kind)
        const isDone = await restore(t, 'two', '/restored').then(
          () => true,
          () => false,
        )
        t.world.disk.crash()
        // a start before the restore is repeated finds everything, nothing, or says no
        const found = await rowsIn(t, '/restored').catch((error: Error) => {
          assert.match(error.message, /holds a restore that was not finished/, context)
          return undefined
        })
        if (found !== undefined && found.length > 0) checkRows(found, expected.get('two')!, context)
        if (isDone) assert.ok(found !== undefined && found.length > 0, `${context}: it said that it was done`)
        if (found !== undefined && found.length > 0) continue
        await restore(t, 'two', '/restored')
        checkRows(await rowsIn(t, '/restored'), expected.get('two')!, `${context}, again`)
        assert.equal(
          t.world.disk.contentOf('/restored/blocks/a/rules/ns/group').toString(),
          'name: group\n',
          `${context}: rules`,
        )
      }
    })
  }
})

describe('a snapshot', () => {
  it('shares the blocks of the one before', async () => {
    const run: Run = newRun(53)
    await scenario(run, false)
    const { t } = run
    const reads = t.world.disk.operations
    const info = await create(t, 'three', false)
    assert.equal(info.objects, 14 + 4 + 1, 'blocks, day files, rules')
    const wrote = t.world.disk.journal.slice(reads).filter((what) => /^rename .*blocks\/.*edda$/.test(what))
    assert.equal(wrote.filter((what) => what.includes(' /snapshots/blocks/')).length, 4, 'those of the last push')
    assert.ok(info.newBytes! < info.bytes, `${info.newBytes} of ${info.bytes}`)
  })

  it('takes a day anew when a merge removes a block under the copy', async () => {
    const t = await new IngesterHarness(54).start()
    const rows = await pushAll(t, 0)
    await t.ingester.flush(undefined)
    rows.push(...(await pushAll(t, 1)))
    await t.ingester.flush(undefined)
    const day = t.catalog.list('a', -Infinity, Infinity)[0]!.day
    const old = t.catalog.list('a', day, day)
    let merged = false
    const { store } = t
    const readInto = store.readInto.bind(store)
    // the moment before the second block is read, it is replaced by another name for the same rows, and removed
    store.readInto = async (key, offset, target, signal) => {
      if (key === old[1]!.key && !merged) {
        merged = true
        const copy: BlockMeta = { ...old[1]!, key: old[1]!.key.replace(/[0-9A-Z]{26}/, '01ARZ3NDEKTSV4RRFFQ69G5FAV') }
        await store.put(copy.key, [await store.get(key)])
        await t.catalog.replace([old[1]!], [copy])
        await store.delete(key)
      }
      return readInto(key, offset, target, signal)
    }
    await create(t, 'one', false)
    assert.ok(merged)
    await restore(t, 'one', '/restored')
    checkRows(await rowsIn(t, '/restored'), rows, 'merged meanwhile')
  })

  it('does not name a block that the store has lost', async () => {
    const t = await new IngesterHarness(55).start()
    await pushAll(t, 0)
    await t.ingester.flush(undefined)
    const { key } = t.catalog.list('a', -Infinity, Infinity)[0]!
    await t.store.delete(key)
    await assert.rejects(create(t, 'one', true), { code: 'corruption', message: /edda doctor/ })
    assert.deepEqual(await namesOf(t), [])
  })

  it('takes with it what no other one needs, whenever that is cut short', async () => {
    const newest = newRun(59)
    await scenario(newest, false)
    const first = newest.t.world.disk.operations
    await deleteSnapshot(newest.t.world, snapshots, 'one', none)
    const { journal } = newest.t.world.disk
    for (let at = first; at < journal.length; at += 3) {
      const { t, expected, ...run } = newRun(59)
      await scenario({ t, expected, ...run }, false)
      t.world.disk.failAt(at, 'crash-before')
      await deleteSnapshot({ ...t.world, disk: t.world.disk.session() }, snapshots, 'one', none).catch(() => undefined)
      t.world.disk.crash()
      const context = `crash before ${at}, ${journal[at]}`
      assert.ok((await namesOf(t)).includes('two'), context)
      await restore(t, 'two', '/restored')
      checkRows(await rowsIn(t, '/restored'), expected.get('two')!, context)
      // the last one takes everything
      for (const name of await namesOf(t)) await deleteSnapshot(t.world, snapshots, name, none)
      assert.deepEqual(
        t.world.disk.paths().filter((path) => /^\/snapshots\/(?!\.tmp)/.test(path)),
        [],
        context,
      )
    }
    await assert.rejects(deleteSnapshot(newest.t.world, snapshots, 'one', none), { code: 'not_found' })
  })

  it('refuses names that are taken or lead elsewhere', async () => {
    const t = await new IngesterHarness(56).start()
    await create(t, 'one', true)
    await assert.rejects(create(t, 'one', true), { code: 'bad_request', message: /there is a snapshot 'one' already/ })
    for (const name of ['', '..', '../x', 'a/b', '.tmp', 'x.snapshot', 'a'.repeat(101)]) {
      await assert.rejects(create(t, name, true), { code: 'bad_request' }, name)
    }
  })
})

describe('a restore', () => {
  it('finds every flipped bit of a snapshot, and then no server starts', async () => {
    const run: Run = newRun(57)
    await scenario(run, false)
    const { t } = run
    const files = t.world.disk.paths().filter((path) => path.startsWith(`${snapshots}/`))
    let restored = 0
    for (const [i, path] of files.entries()) {
      const size = t.world.disk.contentOf(path).length
      const offset = (i * 7919) % size
      t.world.disk.flipBit(path, offset, i % 8)
      const to = `/restored/${i}`
      const failure = await restore(t, 'two', to).catch((error: Error) => error)
      t.world.disk.flipBit(path, offset, i % 8)
      const isOther = path.includes('/state/one/') || path.endsWith('/one.snapshot')
      if (isOther) assert.equal(failure, undefined, path)
      else {
        assert.match(failure?.message ?? '', /corruption in|is damaged/, path)
        assert.ok(failure!.message.includes(path), `${failure!.message} names ${path}`)
        assert.equal(
          await rowsIn(t, to).then(
            (rows) => rows.length,
            () => 0,
          ),
          0,
          path,
        )
        restored++
      }
    }
    assert.ok(restored > 5)
  })

  it('goes into an empty directory only', async () => {
    const run: Run = newRun(58)
    await scenario(run, false)
    const { t } = run
    await assert.rejects(restore(t, 'two', '/data'), { code: 'bad_request', message: /is not empty/ })
    t.world.disk.plant('/other/file', Buffer.from('x'))
    await assert.rejects(restore(t, 'two', '/other'), { code: 'bad_request', message: /is not empty/ })
    await assert.rejects(restore(t, 'never', '/new'), { code: 'not_found' })
  })
})
