import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'

import { Corruption, EddaError, TimedOut } from '#/kernel/errors.ts'
import { realWorld } from '#/platform/world/real-world.ts'
import type { SampleInput } from './testdata/sample.worker.ts'
import { type TaskOptions, WorkerPool, WorkerCrashed, type WorkerPoolOptions } from './worker-pool.ts'

const task = new URL('./testdata/sample.worker.ts', import.meta.url)
const { clock } = realWorld()
const query: TaskOptions = { priority: 'query' }
const background: TaskOptions = { priority: 'background' }
const pools: WorkerPool[] = []
after(() => Promise.all(pools.map((pool) => pool.close(0))))

function open(options: Partial<WorkerPoolOptions> = {}): WorkerPool {
  const pool = new WorkerPool({ clock, threads: 1, ...options })
  pools.push(pool)
  return pool
}

const start = <Out>(pool: WorkerPool, input: SampleInput, options = query): Promise<Out> =>
  pool.run<Out>(task, input, options)

/** Keeps threads busy until it is opened. */
function newGate(): { input: SampleInput; open: () => void; held: (count: number) => Promise<void> } {
  const gate = new SharedArrayBuffer(8)
  const cells = new Int32Array(gate)
  return {
    input: { kind: 'hold', gate },
    open: () => {
      Atomics.store(cells, 0, 1)
      Atomics.notify(cells, 0)
    },
    held: async (count) => {
      while (Atomics.load(cells, 1) < count) await clock.sleep(1)
    },
  }
}

