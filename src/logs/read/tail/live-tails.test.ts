import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import type { HiddenRows } from '#/logs/wire/deletes.ts'
import type { PlainEntry } from '#/logs/wire/entry-batch-builder.ts'
import { type Tail, TailEnded, type TailFrame, type TailQuery } from '#/logs/wire/tail.ts'
import { realWorld } from '#/platform/world/real-world.ts'
import { MAX_DROPPED_ENTRIES, MAX_WAITING_ENTRIES } from './tail-session.ts'
import { failing, HeldClock, testTails, type TestTails } from './testing-tails.ts'

const { clock } = realWorld()
const nowNs = (): bigint => clock.nowNs()
const seconds = (count: number): bigint => BigInt(Math.round(count * 1e9))
const stream = '{app="a"}'

const entry = (line: string, ageSeconds = 0, more: Partial<PlainEntry> = {}): PlainEntry => ({
  stream,
  timeNs: nowNs() - seconds(ageSeconds),
  line,
  ...more,
})

const asked = (over: Partial<TailQuery> = {}): TailQuery => ({
  tenant: 't',
  query: stream,
  startNs: nowNs() - seconds(3600),
  limit: 100,
  delayMs: 0,
  ...over,
})

/** Reads a tail until `count` entries came, or it ended. */
async function read(tail: Tail, count: number): Promise<TailFrame[]> {
  const frames: TailFrame[] = []
  let seen = 0
  for await (const frame of tail.frames()) {
    frames.push(frame)
    seen += frame.entries.length
    if (seen >= count) break
  }
  return frames
}

const linesOf = (frames: readonly TailFrame[]): string[] =>
  frames.flatMap(({ entries }) => entries.map(({ line }) => line))

async function endOf(tail: Tail): Promise<string> {
  try {
    for await (const _ of tail.frames());
    return 'ended'
  } catch (error) {
    assert.ok(error instanceof TailEnded)
    return error.message
  }
}

/** Reads a tail to its end: its lines as they come, and a promise of the end. */
function reader(tail: Tail): [lines: string[], end: Promise<void>] {
  const lines: string[] = []
  const reading = async (): Promise<void> => {
    for await (const frame of tail.frames()) lines.push(...linesOf([frame]))
  }
  return [lines, reading().catch(() => undefined)]
}

/** Everything is given back. */
function assertEmpty({ tails, budget, store, problems }: TestTails): void {
  const { tails: count, bytes } = tails.stats
  assert.deepEqual(
    { count, bytes, budget: budget.usedBytes, followers: store.followerCount },
    {
      count: 0,
      bytes: 0,
      budget: 0,
      followers: 0,
    },
  )
  assert.deepEqual(problems, [])
}

async function until(condition: () => boolean): Promise<void> {
  for (let turns = 0; !condition(); turns++) {
    assert.ok(turns < 1000, 'it never happened')
    await clock.sleep(5)
  }
}

/** Until so many tails have their history: what is pushed now is not in it. */
const begun = ({ store }: TestTails, tails = 1): Promise<void> => until(() => store.answered >= tails)

/** Long enough for frames to be sent that must not be; a slow machine only sees less. */
const settle = (): Promise<void> => clock.sleep(120)

