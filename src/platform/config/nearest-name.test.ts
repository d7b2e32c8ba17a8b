import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import fc from 'fast-check'

import { editDistance, nearestName } from './nearest-name.ts'

describe('nearestName', () => {
  it('finds slips and nothing else', () => {
    const names = ['http_listen_port', 'http_listen_address', 'log_level', 'dir']
    assert.equal(nearestName('http_listen_prot', names), 'http_listen_port')
    assert.equal(nearestName('loglevel', names), 'log_level')
    assert.equal(nearestName('dri', names), 'dir')
    assert.equal(nearestName('file', names), undefined)
    assert.equal(nearestName('x', names), undefined)
    assert.equal(nearestName('anything', []), undefined)
  })
})

describe('editDistance', () => {
  it('counts edits', () => {
    assert.equal(editDistance('', 'abc'), 3)
    assert.equal(editDistance('abc', 'abc'), 0)
    assert.equal(editDistance('kitten', 'sitting'), 3)
    assert.equal(editDistance('ab', 'ba'), 1)
  })

  it('is symmetric and bounded (property)', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 12 }), fc.string({ maxLength: 12 }), (a, b) => {
        const edits = editDistance(a, b)
        assert.equal(edits, editDistance(b, a))
        assert.ok(edits <= Math.max(a.length, b.length) && edits >= Math.abs(a.length - b.length))
        assert.equal(edits === 0, a === b)
      }),
    )
  })
})
