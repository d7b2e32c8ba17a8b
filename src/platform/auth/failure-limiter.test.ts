import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { FailureLimiter, networkOf } from './failure-limiter.ts'

function limiterAt(): { limiter: FailureLimiter; pass: (ms: number) => void } {
  let now = 1000
  return { limiter: new FailureLimiter({ monotonicMs: () => now }), pass: (ms) => void (now += ms) }
}
const failures = (limiter: FailureLimiter, count: number, address = '1.2.3.4'): void => {
  for (let index = 0; index < count; index++) limiter.fail(address)
}

describe('FailureLimiter', () => {
  it('allows twenty failures at once, and then one every three seconds', () => {
    const { limiter, pass } = limiterAt()
    failures(limiter, 19)
    assert.equal(limiter.waitMs('1.2.3.4'), 0)
    failures(limiter, 1)
    assert.equal(limiter.waitMs('1.2.3.4'), 3000)
    assert.equal(limiter.waitMs('1.2.3.5'), 0)
    pass(2990)
    assert.ok(limiter.waitMs('1.2.3.4') >= 10)
    pass(10)
    assert.equal(limiter.waitMs('1.2.3.4'), 0)
    failures(limiter, 1)
    assert.equal(limiter.waitMs('1.2.3.4'), 3000)
  })

  it('gives back what turned out to be right, and forgets in time', () => {
    const { limiter, pass } = limiterAt()
    failures(limiter, 20)
    limiter.forgive('1.2.3.4')
    assert.equal(limiter.waitMs('1.2.3.4'), 0)
    failures(limiter, 10_000)
    pass(120_000)
    assert.equal(limiter.waitMs('1.2.3.4'), 0)
  })

  it('remembers a bounded number of addresses, the newest', () => {
    const { limiter } = limiterAt()
    failures(limiter, 20, 'old')
    for (let index = 0; index < 10_000; index++) limiter.fail(`10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`)
    assert.equal(limiter.waitMs('old'), 0)
    failures(limiter, 20, 'new')
    assert.ok(limiter.waitMs('new') > 0)
  })

  it('takes an IPv6 network for one address', () => {
    assert.equal(networkOf('2001:db8:1:2:3:4:5:6'), '2001:db8:1:2::/64')
    assert.equal(networkOf('2001:db8::1'), '2001:db8:0:0::/64')
    assert.equal(networkOf('fe80::1%eth0'), 'fe80:0:0:0::/64')
    assert.equal(networkOf('::1'), '0:0:0:0::/64')
    assert.equal(networkOf('::ffff:10.0.0.1'), '10.0.0.1')
    assert.equal(networkOf('10.0.0.1'), '10.0.0.1')
  })
})
