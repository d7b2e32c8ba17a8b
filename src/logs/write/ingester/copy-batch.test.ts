import assert from 'node:assert/strict'
import { test } from 'node:test'

import { copyBatch } from './copy-batch.ts'
import { buildEntryBatch } from '#/logs/wire/entry-batch-builder.ts'
import { encodeEntryBatch } from '#/logs/wire/entry-batch-codec.ts'
import type { EntryBatch } from '#/logs/wire/entry-batch.ts'

const columns = [
  'stream',
  'day',
  'time',
  'bytes',
  'lineStart',
  'lineLength',
  'meta',
  'metaStart',
  'metaLength',
] as const

test('a copied batch shares no memory with the push that it came with', () => {
  const rows = ['one', 'two'].map((line) => ({ stream: `{a="${line}"}`, timeNs: 5n, line, metadata: { k: line } }))
  const batch = buildEntryBatch(rows)
  const encoded = (one: EntryBatch): Buffer => Buffer.concat(encodeEntryBatch('t', one))
  const before = encoded(batch)
  const copy = copyBatch(batch)
  assert.deepEqual(encoded(copy), before)
  for (const column of columns) batch[column].fill(0)
  batch.streams.bytes.fill(0)
  batch.streams.ends.fill(0)
  batch.streams.hashes.fill(0)
  assert.deepEqual(encoded(copy), before)
})
