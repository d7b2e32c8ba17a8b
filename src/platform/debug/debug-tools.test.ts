import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { describe, it } from 'node:test'
import { Worker } from 'node:worker_threads'

import { Unavailable } from '#/kernel/errors.ts'
import { realWorld } from '#/platform/world/real-world.ts'
import { type DebugDeps, DebugTools, mainThread } from './debug-tools.ts'

const { clock } = realWorld()

function toolsWith(deps: Partial<DebugDeps> = {}): DebugTools {
  return new DebugTools({ clock, workers: () => [], availableBytes: () => Number.MAX_SAFE_INTEGER, ...deps })
}

async function startWorker(): Promise<Worker> {
  // waits as the pool's threads do: blocked, not in its event loop
  const worker = new Worker('Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)', { eval: true })
  await once(worker, 'online')
  return worker
}

describe('DebugTools', () => {
  it('profiles the main thread, and a worker that waits', async () => {
    const worker = await startWorker()
    try {
      const tools = toolsWith({ workers: () => [worker] })
      for (const thread of [mainThread, worker.threadId]) {
        const profile = JSON.parse(await tools.cpuProfile(thread, 50, new AbortController().signal)) as object
        assert.deepEqual(Object.keys(profile).toSorted().slice(0, 3), ['endTime', 'nodes', 'samples'], String(thread))
      }
      const [report] = await tools.threads()
      assert.ok(report !== undefined && report.thread === worker.threadId && report.heapUsedBytes > 0)
    } finally {
      await worker.terminate()
    }
  })

  it('ends a profile when its client leaves, and is free again', async () => {
    const tools = toolsWith()
    const gone = new AbortController()
    const running = tools.cpuProfile(mainThread, 60_000, gone.signal)
    await assert.rejects(tools.cpuProfile(mainThread, 10, gone.signal), Unavailable)
    gone.abort(new Error('gone'))
    await assert.rejects(running, /gone/)
    await tools.cpuProfile(mainThread, 1, new AbortController().signal)
  })

  it('refuses a snapshot when memory is short, and then has nothing open', () => {
    const tools = toolsWith({ availableBytes: () => 1_000_000 })
    const message = /a snapshot of \d+ bytes of heap may take \d+ bytes of memory, 1000000 are free/
    assert.throws(() => tools.heapSnapshot(), message)
    assert.throws(() => tools.heapSnapshot(), message)
  })

  it('takes one snapshot at a time, until it is read or given up', async () => {
    const tools = toolsWith()
    const first = tools.heapSnapshot()
    assert.throws(() => tools.heapSnapshot(), /a heap snapshot is being taken, one at a time/)
    first.destroy()
    await once(first, 'close')
    const [head] = (await once(
      tools.heapSnapshot().once('data', function end(this: Readable) {
        this.destroy()
      }),
      'data',
    )) as [Buffer]
    assert.ok(head.toString().startsWith('{"snapshot"'))
    for (let turns = 0; ; turns++) {
      await clock.sleep(5)
      try {
        tools.heapSnapshot().destroy()
        break
      } catch (error) {
        // the one before is not given up yet
        if (turns === 1000) throw error
      }
    }
  })
})
