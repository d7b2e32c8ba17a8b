import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { silentLogger } from '#/platform/telemetry/logger.ts'
import { DiskSpace, spaceLines } from './disk-space.ts'

const mega = 1024 * 1024

async function opened(): Promise<{
  readonly space: DiskSpace
  readonly logged: string[]
  readonly free: Map<string, number | Error>
  readonly tick: () => Promise<void>
}> {
  const free = new Map<string, number | Error>([
    ['/wal', 900 * mega],
    ['/blocks', 900 * mega],
  ])
  const logged: string[] = []
  const log = (message: string, fields?: object): void => void logged.push(`${message} ${JSON.stringify(fields)}`)
  let look: () => void = () => undefined
  const clock = {
    every: (_ms: number, tick: () => void) => {
      look = tick
      return () => (look = () => undefined)
    },
  }
  const disk = {
    freeBytes: async (path: string) => {
      const found = free.get(path)
      if (typeof found === 'number') return found
      throw found as Error
    },
  }
  const space = await DiskSpace.open({
    world: { clock, disk } as never,
    logger: { ...silentLogger, error: log, warn: log, info: log },
    volumes: [
      { name: 'wal', directory: '/wal' },
      { name: 'blocks', directory: '/blocks' },
    ],
    lowBytes: 500 * mega,
    readOnlyBytes: 100 * mega,
    writableBytes: 200 * mega,
    intervalMs: 5000,
  })
  const tick = async (): Promise<void> => {
    look()
    await space.look()
  }
  return { space, logged, free, tick }
}

describe('free disk space', () => {
  it('goes from enough to low to read-only and back, with a distance on the way back', async () => {
    const { space, logged, free, tick } = await opened()
    const seen: string[] = []
    for (const size of [900, 499, 99, 150, 199, 200, 500]) {
      free.set('/blocks', size * mega)
      await tick()
      seen.push(`${size} ${space.volumes()[1]!.state} ${space.refusal === undefined}`)
    }
    assert.deepEqual(seen, [
      '900 enough true',
      '499 low true',
      '99 read-only false',
      '150 read-only false',
      '199 read-only false',
      '200 low true',
      '500 enough true',
    ])
    assert.deepEqual(
      logged.map((line) => line.split(' {')[0]),
      [
        'the disk is filling up',
        'the disk is nearly full: new entries are refused',
        'the disk has room again: new entries are taken',
        'the disk has room again',
      ],
    )
    assert.match(logged[1]!, /"disk":"blocks","directory":"\/blocks","free":"99MB","was":"low"/)
  })

  it('says which disk it is, and what would help', async () => {
    const { space, free, tick } = await opened()
    free.set('/wal', 5 * mega)
    await tick()
    assert.equal(
      space.refusal?.message,
      'read-only: the disk of wal has 5MB free, less than 100MB; writing goes on when 200MB are free',
    )
    assert.equal(space.refusal?.retryAfterSeconds, 30)
    assert.equal(
      spaceLines(space.volumes()),
      'disk of wal => read-only, 5MB free\ndisk of blocks => enough, 900MB free\n',
    )
  })

  it('refuses what would make a volume read-only, after a look of its own', async () => {
    const { space, free } = await opened()
    assert.equal(await space.refusalOf('blocks', 800 * mega), undefined)
    assert.equal(
      (await space.refusalOf('blocks', 801 * mega))?.message,
      'the disk of blocks has 900MB free, and 801MB more would leave less than 100MB',
    )
    free.set('/blocks', 99 * mega)
    assert.match((await space.refusalOf('blocks', 0))!.message, /^read-only: the disk of blocks has 99MB free/)
    assert.equal(await space.refusalOf('wal', 0), undefined)
  })

  it('tells listeners at every look at which their volume has less than they want, and not otherwise', async () => {
    const { space, free, tick } = await opened()
    let told = 0
    const stop = space.onBelow('blocks', 800 * mega, () => told++)
    free.set('/blocks', 800 * mega)
    free.set('/wal', 10 * mega)
    await tick()
    assert.equal(told, 0)
    free.set('/blocks', 799 * mega)
    await tick()
    const once = told
    assert.ok(once > 0, 'although the volume is not low')
    await tick()
    assert.ok(told > once)
    stop()
    const last = told
    await tick()
    assert.equal(told, last)
  })

  it('keeps what it knew when the system does not answer, and says so once', async () => {
    const { space, logged, free, tick } = await opened()
    free.set('/blocks', 10 * mega)
    await tick()
    free.set('/blocks', new Error('EIO'))
    await tick()
    await tick()
    assert.equal(space.volumes()[1]!.state, 'read-only')
    assert.equal(logged.filter((line) => line.startsWith('cannot ask')).length, 1)
  })
})
