/**
 * Backup and restore, for real: a snapshot is made through the command line while lines are pushed, the server is killed, and
 * another one is started from the restored directory. Every line that was acknowledged before the snapshot began is there, once.
 */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

import { encodePush } from '#/logs/wire/encode-push.ts'
import type { DoctorReport } from '#/logs/wire/doctor.ts'
import type { SnapshotInfo } from '#/logs/wire/snapshot.ts'
import { type EddaProcess, get, queryAll, startEdda } from './edda-process.ts'

const root = join(import.meta.dirname, '../..')
const linesPerPush = 50

type Ran = { readonly code: number; readonly out: string; readonly err: string }

function edda(...argv: string[]): Promise<Ran> {
  return new Promise((resolve) => {
    execFile(process.execPath, [join(root, 'src/main.ts'), ...argv], { maxBuffer: 2 ** 26 }, (error, out, err) =>
      resolve({ code: error === null ? 0 : Number(error.code ?? -1), out, err }),
    )
  })
}

async function push(url: string, tenant: string, lines: readonly string[]): Promise<void> {
  const entries = lines.map((line) => ({ timeNs: BigInt(Date.now()) * 1_000_000n, line }))
  const response = await fetch(`${url}/loki/api/v1/push`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/x-protobuf', 'X-Scope-OrgID': tenant },
    body: new Uint8Array(encodePush([{ labels: '{app="backup"}', entries }])),
  })
  assert.equal(response.status, 204, await response.text())
}

/** Pushes until it is told to stop; what was acknowledged is in `acknowledged`. */
function load(url: string): { readonly acknowledged: string[]; stop(): Promise<void> } {
  const acknowledged: string[] = []
  let isOver = false
  const running = (async () => {
    for (let number = 0; !isOver; number++) {
      const lines = Array.from({ length: linesPerPush }, (_, i) => `line ${number}.${i}`)
      await push(url, 'fake', lines)
      acknowledged.push(...lines)
    }
  })()
  return {
    acknowledged,
    stop: () => {
      isOver = true
      return running
    },
  }
}

const range = (): { startNs: bigint; endNs: bigint } => {
  const nowNs = BigInt(Date.now()) * 1_000_000n
  return { startNs: nowNs - 3_600_000_000_000n, endNs: nowNs + 60_000_000_000n }
}

async function linesIn(url: string): Promise<string[]> {
  return (await queryAll(url, '{app="backup"}', range())).map(([, line]) => line)
}

async function withDir(run: (dir: string, started: EddaProcess[]) => Promise<void>): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'edda-snapshot-'))
  const started: EddaProcess[] = []
  try {
    await run(dir, started)
  } finally {
    for (const one of started) await one.kill()
    await rm(dir, { recursive: true, force: true })
  }
}

test('a snapshot under load, SIGKILL, and a restore elsewhere', { timeout: 180_000 }, () =>
  withDir(async (dir, started) => {
    const server = await startEdda({ dataDir: join(dir, 'data') })
    started.push(server)
    const snapshots = join(dir, 'data/snapshots')
    await push(server.url, 'fake', ['the first line'])
    const pushing = load(server.url)
    const before: Record<string, number> = {}
    for (const name of ['one', 'two']) {
      while (pushing.acknowledged.length < linesPerPush) await new Promise((resolve) => setImmediate(resolve))
      before[name] = pushing.acknowledged.length
      const made = await edda('snapshot', 'create', '--addr', server.url, '--name', name, '--json')
      assert.equal(made.code, 0, made.err)
      assert.equal((JSON.parse(made.out) as SnapshotInfo).name, name)
      assert.match(made.err, /flushing what is in memory/)
    }
    await pushing.stop()
    await server.kill()

    const listed = await edda('snapshot', 'list', '--from', snapshots, '--json')
    const found = JSON.parse(listed.out) as SnapshotInfo[]
    assert.deepEqual(
      found.map(({ name }) => name),
      ['one', 'two'],
    )
    for (const { name, rows } of found) {
      const to = join(dir, `restored-${name}`)
      const restored = await edda('snapshot', 'restore', name, to, '--from', snapshots)
      assert.equal(restored.code, 0, restored.err)
      const again = await startEdda({ dataDir: to })
      started.push(again)
      const lines = await linesIn(again.url)
      const seen = new Set(lines)
      assert.equal(seen.size, lines.length, `${name}: a line is there twice`)
      assert.equal(lines.length, rows, `${name}: rows of the manifest`)
      assert.ok(seen.has('the first line'))
      for (const line of pushing.acknowledged.slice(0, before[name]))
        assert.ok(seen.has(line), `${name} lost '${line}'`)
      const known = new Set(['the first line', ...pushing.acknowledged])
      for (const line of lines) assert.ok(known.has(line), `${name}: '${line}' was never acknowledged`)
      await push(again.url, 'fake', ['life goes on'])
      assert.ok((await linesIn(again.url)).includes('life goes on'))
      assert.equal(await again.stop(), 0)
    }
    const taken = await edda('snapshot', 'restore', 'one', join(dir, 'restored-one'), '--from', snapshots)
    assert.equal(taken.code, 1)
    assert.match(taken.err, /is not empty/)
  }),
)

