import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import type { LabelPairs } from '#/ruler/model/sample.ts'
import { AlertTable, isDue } from './alert-table.ts'

const minute = 60_000
const a: LabelPairs = [['app', 'a']]
const b: LabelPairs = [['app', 'b']]

/** What a rule's alerts are after each minute, given the series that each evaluation finds: `a`, `b`, `ab` or nothing. */
function run(steps: readonly string[], holds: { for?: number; keep?: number }): string[] {
  const table = new AlertTable()
  return steps.map((step, index) => {
    const found = step.split('').map((name, value) => ({ labels: name === 'a' ? a : b, value }))
    table.update(found, index * minute, {
      forMs: (holds.for ?? 0) * minute,
      keepFiringForMs: (holds.keep ?? 0) * minute,
    })
    return [...table.all()].map(({ labels, state }) => `${labels[0]?.[1]}:${state}`).join(' ')
  })
}

describe('the states of alerts', () => {
  test('without for they fire at once, and are resolved', () => {
    assert.deepEqual(run(['', 'a', 'ab', 'b', ''], {}), [
      '',
      'a:firing',
      'a:firing b:firing',
      'a:inactive b:firing',
      'a:inactive b:inactive',
    ])
  })

  test('with for they are pending before; a gap begins anew', () => {
    assert.deepEqual(run(['a', 'a', '', 'a', 'a', 'a', 'a'], { for: 2 }), [
      'a:pending',
      'a:pending',
      '',
      'a:pending',
      'a:pending',
      'a:firing',
      'a:firing',
    ])
  })

  test('keep_firing_for goes on over gaps', () => {
    assert.deepEqual(run(['a', '', '', 'a', '', '', ''], { keep: 3 }), [
      'a:firing',
      'a:firing',
      'a:firing',
      'a:firing',
      'a:firing',
      'a:firing',
      'a:firing',
    ])
    assert.deepEqual(run(['a', '', '', ''], { keep: 2 }), ['a:firing', 'a:firing', 'a:firing', 'a:inactive'])
  })

  test('what is resolved is forgotten after 15 minutes, and comes back as new', () => {
    const states = run(['a', ...Array<string>(18).fill('')], {})
    assert.equal(states[16], 'a:inactive')
    assert.equal(states[17], '')
    const table = new AlertTable()
    const holds = { forMs: 0, keepFiringForMs: 0 }
    table.update([{ labels: a, value: 1 }], 0, holds)
    table.update([], minute, holds)
    table.update([{ labels: a, value: 2 }], 2 * minute, holds)
    const [alert] = table.active()
    assert.deepEqual([alert?.activeAtMs, alert?.firedAtMs, alert?.resolvedAtMs], [2 * minute, 2 * minute, undefined])
  })
})

test('an alert is told when it fires, again after the delay, and when it ends', () => {
  const table = new AlertTable()
  const holds = { forMs: minute, keepFiringForMs: 0 }
  const due = (nowMs: number, found: boolean): boolean => {
    table.update(found ? [{ labels: a, value: 1 }] : [], nowMs, holds)
    const [alert] = table.all()
    const isNow = alert !== undefined && isDue(alert, nowMs, 5 * minute)
    if (isNow) alert.lastSentMs = nowMs
    return isNow
  }
  const told = [0, 1, 2, 3, 4, 5, 6, 7].map((at) => due(at * minute, true))
  assert.deepEqual(told, [false, true, false, false, false, false, false, true])
  assert.deepEqual([due(8 * minute, false), due(9 * minute, false)], [true, false])
})

describe('after a restart', () => {
  const holds = { forMs: 30 * minute, keepFiringForMs: 0 }
  const restored = (state: 'pending' | 'firing', activeMinute: number): number | undefined => {
    const table = new AlertTable()
    const before = {
      labels: a,
      annotations: [],
      value: 1,
      state,
      activeAtMs: activeMinute * minute,
      firedAtMs: state === 'firing' ? activeMinute * minute : undefined,
      resolvedAtMs: undefined,
      lastSentMs: undefined,
      keepFiringSinceMs: undefined,
      lines: [],
    }
    // down from minute 20 to minute 40
    table.restore([before], holds, { nowMs: 40 * minute, downAtMs: 20 * minute, graceMs: 10 * minute })
    const [alert] = table.active()
    return alert && alert.activeAtMs / minute
  }

  test('time that nobody looked does not count', () => assert.equal(restored('pending', 10), 30))
  test('nothing fires within the grace period', () => assert.equal(restored('pending', -5), 20))
  test('what fires goes on', () => assert.equal(restored('firing', -50), -50))
})
