/** `bin/edda` as people call it: through links, from anywhere, with another Node in the path or none. */
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'

const launcher = fileURLToPath(new URL('../../bin/edda', import.meta.url))
const dir = mkdtempSync(join(tmpdir(), 'edda-bin-'))
after(() => rmSync(dir, { recursive: true }))

/** A copy of the launcher with a main.ts that tells how it was called. */
function install(name: string): string {
  const root = join(dir, name)
  mkdirSync(join(root, 'bin'), { recursive: true })
  mkdirSync(join(root, 'src'))
  copyFileSync(launcher, join(root, 'bin/edda'))
  writeFileSync(join(root, 'package.json'), '{"type":"module"}')
  const tell =
    'console.log(JSON.stringify({ args: process.argv.slice(2), cwd: process.cwd(), node: process.execPath }))'
  writeFileSync(join(root, 'src/main.ts'), `const typed: string = ''\n${tell}\n`)
  return root
}

const system = '/usr/bin:/bin'
const node = process.execPath

function fakeNode(at: string, version: string): void {
  mkdirSync(dirname(at), { recursive: true })
  writeFileSync(at, `#!/bin/sh\nif [ "$1" = --version ]; then echo ${version}; else echo "ran ${version}"; fi\n`)
  chmodSync(at, 0o755)
}

test('uses the pinned Node, through a chain of links, from any directory, with arguments as they are', () => {
  const root = install('pinned')
  mkdirSync(join(root, 'node_modules/.bin'), { recursive: true })
  symlinkSync(node, join(root, 'node_modules/.bin/node'))
  mkdirSync(join(dir, 'elsewhere/.bin'), { recursive: true })
  symlinkSync('../../pinned/bin/edda', join(dir, 'elsewhere/.bin/edda'))
  symlinkSync(join(dir, 'elsewhere/.bin/edda'), join(dir, 'edda'))
  fakeNode(join(dir, 'old/node'), 'v20.1.0')
  const args = ['-config.file=a b', '', '--', '$HOME', '*']
  const out = execFileSync(join(dir, 'edda'), args, { cwd: dir, env: { PATH: `${dir}/old:${system}` } }).toString()
  const told = JSON.parse(out) as { args: string[]; cwd: string }
  assert.deepEqual(told.args, args)
  assert.equal(told.cwd, execFileSync('pwd', ['-P'], { cwd: dir }).toString().trim())
})

test('uses the Node of the path when none is pinned and it is new enough', () => {
  const root = install('path')
  fakeNode(join(dir, 'new/node'), 'v27.3.0')
  const out = execFileSync(join(root, 'bin/edda'), [], { env: { PATH: `${dir}/new:${system}` } }).toString()
  assert.equal(out, 'ran v27.3.0\n')
})

test('passes over a pinned Node that does not run, e.g. of another architecture', () => {
  const root = install('broken')
  const broken = join(root, 'node_modules/.bin/node')
  mkdirSync(dirname(broken), { recursive: true })
  writeFileSync(broken, 'not a program')
  chmodSync(broken, 0o755)
  fakeNode(join(dir, 'new/node'), 'v27.3.0')
  const out = execFileSync(join(root, 'bin/edda'), [], { env: { PATH: `${dir}/new:${system}` } }).toString()
  assert.equal(out, 'ran v27.3.0\n')
})

test('says what is missing when there is no Node, or only an old one', () => {
  const root = install('none')
  fakeNode(join(dir, 'old/node'), 'v20.1.0')
  const { status, stderr } = spawnSync(join(root, 'bin/edda'), [], { env: { PATH: `${dir}/old:${system}` } })
  assert.equal(status, 1)
  assert.match(stderr.toString(), /^edda: needs Node 26 or newer, found v20\.1\.0; run 'npm ci' in .*none/)
})

test('a signal reaches the program, and its exit code comes back', () => {
  const root = install('exit')
  mkdirSync(join(root, 'node_modules/.bin'), { recursive: true })
  symlinkSync(node, join(root, 'node_modules/.bin/node'))
  writeFileSync(
    join(root, 'src/main.ts'),
    'process.on("SIGTERM", () => process.exit(7)); process.kill(process.ppid, 0); process.kill(process.pid, "SIGTERM"); setTimeout(() => {}, 5000)',
  )
  assert.equal(spawnSync(join(root, 'bin/edda'), [], { env: { PATH: system } }).status, 7)
})
