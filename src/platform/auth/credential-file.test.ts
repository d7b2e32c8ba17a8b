import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import type { Logger } from '#/platform/telemetry/logger.ts'
import { Metrics } from '#/platform/telemetry/metrics.ts'
import { realWorld } from '#/platform/world/real-world.ts'
import { Credentials } from './credential-file.ts'
import { parseCredentials } from './credential.ts'
import { newToken } from './secret-hash.ts'

const { random } = realWorld()
const a = newToken(random)
const b = newToken(random)
const entry = (name: string, stored: string): string =>
  `- name: ${name}\n  token: ${stored}\n  tenants: [acme]\n  permissions: [read]\n`

type Opened = { credentials: Credentials; tick: () => Promise<void>; messages: string[]; gauge: () => Promise<string> }

async function open(files: Record<string, string>, file: string, fixed: unknown[] = []): Promise<Opened> {
  const messages: string[] = []
  const note = (message: string, fields?: object): void =>
    void messages.push(fields && 'err' in fields ? `${message}: ${(fields.err as Error).message}` : message)
  const logger: Logger = { debug: note, info: () => undefined, warn: note, error: note, with: () => logger }
  const metrics = new Metrics()
  const read = (path: string): string => {
    const text = files[path]
    if (text === undefined) throw Object.assign(new Error(`ENOENT: ${path}`), { code: 'ENOENT' })
    return text
  }
  const credentials = await Credentials.open({
    fixed: parseCredentials(fixed),
    file,
    periodMs: 10_000,
    disk: {
      readFile: async (path) => Buffer.from(read(path)),
      stat: async (path) => ({ sizeBytes: Math.min(read(path).length, 1e9), modifiedMs: 0, inode: 1 }),
    },
    clock: { every: () => () => undefined },
    logger,
    metrics,
  })
  const gauge = async (): Promise<string> =>
    (await metrics.text()).split('\n').find((line) => line.startsWith('edda_auth_last_reload_successful ')) ?? ''
  return { credentials, tick: () => credentials.reload(), messages, gauge }
}

describe('Credentials', () => {
  it('come from the file, as a list or under their key, and from the configuration', async () => {
    for (const text of [entry('x', a.stored), `credentials:\n${entry('x', a.stored)}`]) {
      const fixed = [{ name: 'y', token: b.stored, tenants: '*', permissions: ['admin'] }]
      const { credentials } = await open({ f: text }, 'f', fixed)
      assert.equal(credentials.byName('x')?.name, 'x')
      assert.equal(credentials.byToken(a.token)?.name, 'x')
      assert.equal(credentials.byToken(b.token)?.name, 'y')
      assert.equal(credentials.byToken(a.stored), undefined)
      assert.equal(credentials.byName('z'), undefined)
      assert.equal(credentials.byName('__proto__'), undefined)
    }
  })

  it('follow the file: who is gone is unknown', async () => {
    const files: Record<string, string> = { f: entry('x', a.stored) }
    const { credentials, tick } = await open(files, 'f')
    files['f'] = entry('y', b.stored)
    await tick()
    assert.equal(credentials.byToken(a.token), undefined)
    assert.equal(credentials.byName('x'), undefined)
    assert.equal(credentials.byToken(b.token)?.name, 'y')
    files['f'] = ''
    await tick()
    assert.equal(credentials.byToken(b.token), undefined)
  })

  it('stay when the file turns bad or goes away, and recover', async () => {
    const files: Record<string, string> = { f: entry('x', a.stored) }
    const { credentials, tick, messages, gauge } = await open(files, 'f')
    assert.match(await gauge(), / 1$/)
    files['f'] = entry('x', 'hunter2')
    await tick()
    assert.equal(credentials.byToken(a.token)?.name, 'x')
    assert.match(messages.at(-1) ?? '', /previous one stays: .*f: credential x: token: it is not a hash/)
    assert.ok(!messages.join().includes('hunter2'))
    assert.match(await gauge(), / 0$/)
    delete files['f']
    await tick()
    assert.equal(credentials.byToken(a.token)?.name, 'x')
    files['f'] = entry('x', b.stored)
    await tick()
    assert.equal(credentials.byToken(b.token)?.name, 'x')
    assert.match(await gauge(), / 1$/)
  })

  it('do not start with a bad file', async () => {
    const bad: readonly (readonly [string, RegExp])[] = [
      ['users: []', /f: unknown key users, expected credentials/],
      ['credentials: {a: 1}', /expected a list of credentials/],
      ['x: [', /f:1:/],
      [entry('x', a.stored) + entry('x', b.stored), /two of this name/],
      [`&a [*a]`, /f/],
    ]
    for (const [text, message] of bad) await assert.rejects(open({ f: text }, 'f'), message, text)
    await assert.rejects(open({}, 'none'), /cannot read auth.file none: ENOENT/)
    const fixed = [{ name: 'x', token: b.stored, tenants: '*', permissions: ['admin'] }]
    await assert.rejects(open({ f: entry('x', a.stored) }, 'f', fixed), /credential x: there are two of this name/)
    await assert.rejects(open({ f: 'x'.repeat(17 * 1024 * 1024) }, 'f'), /the limit is 16777216/)
  })
})