describe('WorkerPool', () => {
  it('runs a TypeScript task file and gives its result', async () => {
    const pool = open()
    assert.equal(await start(pool, { kind: 'double', value: 21 }), 42)
    assert.equal(await pool.run(task.href, { kind: 'double', value: 4 }, query), 8)
    const { completed, busySeconds, crashes } = pool.stats()
    assert.equal(completed, 2)
    assert.equal(crashes, 0)
    assert.ok(busySeconds > 0)
  })

  it('shares and moves memory', async () => {
    const pool = open()
    const shared = new SharedArrayBuffer(4)
    assert.equal(await start(pool, { kind: 'fill', shared }), 4)
    assert.deepEqual([...new Uint8Array(shared)], [7, 7, 7, 7])
    const buffer = new ArrayBuffer(100)
    const input: SampleInput = { kind: 'move', buffer }
    const answer = await start<{ moved: ArrayBuffer; sizeBytes: number }>(pool, input, { ...query, transfer: [buffer] })
    assert.equal(buffer.byteLength, 0)
    assert.equal(answer.moved.byteLength, 100)
    assert.equal(answer.sizeBytes, 100)
  })

  it('passes errors on with code, file, offset and the stack of the worker', async () => {
    const pool = open()
    await assert.rejects(start(pool, { kind: 'limit' }), (error: EddaError) => {
      assert.ok(error instanceof EddaError)
      assert.equal(error.code, 'limit_exceeded')
      assert.equal(error.message, 'too much')
      assert.equal(error.retryAfterSeconds, 7)
      return true
    })
    await assert.rejects(start(pool, { kind: 'corrupt' }), (error: Corruption) => {
      assert.ok(error instanceof Corruption)
      assert.equal(error.message, 'corruption in f at byte 9: bad checksum')
      assert.deepEqual([error.file, error.offset], ['f', 9])
      return true
    })
    await assert.rejects(start(pool, { kind: 'bug' }), (error: Error) => {
      assert.ok(!(error instanceof EddaError))
      assert.match(error.stack ?? '', /sample\.worker\.ts/)
      return true
    })
    assert.equal(pool.stats().crashes, 0)
  })

  it('replaces a thread that dies and tells its task', async () => {
    const pool = open()
    await assert.rejects(start(pool, { kind: 'exit' }), (error: Error) => {
      assert.ok(error instanceof WorkerCrashed)
      assert.match(error.message, /^worker crashed while running sample\.worker\.ts: /)
      return true
    })
    assert.equal(pool.stats().crashes, 1)
    assert.equal(await start(pool, { kind: 'double', value: 1 }), 2)
  })

  it('tells which file it could not load', async () => {
    await assert.rejects(
      open().run('/no/such/file.worker.ts', {}, query),
      /worker crashed while running file\.worker\.ts/,
    )
  })

  it('refuses beyond the limit, and lets waiting tasks leave', async () => {
    const pool = open({ maxWaiting: 2 })
    const gate = newGate()
    const running = start(pool, gate.input)
    await gate.held(1)
    const stop = new AbortController()
    const leaving = start(pool, { kind: 'double', value: 1 }, { ...query, signal: stop.signal })
    const waiting = start(pool, { kind: 'double', value: 2 }, background)
    assert.deepEqual(pool.stats().waiting, { query: 1, background: 1 })
    await assert.rejects(start(pool, { kind: 'double', value: 3 }), { code: 'unavailable', message: /limit is 2$/ })
    stop.abort(new TimedOut('too late'))
    await assert.rejects(leaving, { code: 'timeout', message: 'too late' })
    assert.deepEqual(pool.stats().waiting, { query: 0, background: 1 })
    gate.open()
    assert.equal(await running, 'held')
    assert.equal(await waiting, 4)
    await assert.rejects(start(pool, { kind: 'double', value: 1 }, { ...query, signal: stop.signal }), {
      code: 'timeout',
    })
  })

  it('lets a running task see that nobody waits any more', async () => {
    const pool = open()
    await start(pool, { kind: 'double', value: 1 })
    const stop = new AbortController()
    const spinning = start(pool, { kind: 'spin' }, { ...query, signal: stop.signal })
    stop.abort()
    await assert.rejects(spinning, { code: 'cancelled' })
    assert.equal(pool.stats().crashes, 0, 'the thread lives')
    assert.equal(pool.stats().running, 0)
  })

  it('kills a thread that does not listen', async () => {
    const pool = open({ cancelGraceMs: 20 })
    const stop = new AbortController()
    const hanging = start(pool, { kind: 'hang' }, { ...query, signal: stop.signal })
    stop.abort()
    await assert.rejects(hanging, { code: 'cancelled' })
    assert.equal(pool.stats().crashes, 1)
    assert.equal(await start(pool, { kind: 'double', value: 5 }), 10)
  })

  it('prefers queries, but never starves background work', async () => {
    const pool = open()
    const gate = newGate()
    const running = start(pool, gate.input)
    await gate.held(1)
    const order: string[] = []
    const note = (name: string, options: TaskOptions): Promise<unknown> =>
      start(pool, { kind: 'double', value: 1 }, options).then(() => order.push(name))
    const all = [note('b1', background), note('b2', background)]
    for (let index = 0; index < 6; index++) all.push(note('q', query))
    gate.open()
    await Promise.all([running, ...all])
    assert.deepEqual(order, ['q', 'q', 'q', 'b1', 'q', 'q', 'q', 'b2'])
  })

  it('keeps one of several threads free of background work', async () => {
    const pool = open({ threads: 2 })
    const gate = newGate()
    const held = [start(pool, gate.input, background), start(pool, gate.input, background)]
    await gate.held(1)
    assert.equal(await start(pool, { kind: 'double', value: 8 }), 16)
    assert.deepEqual(pool.stats().waiting, { query: 0, background: 1 })
    gate.open()
    assert.deepEqual(await Promise.all(held), ['held', 'held'])
  })

  it('closes: waiting tasks are refused, running ones finish', async () => {
    const pool = open()
    const gate = newGate()
    const running = start(pool, gate.input)
    await gate.held(1)
    const waiting = start(pool, { kind: 'double', value: 1 })
    const closed = pool.close()
    await assert.rejects(waiting, { code: 'unavailable' })
    gate.open()
    assert.equal(await running, 'held')
    await closed
    await assert.rejects(start(pool, { kind: 'double', value: 1 }), { code: 'unavailable' })
  })
})
