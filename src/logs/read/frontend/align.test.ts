import assert from 'node:assert/strict'
import { test } from 'node:test'

import { alignToStep } from './align.ts'

test('start goes down and end up to multiples of the step, also before the epoch', () => {
  assert.deepEqual(alignToStep({ startNs: 61n, endNs: 119n, stepNs: 60n }), { startNs: 60n, endNs: 120n, stepNs: 60n })
  assert.deepEqual(alignToStep({ startNs: 60n, endNs: 120n, stepNs: 60n }), { startNs: 60n, endNs: 120n, stepNs: 60n })
  assert.deepEqual(alignToStep({ startNs: -61n, endNs: -59n, stepNs: 60n }), { startNs: -120n, endNs: 0n, stepNs: 60n })
})
