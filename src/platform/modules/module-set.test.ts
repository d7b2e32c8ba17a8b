import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { silentLogger } from '#/platform/telemetry/logger.ts'
import { ModuleSet, startOrder } from './module-set.ts'
import { defineModule, type Module, type ModuleContext, type Needs } from './module.ts'

type Hooks = { readonly onStart?: () => Promise<void>; readonly onStop?: () => Promise<void> }

/** A module that notes what happens to it. */
function noting(log: string[], name: string, needs: Needs = {}, { onStart, onStop }: Hooks = {}): Module<string> {
  return defineModule({
    name,
    needs,
    start: async (apis) => {
      log.push(`start ${name} ${JSON.stringify(Object.values(apis))}`)
      await onStart?.()
      const stop = async (): Promise<void> => {
        log.push(`stop ${name}`)
        await onStop?.()
      }
      return { api: `api of ${name}`, stop }
    },
  })
}

describe('ModuleSet', () => {
  it('starts by need, hands over what is offered, and stops in reverse', async () => {
    const log: string[] = []
    const store = noting(log, 'store')
    const http = noting(log, 'http')
    const ingester = noting(log, 'ingester', { store, http })
    const querier = noting(log, 'querier', { ingester, store })
    const set = new ModuleSet([querier, http], silentLogger)
    assert.deepEqual(new Set(set.services().map((one) => one.state)), new Set(['New']))
    await set.start()
    assert.deepEqual(log, [
      'start store []',
      'start http []',
      'start ingester ["api of store","api of http"]',
      'start querier ["api of ingester","api of store"]',
    ])
    assert.equal(set.api(querier), 'api of querier')
    assert.deepEqual(set.services()[3], { name: 'querier', state: 'Running' })
    log.length = 0
    assert.deepEqual(await set.stop(), [])
    assert.deepEqual(log, ['stop querier', 'stop ingester', 'stop http', 'stop store'])
    assert.deepEqual(new Set(set.services().map((one) => one.state)), new Set(['Terminated']))
    await set.stop()
    assert.equal(log.length, 4)
  })

  it('gives each need its own type', async () => {
    const count = defineModule({ name: 'count', needs: {}, start: async () => ({ api: { value: 2 } }) })
    const twice = defineModule({
      name: 'twice',
      needs: { count },
      start: async (needs) => ({ api: needs.count.value * 2 }),
    })
    const set = new ModuleSet([twice], silentLogger)
    await set.start()
    const api: number = set.api(twice)
    assert.equal(api, 4)
  })

  it('stops what runs when one fails to start', async () => {
    const log: string[] = []
    const store = noting(log, 'store')
    const bad = noting(log, 'bad', { store }, { onStart: () => Promise.reject(new Error('port in use')) })
    const late = noting(log, 'late', { bad })
    const set = new ModuleSet([late], silentLogger)
    await assert.rejects(set.start(), /^Error: module bad failed to start: port in use$/)
    assert.deepEqual(log, ['start store []', 'start bad ["api of store"]', 'stop store'])
    const states = set.services().map(({ state }) => state)
    assert.deepEqual(states, ['Terminated', 'Failed', 'New'])
    assert.throws(() => set.api(late), /module late is started/)
  })

  it('goes on stopping when one throws', async () => {
    const log: string[] = []
    const store = noting(log, 'store')
    const error = new Error('flush failed')
    const bad = noting(log, 'bad', { store }, { onStop: () => Promise.reject(error) })
    const set = new ModuleSet([bad], silentLogger)
    await set.start()
    assert.deepEqual(await set.stop(), [error])
    assert.deepEqual(log.slice(2), ['stop bad', 'stop store'])
    assert.deepEqual(set.services()[1], { name: 'bad', state: 'Failed' })
  })

  it('starts nothing more once a stop has begun', async () => {
    const log: string[] = []
    const { promise, resolve } = Promise.withResolvers<void>()
    const slow = noting(log, 'slow', {}, { onStart: () => promise })
    const next = noting(log, 'next', { slow })
    const set = new ModuleSet([next], silentLogger)
    const starting = set.start()
    const stopping = set.stop()
    resolve()
    await starting
    await stopping
    assert.deepEqual(
      log.filter((line) => line.includes('next')),
      [],
    )
    assert.ok(log.includes('stop slow'), 'what was starting is stopped too')
  })

  it('tells when a running module fails', async () => {
    let context: ModuleContext | undefined
    const part = defineModule({
      name: 'part',
      needs: {},
      start: async (_needs, given) => {
        context = given
        return { api: undefined }
      },
    })
    const set = new ModuleSet([part], silentLogger)
    await set.start()
    const error = new Error('disk is gone')
    context?.fail(error)
    assert.equal(await set.failure, error)
    assert.deepEqual(set.services(), [{ name: 'part', state: 'Failed' }])
    assert.equal(context?.signal.aborted, false)
    await set.stop()
    assert.equal(context?.signal.aborted, true)
    assert.deepEqual(set.services(), [{ name: 'part', state: 'Failed' }])
  })
})

describe('startOrder', () => {
  it('reports rings with their path', () => {
    const needs: Record<string, Module<unknown>> = {}
    const a = noting([], 'a', needs)
    const b = noting([], 'b', { a })
    const c = noting([], 'c', { b })
    needs['c'] = c
    assert.throws(() => startOrder([noting([], 'root', { b })]), /in a ring: b → a → c → b$/)
  })

  it('refuses two modules of one name', () => {
    assert.throws(() => startOrder([noting([], 'x'), noting([], 'x')]), /different names: x, x/)
  })
})
