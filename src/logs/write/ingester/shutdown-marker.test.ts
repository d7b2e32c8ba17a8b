import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it } from 'node:test'

import { realWorld } from '#/platform/world/real-world.ts'
import { ShutdownMarker } from './shutdown-marker.ts'

it('is set until it is cleared, across restarts', async () => {
  const root = await mkdtemp(join(tmpdir(), 'edda-marker-'))
  try {
    const directory = join(root, 'deep', 'marker')
    const open = (): ShutdownMarker => new ShutdownMarker(realWorld().disk, directory)
    assert.equal(await open().isSet(), false)
    await open().clear()
    await open().set(0)
    assert.equal(await open().isSet(), true)
    assert.equal(await readFile(join(directory, 'shutdown-requested.txt'), 'utf8'), '1970-01-01T00:00:00.000Z\n')
    await open().clear()
    assert.equal(await open().isSet(), false)
  } finally {
    await rm(root, { recursive: true, force: true })
  }
})
