/**
 * Kills the agent at every step that it takes on disk or wire, in three ways (before the step, half way through a write, after
 * it but before anybody hears of it), starts another one on what is left, and wants every line exactly once.
 */
import assert from 'node:assert/strict'
import { copyFileSync, existsSync, renameSync, truncateSync } from 'node:fs'
import { test } from 'node:test'

import { silentLogger } from '#/platform/telemetry/logger.ts'
import { startAgent } from './agent.ts'
import { AgentBench, MortalWorld, type KillPoint } from './testing-loki.ts'

const lines = Array.from({ length: 60 }, (_, index) => (index % 3 === 0 ? 'the same again' : `line ${index}`))
const text = (from: number, to: number): string =>
  lines
    .slice(from, to)
    .map((line) => `${line}\n`)
    .join('')

const moments = ['before', 'torn', 'after'] as const

type Happening = 'nothing' | 'rotation' | 'truncation'

/** One life that ends at `kill`, and a second one; returns the steps of the first. */
async function live(kill: KillPoint | undefined, happening: Happening): Promise<number> {
  await using bench = new AgentBench()
  const first = new MortalWorld(bench.loki, kill)
  bench.append('a.log', text(0, 30))
  // small batches: several wait at once. The dead agent is left alone, as a killed process would be
  const values = { batch_size: 120, stop_timeout: 1, positions_sync_period: 3 }
  const starting = startAgent(bench.config(values), first.world, silentLogger, first.transport)
  const isOver = (): boolean => first.isDead || bench.loki.received.length >= 30
  await bench.until(isOver, () => 'the first life')
  // stopping takes steps too, and may be the death of it
  let isStopped = false
  if (!first.isDead) void starting.then((agent) => agent.stop()).then(() => (isStopped = true))
  await bench.until(
    () => isStopped || first.isDead,
    () => 'the end of the first life',
  )
  await first.closeFiles()
  // with everything read, a rotation or truncation takes away nothing that was unread
  const wasSeen = existsSync(bench.path('state/positions.json'))
  const allRead = bench.loki.received.length >= 30
  if (happening === 'rotation' && wasSeen) renameSync(bench.path('a.log'), bench.path('a.log.1'))
  if (happening === 'truncation' && allRead) {
    copyFileSync(bench.path('a.log'), bench.path('a.copy'))
    truncateSync(bench.path('a.log'))
  }
  bench.append('a.log', text(30, 60))
  await bench.start(values)
  await bench.untilLines(60)
  assert.deepEqual(bench.loki.lines().toSorted(), lines.toSorted(), `killed ${JSON.stringify(kill)}, ${happening}`)
  return first.steps
}

for (const happening of ['nothing', 'rotation', 'truncation'] as const) {
  test(`killed at every step, with ${happening} before the restart: every line once`, async () => {
    const steps = await live(undefined, happening)
    assert.ok(steps > 20, `the agent took ${steps} steps`)
    for (let step = 1; step <= Math.min(steps, 24); step++) {
      // with a rotation or truncation on top, one moment a step, in turn: the test is to end in seconds
      const chosen = happening === 'nothing' ? moments : moments.slice(step % 3, (step % 3) + 1)
      for (const moment of chosen) await live({ step, moment }, happening)
    }
  })
}
