/**
 * Deletes and retention on a disk on which every operation goes wrong once, in each way: what an acknowledged request hides is never
 * seen again, everything else is there exactly once at all times, and in the end nothing of what should be gone is stored anywhere.
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { limits, type Limits } from '#/logs/limits.ts'
import type { PlainEntry } from '#/logs/wire/entry-batch-builder.ts'
import { defaultsOf } from '#/platform/config/option.ts'
import { EraseHarness } from './erase-harness.ts'
import type { FaultKind } from './world/sim-disk.ts'

const noonMs = Date.UTC(2026, 0, 15, 12)
const hourMs = 3_600_000
const query = '{app="1"} |= "secret"'

/** Lines of two streams; those of tenant `b` with app 1 are kept for a day only. */
function batch(tenant: string, number: number): PlainEntry[] {
  return Array.from({ length: 6 }, (_, i) => ({
    stream: `{app="${i % 2}"}`,
    timeNs: BigInt(noonMs) * 1_000_000n - BigInt(i) * 1_000_000_000n + BigInt(number),
    line: `${tenant}${i % 2} ${number}.${i} ${i < 4 ? 'secret' : 'plain'} `.padEnd(60, '-'),
  }))
}

const isDeleted = (line: string): boolean => line.startsWith('a1') && line.includes('secret')
const isExpired = (line: string): boolean => line.startsWith('b1')

function limitsOf(tenant: string): Limits {
  const rule = { selector: '{app="1"}', priority: 1, periodMs: 24 * hourMs }
  return { ...defaultsOf(limits), retention_stream: tenant === 'b' ? [rule] : [] }
}

async function fill(t: EraseHarness): Promise<Map<string, string[]>> {
  t.limitsOf = limitsOf
  await t.start()
  for (const tenant of ['a', 'b']) await t.push(batch(tenant, 0), tenant)
  await t.ingester.flush(undefined)
  for (const tenant of ['a', 'b']) await t.push(batch(tenant, 1), tenant)
  return new Map(
    ['a', 'b'].map((tenant) => [
      tenant,
      [0, 1].flatMap((number) => batch(tenant, number).map(({ line }) => String(line))).sort(),
    ]),
  )
}

type Progress = { isAcknowledged: boolean }

/** Whatever goes wrong: a request, then days in which it is carried out. */
async function scenario(t: EraseHarness, progress: Progress): Promise<void> {
  const create = async (): Promise<void> => {
    await t.deletes.create('a', { query, startMs: noonMs - hourMs, endMs: noonMs + hourMs })
    progress.isAcknowledged = true
  }
  await create().catch(() => undefined)
  t.skip(25 * hourMs)
  for (let i = 0; i < 4; i++) await t.round().catch(() => undefined)
}

async function check(t: EraseHarness, sent: Map<string, string[]>, progress: Progress, context: string): Promise<void> {
  const a = await t.seen('a')
  const mayBeSeen = progress.isAcknowledged ? sent.get('a')!.filter((line) => !isDeleted(line)) : sent.get('a')!
  const isHidden = !a.some(isDeleted)
  const expected = isHidden ? sent.get('a')!.filter((line) => !isDeleted(line)) : mayBeSeen
  assert.deepEqual(a, expected, `${context}: tenant a`)
  const b = await t.seen('b')
  const kept = (lines: readonly string[]): string[] => lines.filter((line) => !isExpired(line))
  assert.deepEqual(kept(b), kept(sent.get('b')!), `${context}: tenant b`)
  assert.equal(new Set(b).size, b.length, `${context}: lines twice`)
}

async function run(kind: FaultKind, at: number): Promise<void> {
  const t = new EraseHarness(1700 + at)
  const sent = await fill(t)
  const progress = { isAcknowledged: false }
  const first = t.world.disk.operations
  t.world.disk.failAt(first + at, kind)
  await scenario(t, progress)
  if (t.world.disk.operations <= first + at) return
  const context = `${kind} at ${at}, ${t.world.disk.journal[first + at]}`
  if (!t.world.disk.isDead) await check(t, sent, progress, `${context}, still running`)
  await t.crashAndStart().catch(() => t.crashAndStart())
  await check(t, sent, progress, `${context}, started again`)
  if (t.deletes.list('a').length === 0) await scenario(t, progress)
  await finish(t, context)
  await check(t, sent, progress, `${context}, in the end`)
  assert.deepEqual((await t.seen('b')).filter(isExpired), [], `${context}: expired`)
}

/** Rounds until everything is erased; looks at what is stored then. */
async function finish(t: EraseHarness, context: string): Promise<void> {
  for (let i = 0; i < 10 && t.deletes.list('a').some(({ state }) => state !== 'erased'); i++) {
    t.skip(13 * hourMs)
    await t.round()
  }
  // what the log was emptied into is looked at, too
  await t.round()
  assert.deepEqual(
    t.deletes.list('a').map(({ state }) => state),
    ['erased'],
    context,
  )
  const stored = await t.stored()
  for (const line of [0, 1].flatMap((number) => batch('a', number).map((entry) => String(entry.line)))) {
    assert.equal(stored.includes(line), !isDeleted(line), `${context}: '${line}' is stored`)
  }
}

/** What can go wrong, with which operations, and every how many of them are tried in a run of all tests. */
const affected: readonly (readonly [FaultKind, RegExp, number])[] = [
  ['crash-before', /^(?:append|writeFile|openAppend|makeDir|sync|syncDir|rename|remove|truncate) /, 1],
  ['torn', /^(?:append|writeFile|sync) /, 3],
  ['EIO', /./, 11],
  ['ENOSPC', /^(?:append|writeFile|openAppend|makeDir) /, 3],
]
const triesAll = process.env['EVERY_FAULT'] === '1'

async function journalOfScenario(): Promise<readonly string[]> {
  const t = new EraseHarness(1700)
  const sent = await fill(t)
  const first = t.world.disk.operations
  const progress = { isAcknowledged: false }
  await scenario(t, progress)
  await check(t, sent, progress, 'without a fault')
  const [request] = t.deletes.list('a')
  assert.equal(request?.state, 'erased')
  assert.equal(request.erasedRows, 4)
  await finish(t, 'without a fault')
  return t.world.disk.journal.slice(first)
}

describe('deletes and retention: every disk operation goes wrong once', async () => {
  const journal = await journalOfScenario()
  for (const [kind, pattern, stride] of affected) {
    it(kind, async () => {
      const operations = [...journal.keys()].filter((at) => pattern.test(journal[at]!))
      assert.ok(operations.length > 10, `${operations.length} operations`)
      for (const [i, at] of operations.entries()) if (triesAll || i % stride === 0) await run(kind, at)
    })
  }
})
