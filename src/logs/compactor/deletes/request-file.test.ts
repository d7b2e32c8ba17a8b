import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { encodeRequest, parseRequest, requestIdOf, requestKey, type StoredRequest } from './request-file.ts'

const request: StoredRequest = {
  id: '0123abcd',
  tenant: 'a',
  query: '{app="x"} |= "é"',
  startMs: 1,
  endMs: 2,
  createdMs: 3,
  state: 'erasing',
  erasedRows: 4,
  erasedBytes: 5,
  blocks: 6,
  blocksDone: 7,
  erasedMs: undefined,
  oldBlocks: ['a/logs/2026-01-01/x.edda'],
}

describe('a stored delete request', () => {
  it('is read as it was written', () => {
    const read = parseRequest(encodeRequest(request))
    assert.deepEqual(read, JSON.parse(JSON.stringify(request)))
  })

  it('is not read when a byte of it has changed', () => {
    const bytes = encodeRequest(request)
    let refused = 0
    for (let at = 0; at < bytes.length - 1; at++) {
      const changed = Buffer.from(bytes)
      changed[at]! ^= 1
      const read = parseRequest(changed)
      if (typeof read === 'string') refused++
      else assert.deepEqual(read, JSON.parse(JSON.stringify(request)), `byte ${at}`)
    }
    assert.ok(refused > bytes.length * 0.9)
  })

  it('is found by its key', () => {
    assert.equal(requestKey(request), 'a/deletes/0123abcd.json')
    assert.equal(requestIdOf('a/deletes/0123abcd.json'), '0123abcd')
    for (const key of [
      'a/deletes/0123abcd',
      'a/rules/0123abcd.json',
      'a/deletes/x/0123abcd.json',
      'a/deletes/x.json',
    ]) {
      assert.equal(requestIdOf(key), undefined, key)
    }
  })
})
