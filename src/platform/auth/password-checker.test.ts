import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { Unavailable } from '#/kernel/errors.ts'
import { realWorld } from '#/platform/world/real-world.ts'
import { PasswordChecker } from './password-checker.ts'
import { parseSecretHash, type ScryptHash } from './secret-hash.ts'

const { random } = realWorld()
/** The cheapest that is allowed. */
const parameters = '$scrypt$ln=10,r=1,p=1'

async function storedFor(password: string): Promise<ScryptHash> {
  const { scryptSync } = await import('node:crypto')
  const hash = scryptSync(password, Buffer.alloc(16), 32, { N: 1024, r: 1, p: 1 })
  return parseSecretHash(
    `${parameters}$${Buffer.alloc(16).toString('base64')}$${hash.toString('base64')}`,
  ) as ScryptHash
}

function checkerAt(maxRunning = 1): { checker: PasswordChecker; pass: (ms: number) => void } {
  let now = 0
  const clock = { monotonicMs: () => now }
  return { checker: new PasswordChecker(maxRunning, { clock, random }), pass: (ms) => void (now += ms) }
}

describe('PasswordChecker', () => {
  it('remembers what was right for a minute of silence, and nothing else', async () => {
    const { checker, pass } = checkerAt()
    const stored = await storedFor('right')
    assert.equal(checker.known('right', stored), undefined)
    assert.equal(await checker.check('right', stored), true)
    assert.equal(await checker.check('wrong', stored), false)
    assert.equal(await checker.known('right', stored), true)
    assert.equal(checker.known('wrong', stored), undefined)
    assert.equal(checker.known('right', await storedFor('other')), undefined, 'the password was changed')
    pass(59_000)
    assert.equal(await checker.known('right', stored), true)
    pass(59_000)
    assert.equal(await checker.known('right', stored), true)
    pass(60_000)
    assert.equal(checker.known('right', stored), undefined)
  })

  it('finds a password out once for all that ask', async () => {
    const { checker } = checkerAt()
    const stored = await storedFor('right')
    const first = checker.check('right', stored)
    assert.equal(checker.known('right', stored), first)
    assert.equal(await first, true)
  })

  it('lets few run and few wait, and goes on', async () => {
    const { checker } = checkerAt(2)
    const stored = await storedFor('right')
    const checks = Array.from({ length: 66 }, (_, index) => checker.check(`guess ${index}`, stored))
    assert.throws(() => checker.check('one more', stored), Unavailable)
    assert.ok((await Promise.all(checks)).every((isRight) => !isRight))
    assert.equal(await checker.check('right', stored), true)
  })

  it('never lets more run than may, whoever comes when one ends', async () => {
    const { checker } = checkerAt(2)
    const stored = await storedFor('right')
    let [running, most, begun] = [0, 0, 0]
    // both are read for the id first; then the salt and the length of the hash when a check begins to run, the hash when it has run
    const watched = (): ScryptHash => {
      const reads = { salt: 0, hash: 0 }
      return new Proxy(stored, {
        get: (target, name: keyof ScryptHash) => {
          if (name === 'salt' && ++reads.salt === 2) most = Math.max(most, ++running)
          if (name === 'hash' && ++reads.hash === 3) running--
          return target[name]
        },
      })
    }
    const one = async (): Promise<void> => {
      await checker.check(`guess ${begun++}`, watched())
      // in the very step in which the next one gets its turn
      if (begun < 60) await one()
    }
    await Promise.all(Array.from({ length: 6 }, one))
    assert.equal(most, 2)
  })
})