describe('a live tail', () => {
  it('begins with the newest lines, oldest first, and goes on with what comes', async () => {
    const test = testTails()
    test.store.push(...[5, 4, 3, 2, 1].map((age) => entry(`old ${age}`, age)))
    const tail = test.tails.open(asked({ limit: 3 }))
    const reading = read(tail, 5)
    await begun(test)
    test.store.push(entry('new 1'), entry('elsewhere', 0, { stream: '{app="b"}' }))
    test.store.push(entry('new 2'))
    assert.deepEqual(linesOf(await reading), ['old 3', 'old 2', 'old 1', 'new 1', 'new 2'])
    assert.equal(test.store.asked[0]?.direction, 'backward')
    assertEmpty(test)
  })

  it('leaves out what a delete request hides, as long as it does', async () => {
    const requests: HiddenRows[] = []
    const hide = (query: string): void => {
      const startNs = nowNs() - seconds(30 * 3600)
      const endNs = nowNs() - seconds(3600)
      requests.push({ id: query, query, startNs, endNs, isErasedFrom: () => false })
    }
    const test = testTails({ deletes: { hiddenRows: () => requests } })
    const tail = test.tails.open(asked({ query: '{app=~".+"}' }))
    const [lines, over] = reader(tail)
    await begun(test)
    const other = { stream: '{app="b"}' }
    const push = (number: number): void =>
      test.store.push(
        entry(`secret yesterday ${number}`, 26 * 3600),
        entry(`secret ${number}`, 7200),
        entry(`plain ${number}`, 7200),
        entry(`secret other ${number}`, 7200, other),
        entry(`secret now ${number}`),
      )
    hide('{app="a"} |= "secret"')
    push(1)
    await until(() => lines.length >= 3)
    hide('{app="b"}')
    push(2)
    await until(() => lines.length >= 5)
    requests.length = 0
    test.store.push(entry('secret at last', 7200))
    await until(() => lines.length >= 6)
    tail.close()
    await over
    assert.deepEqual(lines.toSorted(), [
      'plain 1',
      'plain 2',
      'secret at last',
      'secret now 1',
      'secret now 2',
      'secret other 1',
    ])
    assertEmpty(test)
  })

  it('runs the query: matchers, filters, parsers, labels by category, rows of several days', async () => {
    const test = testTails()
    const query = '{app=~"a|b", env!="dev"} |= "level" | logfmt | level="warn" | line_format "{{.msg}}!"'
    const tail = test.tails.open(asked({ query }))
    const reading = read(tail, 3)
    await begun(test)
    const line = (level: string, msg: string): string => `level=${level} msg=${msg}`
    test.store.push(
      entry(line('warn', 'today'), 0, { metadata: { trace: '1', pod: 'p' } }),
      entry(line('info', 'no')),
      entry('nothing here'),
      entry(line('warn', 'dev'), 0, { stream: '{app="a", env="dev"}' }),
      entry(line('warn', 'before'), 25 * 3600, { stream: '{app="b", env="prod"}', metadata: { pod: 'q' } }),
    )
    test.store.push(entry(line('warn', 'last')))
    const entries = (await reading).flatMap((frame) => frame.entries)
    assert.deepEqual(
      entries.map(({ line: text, labels }) => [text, labels]),
      [
        [
          'before!',
          {
            all: [
              ['app', 'b'],
              ['env', 'prod'],
              ['level', 'warn'],
              ['msg', 'before'],
              ['pod', 'q'],
            ],
            stream: [
              ['app', 'b'],
              ['env', 'prod'],
            ],
            structuredMetadata: [['pod', 'q']],
            parsed: [
              ['level', 'warn'],
              ['msg', 'before'],
            ],
          },
        ],
        ['today!', entries[1]!.labels],
        ['last!', entries[2]!.labels],
      ],
    )
    assert.deepEqual(entries[1]!.labels.structuredMetadata, [
      ['pod', 'p'],
      ['trace', '1'],
    ])
    assertEmpty(test)
  })

  it('takes each entry once at the seam, whenever the query looks', async () => {
    // batches come before the tail, while the query waits, between its view and its answer, and later
    for (const size of [1, 40, 700]) {
      const test = testTails()
      const sent: string[] = []
      const push = (): void => {
        const lines = Array.from({ length: size }, (_, i) => `${sent.length + i}`)
        sent.push(...lines)
        test.store.push(...lines.map((line) => entry(line)))
      }
      push()
      // somebody else's tail has work in the queue when this one begins
      const other = test.tails.open(asked())
      push()
      test.store.beforeView = async () => {
        push()
        await clock.sleep(30)
        push()
      }
      test.store.beforeAnswer = async () => {
        push()
        await clock.sleep(60)
        push()
      }
      const tail = test.tails.open(asked({ limit: 5000 }))
      const reading = read(tail, size * 8)
      push()
      await begun(test)
      push()
      const lines = linesOf(await reading)
      assert.deepEqual(lines.toSorted(), sent.toSorted())
      other.close()
      assertEmpty(test)
    }
  })

  it('counts entries that look alike once for each time that they were pushed', async () => {
    const test = testTails()
    const same = entry('same', 1)
    test.store.push(same)
    test.store.beforeView = async () => test.store.push(same, entry('other'))
    const tail = test.tails.open(asked())
    assert.deepEqual(linesOf(await read(tail, 3)), ['same', 'same', 'other'])
    assertEmpty(test)
  })

  it('does not bring back what the limit of the history left out', async () => {
    const test = testTails()
    const other = test.tails.open(asked())
    test.store.push(...Array.from({ length: 500 }, (_, i) => entry(`${i}`, 500 - i)))
    // these batches still wait in the queue of the tenant
    const tail = test.tails.open(asked({ limit: 2 }))
    const reading = read(tail, 3)
    await begun(test)
    test.store.push(entry('new'))
    assert.deepEqual(linesOf(await reading), ['498', '499', 'new'])
    other.close()
    assertEmpty(test)
  })

  it('holds entries back for the delay, and those of the future until their time, in the order of time', async () => {
    const held = new HeldClock()
    const test = testTails({ clock: held })
    const at = held.nowNs()
    const [lines, reading] = reader(test.tails.open(asked({ delayMs: 300 })))
    await begun(test)
    const later = (line: string, ms: number): PlainEntry => entry(line, 0, { timeNs: at + BigInt(ms) * 1_000_000n })
    test.store.push(later('b', 0), later('d', 200), later('c', 100))
    held.pass(100)
    await settle()
    test.store.push(later('a', -150))
    const due: [number, string[]][] = [
      [0, []],
      [51, ['a']],
      [150, ['a', 'b']],
      [100, ['a', 'b', 'c']],
      [100, ['a', 'b', 'c', 'd']],
    ]
    for (const [passedMs, expected] of due) {
      held.pass(passedMs)
      await until(() => lines.length >= expected.length)
      await settle()
      assert.deepEqual(lines, expected)
    }
    test.tails.stop()
    await reading
    assertEmpty(test)
  })

  it('finds entries of the future in the history, and sends them at their time', async () => {
    const held = new HeldClock()
    const test = testTails({ clock: held })
    const at = held.nowNs()
    test.store.push(entry('now', 0, { timeNs: at - 1n }), entry('soon', 0, { timeNs: at + 300_000_000n }))
    const [lines, reading] = reader(test.tails.open(asked()))
    await until(() => lines.length > 0)
    held.pass(300)
    await settle()
    assert.deepEqual(lines, ['now'])
    held.pass(1)
    await until(() => lines.length > 1)
    assert.deepEqual(lines, ['now', 'soon'])
    test.tails.stop()
    await reading
    assertEmpty(test)
  })

  it('cuts frames at 100 entries, and loses nothing of a burst while the client reads', async () => {
    const test = testTails({ budgetBytes: 1024 ** 3 })
    const tail = test.tails.open(asked())
    const reading = read(tail, 9000)
    await begun(test)
    test.store.push(...Array.from({ length: 9000 }, (_, i) => entry(`${i}`)))
    const frames = await reading
    assert.equal(linesOf(frames).length, 9000)
    assert.ok(frames.every(({ entries }) => entries.length <= 100))
    assert.equal(test.tails.stats.droppedEntries, 0)
    assertEmpty(test)
  })

  it('tells a slow reader what it missed, and never waits for it', { timeout: 20_000 }, async () => {
    const test = testTails()
    const tail = test.tails.open(asked())
    const frames = tail.frames()[Symbol.asyncIterator]()
    const first = frames.next()
    await begun(test)
    test.store.push(entry('first'))
    assert.deepEqual(linesOf([(await first).value]), ['first'])
    for (let i = 0; i < 1500; i++) test.store.push(entry(`${i}`))
    // it does not come back for SLOW_MS
    await until(() => test.tails.stats.droppedEntries >= 500)
    // ten frames are kept, what came beyond them is told in the next one, with its time and labels
    const { value: next } = await frames.next()
    assert.equal(next.entries.length, 100)
    assert.deepEqual(next.dropped.length, 500)
    assert.deepEqual(next.dropped[0].labels.all, [['app', 'a']])
    let seen = next.entries.length
    for (; seen < 1000;) {
      const { value } = await frames.next()
      seen += value.entries.length
      assert.deepEqual(value.dropped, [])
    }
    const later = frames.next()
    test.store.push(entry('later'))
    assert.deepEqual(linesOf([(await later).value]), ['later'])
    assert.equal(test.tails.stats.droppedEntries, 500)
    await frames.return?.()
    assertEmpty(test)
  })

  it('bounds what it keeps and what it tells, without looking at more', { timeout: 20_000 }, async () => {
    // where no time passes, no reader is slow: what is dropped had no room
    const test = testTails({ budgetBytes: 1024 ** 3, clock: { ...clock, monotonicMs: () => 0 } })
    const tail = test.tails.open(asked())
    const frames = tail.frames()[Symbol.asyncIterator]()
    const first = frames.next()
    await begun(test)
    test.store.push(entry('first'))
    await first
    for (let round = 0; round < 15; round++) {
      test.store.push(...Array.from({ length: 1000 }, (_, i) => entry(`${round} ${i}`)))
      await clock.sleep(1)
    }
    await until(() => test.tails.stats.droppedEntries >= MAX_DROPPED_ENTRIES)
    await clock.sleep(50)
    assert.ok(test.tails.stats.droppedEntries <= 15_000 - MAX_WAITING_ENTRIES)
    const { value } = await frames.next()
    assert.equal(value.dropped.length, MAX_DROPPED_ENTRIES)
    await frames.return?.()
    assertEmpty(test)
  })

  it('ends when its reader leaves, also before it began and during the history', async () => {
    const test = testTails()
    test.tails.open(asked()).close()
    assertEmpty(test)
    const waiting = Promise.withResolvers<void>()
    test.store.beforeView = () => waiting.promise
    const tail = test.tails.open(asked())
    const ended = endOf(tail)
    await clock.sleep(10)
    test.store.push(entry('x'))
    tail.close()
    tail.close()
    waiting.resolve()
    assert.equal(await ended, 'ended')
    assertEmpty(test)
  })

  it('ends after its longest time, with what is ready before', async () => {
    const test = testTails({ maxDurationMs: 150 })
    test.store.push(entry('x', 1))
    const lines: string[] = []
    const reading = (async () => {
      for await (const frame of test.tails.open(asked()).frames()) lines.push(...linesOf([frame]))
    })()
    await assert.rejects(reading, { message: 'reached tail max duration limit' })
    assert.deepEqual(lines, ['x'])
    assertEmpty(test)
  })

  it('ends when its history fails, and when the process stops', async () => {
    const test = testTails()
    failing(test.store)
    assert.equal(await endOf(test.tails.open(asked())), 'query blocked by policy')
    test.store.beforeView = () => Promise.resolve()
    const ended = endOf(test.tails.open(asked()))
    test.tails.stop()
    assert.equal(await ended, 'all ingesters closed the connection')
    assertEmpty(test)
  })
})

