/** Runs many days, prints how large everything is, and asserts that it stays within bounds that do not depend on how many days it were. */
import assert from 'node:assert/strict'

import { keptDays, tenants, YearRun, type Size, type YearOptions } from './year-run.ts'

/** Days of a tenant beside those that are kept: today's, one of which a part is young enough, one that waits for the next look. */
const DAYS_BESIDE = 3
const LIVE_DAYS = keptDays.a + keptDays.b + tenants.length * DAYS_BESIDE
/** Of a day that is over: one of all, and one of what came late. */
const BLOCKS_OF_OLD_DAY = 2
/** Of the meta of a block and the keys of those it was made of. */
const CATALOG_BYTES_OF_DAY = 1000
const REQUEST_BYTES = 500
/** Of a start, for each day: it lists, reads and, where a merge has changed it, writes one file. */
const START_OPERATIONS_OF_DAY = 13
const START_OPERATIONS_OF_REQUEST = 2
const START_OPERATIONS = 80
const SEGMENT_BYTES = 1024 * 1024

type Bounds = Omit<Size, 'day'>

function boundsOf({ hours, blocksPerHour }: YearOptions, requests: number): Bounds {
  const pushedOfDay = tenants.length * hours.length * blocksPerHour + 1
  // an L0 and an L1 block of each hour, and what was flushed, until they are deleted
  const buried = pushedOfDay + tenants.length * (hours.length + 2)
  const blocks = LIVE_DAYS + pushedOfDay
  const catalogBytes = LIVE_DAYS * CATALOG_BYTES_OF_DAY
  return {
    objects: blocks + buried + LIVE_DAYS + requests,
    directories: LIVE_DAYS + 3 * tenants.length + 1,
    blocks,
    blocksOfOldDay: BLOCKS_OF_OLD_DAY,
    catalogBytes,
    catalogDays: LIVE_DAYS,
    walBytes: SEGMENT_BYTES,
    startOperations: LIVE_DAYS * START_OPERATIONS_OF_DAY + requests * START_OPERATIONS_OF_REQUEST + START_OPERATIONS,
    startBytes: catalogBytes + requests * REQUEST_BYTES,
  }
}

/** @returns the table. */
export async function checkYear(days: number, options: YearOptions): Promise<readonly string[]> {
  const run = new YearRun(options)
  await run.begin()
  const table: Size[] = []
  for (let day = 1; day <= days; day++) {
    await run.nextDay()
    const size = run.size()
    if (day % 30 === 0 || day === days) table.push(size)
    const bounds = boundsOf(options, run.deleteRequests)
    for (const [name, bound] of Object.entries(bounds) as [keyof Bounds, number][]) {
      assert.ok(size[name] <= bound, `day ${day}: ${name} is ${size[name]}, the bound is ${bound}`)
    }
  }
  await checkLines(run)
  return asTable(table)
}

async function checkLines(run: YearRun): Promise<void> {
  for (const tenant of tenants) {
    const { kept, going } = run.lines(tenant)
    const mayBeSeen = new Set(going)
    const seen = await run.harness.seen(tenant)
    assert.deepEqual(
      seen.filter((line) => !mayBeSeen.has(line)),
      kept.toSorted(),
      `tenant ${tenant}: what is kept, once, and nothing else`,
    )
  }
}

function asTable(sizes: readonly Size[]): readonly string[] {
  const names = Object.keys(sizes[0]!) as (keyof Size)[]
  const rows = sizes.map((size) => names.map((name) => String(size[name]).padStart(name.length)).join('  '))
  return [names.join('  '), ...rows]
}
