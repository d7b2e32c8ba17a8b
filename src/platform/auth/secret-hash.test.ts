import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { realWorld } from '#/platform/world/real-world.ts'
import { hashPassword, isPassword, isToken, newToken, parseSecretHash, type ScryptHash } from './secret-hash.ts'

const { random } = realWorld()

describe('hashes of secrets', () => {
  it('know their password and no other, each with a salt of its own', async () => {
    const stored = await hashPassword('hunter2 ä', random)
    assert.match(stored, /^\$scrypt\$ln=14,r=8,p=5\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/)
    const parsed = parseSecretHash(stored) as ScryptHash
    assert.equal(await isPassword('hunter2 ä', parsed), true)
    assert.equal(await isPassword('hunter2 a\u0308', parsed), true, 'the same letters, written otherwise')
    assert.equal(await isPassword('hunter2 ', parsed), false)
    assert.notEqual(await hashPassword('hunter2 ä', random), stored)
  })

  it('agree with the test vector of RFC 7914', async () => {
    const salt = Buffer.from('SodiumChloride').toString('base64').replaceAll('=', '')
    const hash = Buffer.from(
      '7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2' +
        'd5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887',
      'hex',
    )
    const text = `$scrypt$ln=14,r=8,p=1$${salt}$${hash.toString('base64').replaceAll('=', '')}`
    assert.equal(await isPassword('pleaseletmein', parseSecretHash(text) as ScryptHash), true)
  })

  it('know their token', () => {
    const { token, stored } = newToken(random)
    const parsed = parseSecretHash(stored)
    assert.ok(parsed.kind === 'sha256' && isToken(token, parsed))
    assert.equal(isToken(`${token}x`, parsed), false)
    assert.ok(token.startsWith('edda_') && token.length > 45)
  })

  it('refuse what is none, or would cost too much, and do not repeat it', () => {
    const salt = 'A'.repeat(22)
    const hash = 'B'.repeat(43)
    const cases: readonly (readonly [string, RegExp])[] = [
      ['hunter2', /not a hash that/],
      ['', /not a hash that/],
      ['$sha256$short', /not a hash that/],
      [`$scrypt$ln=9,r=8,p=5$${salt}$${hash}`, /ln is 9, it must be from 10 to 20/],
      [`$scrypt$ln=20,r=8,p=5$${salt}$${hash}`, /would take 1073741824 bytes, the limit is 67108864/],
      [`$scrypt$ln=14,r=0,p=5$${salt}$${hash}`, /r must be from 1 to 32/],
      [`$scrypt$ln=14,r=8,p=17$${salt}$${hash}`, /p from 1 to 16/],
      [`$scrypt$ln=14,r=8,p=5$AAAA$${hash}`, /the salt has 3 bytes/],
      [`$scrypt$ln=14,r=8,p=5$${salt}$BBBB`, /the hash has 3 bytes/],
      [`$scrypt$ln=14,r=8,p=5$${salt}$${'B'.repeat(200)}`, /the hash has 150 bytes/],
    ]
    for (const [text, message] of cases) {
      assert.throws(() => parseSecretHash(text), message)
      if (text === '') continue
      assert.throws(
        () => parseSecretHash(text),
        (error: Error) => !error.message.includes(text),
      )
    }
  })
})