describe('live tails', () => {
  it('refuse what cannot be tailed', () => {
    const test = testTails({ limits: { required_labels: ['app'] } })
    const refused = (query: string, message: string | RegExp, over: Partial<TailQuery> = {}): void => {
      assert.throws(() => test.tails.open(asked({ query, ...over })), { message })
    }
    refused('rate({app="a"}[1m])', 'only log selector is supported')
    refused('{', /^parse error at line 1, col 2/)
    refused('{app="a"} | distinct app', 'distinct looks at all entries together, a tail has no last one')
    refused('{app="a"} | app in ({app="b"} | keep app)', 'a query behind in is not supported in a tail')
    refused('{env="a"}', /^stream selector is missing required matchers \[app\]/)
    refused(stream, /^max entries limit per query exceeded/, { limit: 5001 })
    assertEmpty(test)
  })

  it('are counted by tenant', () => {
    const test = testTails({ limits: { max_concurrent_tail_requests: 2 } })
    const open = (tenant: string): Tail => test.tails.open(asked({ tenant }))
    const [first] = [open('a'), open('a'), open('b')]
    assert.throws(() => open('a'), {
      message: 'max concurrent tail requests limit exceeded, count > limit (3 > 2)',
    })
    first!.close()
    open('a')
    test.tails.stop()
    assertEmpty(test)
    const unlimited = testTails({ limits: { max_concurrent_tail_requests: 0 } })
    for (let i = 0; i < 20; i++) unlimited.tails.open(asked())
    unlimited.tails.stop()
    assertEmpty(unlimited)
  })

  it('share the work of equal queries and keep others apart', async () => {
    const test = testTails()
    const queries = [stream, stream, `${stream} |= "x"`, '{app="b"}']
    const readings = queries.map((query) => read(test.tails.open(asked({ query })), 2))
    await begun(test, queries.length)
    test.store.push(entry('x 1'), entry('y'), entry('b 1', 0, { stream: '{app="b"}' }))
    test.store.push(entry('x 2'), entry('b 2', 0, { stream: '{app="b"}' }))
    assert.equal(test.tails.stats.tails, 4)
    const found = (await Promise.all(readings)).map((frames) => linesOf(frames).slice(0, 2))
    assert.deepEqual(found, [
      ['x 1', 'y'],
      ['x 1', 'y'],
      ['x 1', 'x 2'],
      ['b 1', 'b 2'],
    ])
    assertEmpty(test)
  })

  it('keep to their share of memory, and tell of what did not fit', async () => {
    const test = testTails({ budgetBytes: 8 * 1024 * 1024 })
    const tail = test.tails.open(asked())
    const frames = tail.frames()[Symbol.asyncIterator]()
    const first = frames.next()
    await begun(test)
    const large = 'x'.repeat(50_000)
    // in one turn, so that the batches pile up: they take the whole share, and what is beyond is let go
    for (let i = 0; i < 60; i++) test.store.push(entry(large))
    assert.ok(test.tails.stats.bytes <= 1024 * 1024)
    let [seen, lost] = [0, 0]
    for (let next = await first; ; next = await frames.next()) {
      seen += next.value.entries.length
      lost += next.value.dropped.length
      if (seen + lost >= 60) break
    }
    assert.deepEqual([seen + lost, lost > 0, seen > 0], [60, true, true])
    await frames.return?.()
    assertEmpty(test)
  })

  it('live with a budget that has nothing left', async () => {
    const test = testTails()
    const others = test.budget.reserve('others')
    assert.ok(others.grow(test.budget.limitBytes))
    const tail = test.tails.open(asked())
    const frames = tail.frames()[Symbol.asyncIterator]()
    const first = frames.next()
    await begun(test)
    test.store.push(entry('lost'))
    const { value } = await first
    assert.deepEqual([value.entries.length, value.dropped.length], [0, 1])
    others.release()
    await clock.sleep(600)
    const next = frames.next()
    test.store.push(entry('found'))
    assert.deepEqual(linesOf([(await next).value]), ['found'])
    await frames.return?.()
    assertEmpty(test)
  })
})
