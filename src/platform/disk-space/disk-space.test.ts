import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { silentLogger } from '#/platform/telemetry/logger.ts'
import { DiskSpace, spaceLines, type VolumeSpace } from './disk-space.ts'

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

  it('tells listeners at every look while it is low, and not otherwise', async () => {
    const { space, free, tick } = await opened()
    const told: VolumeSpace[] = []
    const stop = space.onLow((volume) => told.push(volume))
    await tick()
    assert.equal(told.length, 0)
    free.set('/blocks', 300 * mega)
    await tick()
    await tick()
    free.set('/blocks', 10 * mega)
    await tick()
    assert.deepEqual(
      told.map(({ name, state }) => `${name} ${state}`),
      ['blocks low', 'blocks low', 'blocks read-only'],
    )
    stop()
    await tick()
    assert.equal(told.length, 3)
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
