import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'

import { realDisk } from '#/platform/world/real-disk.ts'
import { compileGlob, expandGlob } from './glob.ts'

const dir = mkdtempSync(join(tmpdir(), 'edda-glob-'))
after(() => rmSync(dir, { recursive: true }))
for (const path of ['a.log', 'b.log.1', 'sub/c.log', 'sub/deep/d.log', 'sub/.hidden/e.log', '.f.log', 'x(1).log']) {
  mkdirSync(join(dir, path, '..'), { recursive: true })
  writeFileSync(join(dir, path), 'line\n')
}

async function expand(pattern: string): Promise<string[]> {
  const fail = (path: string, error: unknown): never => assert.fail(`${path}: ${String(error)}`)
  const found = await expandGlob(compileGlob(`${dir}/${pattern}`), realDisk, fail)
  return found.map((path) => path.slice(dir.length + 1))
}

test('a star stays inside a directory and skips dot files', async () => {
  assert.deepEqual(await expand('*.log'), ['a.log', 'x(1).log'])
  assert.deepEqual(await expand('.*.log'), ['.f.log'])
})

test('two stars match any number of directories, none included', async () => {
  assert.deepEqual(await expand('**/*.log'), ['a.log', 'sub/c.log', 'sub/deep/d.log', 'x(1).log'])
  assert.deepEqual(await expand('sub/**/*.log'), ['sub/c.log', 'sub/deep/d.log'])
  assert.deepEqual(await expand('**/deep/*'), ['sub/deep/d.log'])
})

test('a path without wildcards, sets, choices, and characters that mean something to regular expressions', async () => {
  assert.deepEqual(await expand('x(1).log'), ['x(1).log'])
  assert.deepEqual(await expand('nothing.log'), [])
  assert.deepEqual(await expand('[ab].log*'), ['a.log', 'b.log.1'])
  assert.deepEqual(await expand('[!a].log*'), ['b.log.1'])
  assert.deepEqual(await expand('{a.log,b.log.1}'), ['a.log', 'b.log.1'])
  assert.deepEqual(await expand('?.log'), ['a.log'])
  assert.deepEqual(await expand('x(?).log'), ['x(1).log'])
})

test('a directory that is not there has no files; a ring of links ends', async () => {
  assert.deepEqual(await expand('missing/*.log'), [])
  mkdirSync(join(dir, 'ring'))
  symlinkSync(join(dir, 'ring'), join(dir, 'ring', 'again'))
  assert.deepEqual(await expand('ring/**/*.log'), [])
})

test('an unreadable directory is reported, the rest is found', async () => {
  const seen: string[] = []
  const disk = {
    ...realDisk,
    list: (path: string) => (path.endsWith('/sub') ? Promise.reject(new Error('EACCES')) : realDisk.list(path)),
  }
  const found = await expandGlob(compileGlob(`${dir}/**/*.log`), disk, (path) => seen.push(path))
  assert.deepEqual(seen, [`${dir}/sub`])
  assert.equal(found.length, 2)
})
