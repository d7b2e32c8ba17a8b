import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KeyTable, ROOT_KEY } from './key-table.ts'

const wishes = { value: () => true, children: () => true }

test('keys are known again when the memory that they were read from holds something else', () => {
  const table = new KeyTable(wishes, 'json')
  const line = Buffer.from('level":')
  const id = table.find(line, 0, 5, ROOT_KEY)
  line.write('xxxxx')
  assert.equal(table.find(Buffer.from('level'), 0, 5, ROOT_KEY), id)
  assert.notEqual(table.find(line, 0, 5, ROOT_KEY), id)
  assert.deepEqual(table.names, ['', 'level', 'xxxxx'])
})

test('a key is where it is expected only in its object, and with the right byte behind it', () => {
  const table = new KeyTable(wishes, 'json')
  const line = Buffer.from('"user":"level":"levels"')
  const user = table.find(line, 1, 5, ROOT_KEY)
  const level = table.find(line, 8, 13, user)
  assert.equal(table.sizeAt(level, line, 8, user, 0x22), 5)
  assert.equal(table.sizeAt(level, line, 8, ROOT_KEY, 0x22), -1)
  assert.equal(table.sizeAt(level, line, 16, user, 0x22), -1, 'another key begins with it')
  assert.equal(table.sizeAt(user, line, 8, ROOT_KEY, 0x22), -1)
  assert.equal(table.sizeAt(ROOT_KEY, line, 0, ROOT_KEY, 0x22), -1, 'the root is no key, not even the empty one')
  assert.equal(table.sizeAt(17, line, 0, ROOT_KEY, 0x22), -1)
})
