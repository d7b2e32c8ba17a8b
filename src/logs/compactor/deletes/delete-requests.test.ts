import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { BadRequest, Corruption, LimitExceeded, NotFound } from '#/kernel/errors.ts'
import { limits, type Limits } from '#/logs/limits.ts'
import { defaultsOf } from '#/platform/config/option.ts'
import { MemoryStore } from '#/platform/objstore/memory.ts'
import { silentLogger } from '#/platform/telemetry/logger.ts'
import { realWorld } from '#/platform/world/real-world.ts'
import { StoredDeletes } from './delete-requests.ts'

const hourMs = 3_600_000
const request = { query: '{app="a"} |= "x"', startMs: 1000, endMs: 2000 }

/** One store, opened as often as a test likes, and a clock that stands still. */
class Setup {
  nowMs = Date.UTC(2026, 0, 1)
  mode: Limits['deletion_mode'] = 'filter-and-delete'
  readonly store = new MemoryStore(realWorld().clock)

  open(): Promise<StoredDeletes> {
    const { clock, random } = realWorld()
    const world = { clock: Object.assign(Object.create(clock) as typeof clock, { nowMs: () => this.nowMs }), random }
    const limitsOf = (): Limits => ({ ...defaultsOf(limits), deletion_mode: this.mode })
    const needs = { world, store: this.store, logger: silentLogger, limitsOf }
    return StoredDeletes.open({ cancelPeriodMs: hourMs, maxIntervalMs: hourMs }, needs)
  }
}

describe('delete requests', () => {
  it('are in force when they are made, for their tenant, and after a restart', async () => {
    const setup = new Setup()
    const deletes = await setup.open()
    const before = deletes.generation('t')
    const { id } = await deletes.create('t', request)
    assert.notEqual(deletes.generation('t'), before)
    for (const one of [deletes, await setup.open()]) {
      const [hidden, ...others] = one.hiddenRows('t')
      assert.deepEqual([hidden?.id, hidden?.query, others.length], [id, request.query, 0])
      // both milliseconds are included
      assert.deepEqual([hidden?.startNs, hidden?.endNs], [1_000_000_000n, 2_001_000_000n])
      assert.deepEqual(one.hiddenRows('u'), [])
    }
  })

  it('hide nothing of a tenant that may not delete, and erase nothing where hiding is enough', async () => {
    const setup = new Setup()
    const deletes = await setup.open()
    await deletes.create('t', request)
    setup.nowMs += hourMs + 1
    assert.equal(deletes.due('t').length, 1)
    setup.mode = 'filter-only'
    assert.deepEqual([deletes.due('t').length, deletes.hiddenRows('t').length], [0, 1])
    setup.mode = 'disabled'
    assert.deepEqual([deletes.due('t').length, deletes.hiddenRows('t').length], [0, 0])
  })

  it('are cancelled in time, later only by force, and never when they are erased', async () => {
    const setup = new Setup()
    const deletes = await setup.open()
    await assert.rejects(deletes.cancel('t', '00000000', { force: true }), NotFound)
    const early = await deletes.create('t', request)
    await assert.rejects(deletes.cancel('u', early.id, { force: true }), NotFound)
    setup.nowMs += hourMs
    await deletes.cancel('t', early.id, { force: false })
    assert.deepEqual(deletes.hiddenRows('t'), [])
    const late = await deletes.create('t', request)
    setup.nowMs += hourMs + 1
    await assert.rejects(deletes.cancel('t', late.id, { force: false }), BadRequest)
    await deletes.cancel('t', late.id, { force: true })
    const erased = await deletes.create('t', request)
    await deletes.change('t', erased.id, (now) => ({ ...now, state: 'erased', erasedMs: setup.nowMs }))
    await assert.rejects(deletes.cancel('t', erased.id, { force: true }), BadRequest)
    assert.deepEqual(deletes.hiddenRows('t'), [])
    assert.deepEqual(
      (await setup.open()).list('t').map(({ id }) => id),
      [erased.id],
    )
  })

  it('are refused beyond their limits', async () => {
    const deletes = await new Setup().open()
    const long = `{app="a"} |= "${'x'.repeat(17_000)}"`
    await assert.rejects(deletes.create('t', { ...request, query: long }), /exceeds 16384/)
    for (const query of [
      'rate({app="a"}[1m])',
      '{app="a"} | limit 3',
      '{app="a"} | distinct b',
      '{app="a"} | json | b in ({app="a"} | keep b)',
    ]) {
      await assert.rejects(deletes.create('t', { ...request, query }), BadRequest, query)
    }
    for (let i = 0; i < 100; i++) await deletes.create('t', request)
    await assert.rejects(deletes.create('t', request), LimitExceeded)
    await deletes.create('u', request)
  })

  it('stop the start when one is damaged', async () => {
    const setup = new Setup()
    const { id } = await (await setup.open()).create('t', request)
    await setup.store.put(`t/deletes/${id}.json`, [Buffer.from('{}')])
    await assert.rejects(setup.open(), Corruption)
  })
})
