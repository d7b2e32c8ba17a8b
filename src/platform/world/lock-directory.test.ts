import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { lockDirectory } from './lock-directory.ts'

const root = await mkdtemp(join(tmpdir(), 'edda-lock-'))
after(() => rm(root, { recursive: true, force: true }))

/** Another process that locks `directory` and stays. */
async function holder(directory: string): Promise<{ readonly pid: number; readonly kill: () => Promise<void> }> {
  const program = `
    import { lockDirectory } from ${JSON.stringify(new URL('./lock-directory.ts', import.meta.url).href)}
    await lockDirectory(${JSON.stringify(directory)})
    console.log('locked')
    setInterval(() => undefined, 1000)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(child.stdout, 'data')
  return {
    pid: child.pid!,
    kill: async () => {
      child.kill('SIGKILL')
      await once(child, 'exit')
    },
  }
}

for (const [title, directory] of [
  ['a short path', join(root, 'short')],
  ['a path that is too long for a socket', join(root, 'x'.repeat(120), 'long')],
] as const) {
  test(`${title}: locked once, free again after release`, async () => {
    const first = await lockDirectory(directory)
    assert.equal(first.isHeld, true)
    await assert.rejects(lockDirectory(directory), (error: Error) => {
      assert.match(error.message, new RegExp(`is in use by another Edda \\(process ${process.pid}\\)`))
      return true
    })
    await first.release()
    await (await lockDirectory(directory)).release()
  })

  test(`${title}: a process that was killed holds nothing`, async () => {
    const other = await holder(directory)
    await assert.rejects(lockDirectory(directory), new RegExp(`process ${other.pid}`))
    await other.kill()
    await (await lockDirectory(directory)).release()
  })
}

test('two directories have two locks', async () => {
  const locks = [await lockDirectory(join(root, 'a')), await lockDirectory(join(root, 'b'))]
  assert.ok(locks.every(({ isHeld }) => isHeld))
  for (const { release } of locks) await release()
})