test('a restore that was not finished is not served, and goes on where it was', { timeout: 120_000 }, () =>
  withDir(async (dir, started) => {
    const server = await startEdda({ dataDir: join(dir, 'data') })
    started.push(server)
    await push(server.url, 'fake', ['kept'])
    assert.equal((await edda('snapshot', 'create', '--addr', server.url, '--name', 'one')).code, 0)
    await server.kill()
    const snapshots = join(dir, 'data/snapshots')
    const [block] = (await readdir(join(snapshots, 'blocks'), { recursive: true })).filter((one) =>
      one.endsWith('.edda'),
    )
    const path = join(snapshots, 'blocks', block!)
    const bytes = await readFile(path)
    await rm(path)
    await writeFile(
      path,
      bytes.map((byte, i) => (i === 20 ? byte ^ 1 : byte)),
    )
    const to = join(dir, 'restored')
    const failed = await edda('snapshot', 'restore', 'one', to, '--from', snapshots)
    assert.equal(failed.code, 1)
    assert.match(
      failed.err,
      /the snapshot is damaged, nothing was restored: corruption in .*\.edda at byte 0: its SHA-256 is/,
    )
    await assert.rejects(startEdda({ dataDir: to }), /holds a restore that was not finished/)
    await writeFile(path, bytes)
    assert.equal((await edda('snapshot', 'restore', 'one', to, '--from', snapshots)).code, 0)
    const again = await startEdda({ dataDir: to })
    started.push(again)
    assert.deepEqual(await linesIn(again.url), ['kept'])
  }),
)

test('the doctor looks beside a running server, and repairs a stopped one', { timeout: 120_000 }, () =>
  withDir(async (dir, started) => {
    const data = join(dir, 'data')
    const server = await startEdda({ dataDir: data })
    started.push(server)
    await push(server.url, 'fake', ['good'])
    await get(server.url, '/flush', {}, 204)
    const sound = await edda('doctor', data, '--json')
    assert.equal(sound.code, 0, sound.out)
    const report = JSON.parse(sound.out) as DoctorReport
    assert.equal(report.isLive, true)
    assert.deepEqual(report.findings, [])
    const refused = await edda('doctor', data, '--repair')
    assert.equal(refused.code, 1)
    assert.match(refused.err, /is in use by another Edda/)
    await server.kill()
    const [name] = (await readdir(join(data, 'blocks'), { recursive: true })).filter((one) => one.endsWith('.edda'))
    const path = join(data, 'blocks', name!)
    await writeFile(path, (await readFile(path)).subarray(0, -1))
    const found = await edda('doctor', data)
    assert.equal(found.code, 1)
    assert.match(found.out, /error: damaged-block: .*\.edda at byte \d+\n {2}it does not end as a block does/)
    assert.match(found.err, /1 of what was found should be repaired/)
    const repaired = await edda('doctor', data, '--repair')
    assert.equal(repaired.code, 0, repaired.out + repaired.err)
    assert.match(repaired.out, /done: moved to .*\/quarantine\/.*\.edda/)
    assert.equal((await edda('doctor', data)).code, 0)
    const again = await startEdda({ dataDir: data })
    started.push(again)
    await push(again.url, 'fake', ['better'])
    assert.ok((await linesIn(again.url)).includes('better'))
  }),
)

test('a disk that is nearly full makes the server read-only, and says so', { timeout: 120_000 }, () =>
  withDir(async (dir, started) => {
    const full = ['-disk-space.read-only-free=1PB', '-disk-space.writable-free=1PB', '-disk-space.low-free=1PB']
    const server = await startEdda({ dataDir: join(dir, 'data'), flags: full })
    started.push(server)
    const response = await fetch(`${server.url}/loki/api/v1/push`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/x-protobuf' },
      body: new Uint8Array(encodePush([{ labels: '{app="full"}', entries: [{ timeNs: 1n, line: 'x' }] }])),
    })
    assert.equal(response.status, 503)
    assert.match(await response.text(), /read-only: the disk of wal has .* free, less than 1PB/)
    assert.equal(response.headers.get('retry-after'), '30')
    assert.match(
      await get(server.url, '/ready', { verbose: 'true' }),
      /^ready\n[^]*disk of blocks => read-only, .* free\n/,
    )
    assert.match(await get(server.url, '/metrics'), /\nedda_read_only 1\n/)
    assert.ok(server.log.some((line) => line.includes('the disk is nearly full: new entries are refused')))
    assert.deepEqual(await linesIn(server.url), [])
    const snapshot = await edda('snapshot', 'create', '--addr', server.url)
    assert.equal(snapshot.code, 1)
    assert.match(snapshot.err, /the server answered 503: read-only/)
  }),
)
