/**
 * CPU of live tails on the main thread, without sockets: `node src/logs/read/tail/live-tails.bench.ts`. Prints, for batches of
 * 1,000 rows of 50 streams, what a batch costs a push, and what it costs altogether.
 */
import { buildEntryBatch } from '#/logs/wire/entry-batch-builder.ts'
import { realWorld } from '#/platform/world/real-world.ts'
import { testTails } from './testing-tails.ts'

const { clock } = realWorld()
const STREAMS = 50
const ROWS = 1000
const BATCHES = 100

async function run(name: string, tailCount: number, queryOf: (nth: number) => string): Promise<void> {
  const test = testTails({ budgetBytes: 1024 ** 3, limits: { max_concurrent_tail_requests: 0 } })
  let entries = 0
  for (let nth = 0; nth < tailCount; nth++) {
    const tail = test.tails.open({
      tenant: 't',
      query: queryOf(nth),
      startNs: clock.nowNs(),
      limit: 1,
      delayMs: 0,
    })
    const read = async (): Promise<void> => {
      for await (const frame of tail.frames()) entries += frame.entries.length
    }
    read().catch(() => undefined)
  }
  await clock.sleep(100)
  const batches = Array.from({ length: BATCHES }, (_, batch) =>
    buildEntryBatch(
      Array.from({ length: ROWS }, (__, row) => ({
        stream: `{app="load", pod="p${row % STREAMS}"}`,
        timeNs: clock.nowNs(),
        line: `level=info batch=${batch} row=${row} ${'lorem ipsum dolor sit amet '.repeat(6)}`,
        metadata: { detected_level: 'info' },
      })),
    ),
  )
  const before = process.cpuUsage()
  let pushMs = 0
  for (const batch of batches) {
    const startMs = clock.monotonicMs()
    test.store.tell(batch)
    pushMs += clock.monotonicMs() - startMs
    await clock.sleep(20)
  }
  await clock.sleep(200)
  const { user, system } = process.cpuUsage(before)
  test.tails.stop()
  const each = (ms: number): string => (ms / BATCHES).toFixed(3)
  console.log(
    `${name}: push ${each(pushMs)} ms, all ${each((user + system) / 1000)} ms a batch; ${entries} entries, ` +
      `${test.tails.stats.droppedEntries} dropped`,
  )
}

await run('no tail', 0, () => '')
await run('500 tails, other streams', 500, (nth) => `{app="load", pod="q${nth}"}`)
await run('500 tails, nothing passes', 500, (nth) => `{app="load", pod="p${nth % STREAMS}"} |= "nothing"`)
await run('500 tails, 50 queries', 500, (nth) => `{app="load", pod="p${nth % STREAMS}"}`)
await run('500 tails, 500 queries', 500, (nth) => `{app="load", pod="p${nth % STREAMS}"} |= "level" != "x${nth}"`)
await run('20 tails of everything, parsed', 20, (nth) => `{app="load"} | logfmt | row != "${nth}"`)
