import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { BadRequest, Cancelled } from '#/kernel/errors.ts'
import { SharedRuns } from './shared-runs.ts'

type Started = {
  readonly signal: AbortSignal
  readonly began: () => void
  readonly answer: (value: unknown) => void
  readonly fail: (error: unknown) => void
}

/** Runs that end when the test says so. */
function setUp(): {
  runs: SharedRuns
  started: Started[]
  shared: () => number
  clock: { ms: number }
  ask: (key: string, signal?: AbortSignal) => Promise<unknown>
} {
  const clock = { ms: 0 }
  const started: Started[] = []
  let shared = 0
  const runs = new SharedRuns({ clock: { monotonicMs: () => clock.ms }, onShared: () => shared++ })
  const ask = (key: string, signal = new AbortController().signal): Promise<unknown> =>
    runs.run(key, signal, (ofRun, began) => {
      const { promise, resolve, reject } = Promise.withResolvers<unknown>()
      started.push({ signal: ofRun, began, answer: resolve, fail: reject })
      ofRun.addEventListener('abort', () => reject(ofRun.reason))
      return promise
    })
  return { runs, started, shared: () => shared, clock, ask }
}

describe('SharedRuns', () => {
  it('runs once for all who ask the same, and forgets', async () => {
    const { runs, started, shared, ask } = setUp()
    const asked = [ask('a'), ask('a'), ask('b'), ask('a')]
    assert.deepEqual([started.length, shared(), runs.size], [2, 2, 2])
    const answer = { kind: 'a' }
    started[0]!.answer(answer)
    started[1]!.answer('b')
    const answers = await Promise.all(asked)
    assert.deepEqual(answers, [answer, answer, 'b', answer])
    assert.equal(answers[0], answers[3])
    assert.equal(runs.size, 0)
    void ask('a')
    assert.equal(started.length, 3)
  })

  it('gives everybody the error', async () => {
    const { started, ask } = setUp()
    const asked = [ask('a'), ask('a')]
    const error = new BadRequest('no')
    started[0]!.fail(error)
    for (const one of await Promise.allSettled(asked)) assert.equal((one as PromiseRejectedResult).reason, error)
  })

  it('goes on when the one who began leaves', async () => {
    const { started, ask } = setUp()
    const leader = new AbortController()
    const asked = [ask('a', leader.signal), ask('a')]
    leader.abort()
    await assert.rejects(asked[0]!, Cancelled)
    assert.equal(started[0]!.signal.aborted, false)
    started[0]!.answer(1)
    assert.equal(await asked[1], 1)
  })

  it('goes on when one who joined leaves', async () => {
    const { started, ask } = setUp()
    const joined = new AbortController()
    const asked = [ask('a'), ask('a', joined.signal)]
    joined.abort()
    await assert.rejects(asked[1]!, Cancelled)
    assert.equal(started[0]!.signal.aborted, false)
    started[0]!.answer(1)
    assert.equal(await asked[0], 1)
  })

  it('ends when the last one leaves, who waits for the end; nobody joins it any more', async () => {
    const { started, ask, runs } = setUp()
    const [leader, joined] = [new AbortController(), new AbortController()]
    const asked = [ask('a', leader.signal), ask('a', joined.signal)]
    leader.abort()
    joined.abort(new Cancelled('left'))
    assert.equal(started[0]!.signal.aborted, true)
    assert.equal(runs.size, 0)
    const later = ask('a')
    assert.equal(started.length, 2)
    await assert.rejects(asked[0]!, Cancelled)
    await assert.rejects(asked[1]!, /left/)
    started[1]!.answer(2)
    assert.equal(await later, 2)
  })

  it('takes in others while it waits for its turn, and for a second from then on', async () => {
    const { started, ask, clock } = setUp()
    void ask('a')
    clock.ms = 60_000
    void ask('a')
    started[0]!.began()
    clock.ms += 1000
    void ask('a')
    assert.equal(started.length, 1)
    clock.ms += 1
    const late = ask('a')
    assert.equal(started.length, 2, 'who asks later gets newer data')
    void ask('a')
    assert.equal(started.length, 2)
    started[0]!.answer('old')
    started[1]!.answer('new')
    assert.equal(await late, 'new')
  })

  it('does nothing for who has left already', async () => {
    const { started, ask } = setUp()
    await assert.rejects(ask('a', AbortSignal.abort()), Cancelled)
    assert.equal(started.length, 0)
  })
})
