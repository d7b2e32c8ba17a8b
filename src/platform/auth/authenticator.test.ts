import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { Forbidden, LimitExceeded } from '#/kernel/errors.ts'
import type { Clock } from '#/kernel/world.ts'
import { type Access, type Grant, Unauthenticated } from '#/platform/http/access.ts'
import { Metrics } from '#/platform/telemetry/metrics.ts'
import { realWorld } from '#/platform/world/real-world.ts'
import { Authenticator } from './authenticator.ts'
import { type Credential, parseCredentials } from './credential.ts'
import { digestOf, hashPassword, newToken } from './secret-hash.ts'

const { random, clock } = realWorld()
const { token, stored } = newToken(random)
const credentials = parseCredentials([
  { name: 'grafana', password: await hashPassword('hünter:2', random), tenants: ['acme'], permissions: ['read'] },
  { name: 'promtail', token: stored, tenants: ['acme', 'b'], permissions: ['write'] },
])

function authenticator(openPaths: readonly string[] = []): {
  control: Authenticator
  slept: number[]
  metrics: Metrics
} {
  const slept: number[] = []
  const quick: Clock = { ...clock, sleep: async (ms) => void slept.push(ms) }
  const metrics = new Metrics()
  const find = (is: (one: Credential) => boolean): Credential | undefined => credentials.find(is)
  const directory = {
    byName: (name: string) => find((one) => one.name === name),
    byToken: (text: string) => find(({ kind, secret }) => kind === 'token' && secret.hash.equals(digestOf(text))),
  }
  const control = new Authenticator({ maxChecks: 1, openPaths }, { clock: quick, random, metrics, directory })
  return { control, slept, metrics }
}

const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`

function admit(
  { control }: { control: Authenticator },
  authorization: string | undefined,
  access: Access = 'read',
  { path = '/x', remoteAddress = '10.0.0.1' } = {},
): Promise<Grant> {
  const headers = authorization === undefined ? {} : { authorization }
  return control.admit({ headers, access, path, remoteAddress }, new AbortController().signal)
}

describe('Authenticator', () => {
  it('knows users by password and tokens in either form', async () => {
    const all = authenticator()
    assert.deepEqual(await admit(all, basic('grafana:hünter:2')), { tenants: ['acme'] })
    assert.deepEqual(await admit(all, `Bearer ${token}`, 'write'), { tenants: ['acme', 'b'] })
    assert.deepEqual(await admit(all, `bearer   ${token}`, 'write'), { tenants: ['acme', 'b'] })
    assert.deepEqual(await admit(all, basic(`promtail:${token}`), 'write'), { tenants: ['acme', 'b'] })
    assert.deepEqual(await admit(all, `Bearer ${token}`, 'any'), { tenants: ['acme', 'b'] })
    assert.deepEqual(all.slept, [])
  })

  it('refuses what is missing at once, and what is wrong late', async () => {
    const all = authenticator()
    await assert.rejects(admit(all, undefined), { code: 'unauthorized', message: 'credentials are missing' })
    await assert.rejects(admit(all, ''), Unauthenticated)
    assert.deepEqual(all.slept, [])
    const wrong = [
      basic('grafana:hunter'),
      basic('grafana'),
      basic('nobody:hünter:2'),
      basic('grafana:'),
      basic(`grafana:${token}`),
      basic('promtail:hünter:2'),
      basic(`grafana:${'x'.repeat(1025)}`),
      `Bearer ${token}x`,
      `Bearer ${stored}`,
      `Bearer ${'x'.repeat(5000)}`,
      'Bearer',
      'Digest username="grafana"',
      `Bearer ${token}, ${basic('grafana:x')}`,
    ]
    for (const [index, one] of wrong.entries()) {
      const remoteAddress = `10.0.1.${index}`
      await assert.rejects(admit(all, one, 'read', { remoteAddress }), { message: 'credentials are wrong' }, one)
    }
    assert.deepEqual(
      all.slept,
      wrong.map(() => 250),
    )
  })

  it('says which permission is missing', async () => {
    const all = authenticator()
    await assert.rejects(admit(all, `Bearer ${token}`, 'read'), new Forbidden('promtail lacks permission read'))
    await assert.rejects(admit(all, basic('grafana:hünter:2'), 'admin'), /grafana lacks permission admin/)
    const text = await all.metrics.text()
    assert.match(text, /edda_auth_refused_total\{reason="forbidden"\} 2/)
  })

  it('leaves open what is told to be, and nothing beside', async () => {
    const all = authenticator(['/ready'])
    assert.deepEqual(await admit(all, undefined, 'any', { path: '/ready' }), { tenants: [] })
    await assert.rejects(admit(all, undefined, 'any', { path: '/metrics' }), Unauthenticated)
  })

  it('limits guesses by address, but neither tokens nor passwords that it has seen', async () => {
    const all = authenticator()
    await admit(all, basic('grafana:hünter:2'))
    const guesses = await Promise.allSettled(
      Array.from({ length: 40 }, (_, index) => admit(all, `Bearer guess-${index}`)),
    )
    const limited = guesses.filter((one) => one.status === 'rejected' && one.reason instanceof LimitExceeded)
    assert.equal(limited.length, 20)
    await assert.rejects(admit(all, basic('grafana:guess')), {
      code: 'limit_exceeded',
      message: 'too many wrong credentials from this address',
    })
    await admit(all, basic('grafana:hünter:2'))
    await admit(all, `Bearer ${token}`, 'write')
    await assert.rejects(admit(all, 'Bearer guess', 'read', { remoteAddress: '10.9.9.9' }), Unauthenticated)
  })

  it('checks the right password once, however many requests begin with it', async () => {
    const all = authenticator()
    const cpuMs = ({ user, system }: NodeJS.CpuUsage): number => (user + system) / 1000
    const before = process.cpuUsage()
    await admit(all, basic('grafana:hünter:2'), 'read', { remoteAddress: '10.0.0.2' })
    const onceMs = cpuMs(process.cpuUsage(before))
    const others = authenticator()
    const between = process.cpuUsage()
    await Promise.all(Array.from({ length: 100 }, () => admit(others, basic('grafana:hünter:2'))))
    // of the whole process, its threads that check included
    const manyMs = cpuMs(process.cpuUsage(between))
    assert.ok(manyMs < 20 * onceMs + 500, `${manyMs} ms for all, ${onceMs} ms for one`)
  })
})
