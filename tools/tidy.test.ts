import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

import { readTree, tidy } from './tidy.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
// put together, so that the samples below are not taken for imports of this file
const imports = (target: string, what = '{ a }'): string => `import ${what} from '${target}'\n`

const samples: readonly {
  readonly name: string
  readonly path: string
  readonly text: string
  readonly finds: string[]
}[] = [
  {
    name: 'a layer that reaches up',
    path: 'src/kernel/crc32c.ts',
    text: imports('#/platform/http/server.ts'),
    finds: ['src/kernel/crc32c.ts: kernel may not import platform'],
  },
  {
    name: 'an import that climbs',
    path: 'src/kernel/crc32c.ts',
    text: imports('../platform/http/server.ts'),
    finds: ["src/kernel/crc32c.ts: '../platform/http/server.ts' climbs out of its folder, use '#/'"],
  },
  {
    name: 'an engine that imports another',
    path: 'src/traces/read/scan.ts',
    text: imports('#/logs/read/scan.ts'),
    finds: ['src/traces/read/scan.ts: traces may not import logs'],
  },
  {
    name: 'a rank that reaches up, over several lines and as a type',
    path: 'src/logs/store/page.ts',
    text: "import type {\n  A,\n  B,\n} from '#/logs/write/head.ts'\n",
    finds: ['src/logs/store/page.ts: logs/store may not import logs/write'],
  },
  {
    name: 'strangers of one rank',
    path: 'src/logs/read/querier.ts',
    text: imports('#/logs/write/head.ts'),
    finds: ['src/logs/read/querier.ts: logs/read may not import logs/write'],
  },
  {
    name: 'a dynamic import',
    path: 'src/storage/wal/segment.ts',
    text: "const a = await import('#/logs/read/scan.ts')\n",
    finds: ['src/storage/wal/segment.ts: storage may not import logs'],
  },
  {
    name: 'a re-export',
    path: 'src/storage/wal/segment.ts',
    text: "export { a } from '#/logs/read/scan.ts'\n",
    finds: ['src/storage/wal/segment.ts: storage may not import logs'],
  },
  {
    name: 'a folder of an engine without a rank',
    path: 'src/logs/drawer/thing.ts',
    text: imports('#/logs/model/day.ts'),
    finds: ["src/logs/drawer/thing.ts: 'drawer' or 'model' has no rank"],
  },
  {
    name: 'an unknown layer',
    path: 'src/magic/thing.ts',
    text: imports('#/kernel/assert.ts'),
    finds: ["src/magic/thing.ts: layer 'magic' is not in the layer table"],
  },
  {
    name: 'a client that knows too much of an engine',
    path: 'src/agent/send/sender.ts',
    text: imports('#/logs/write/push/decode.ts'),
    finds: ['src/agent/send/sender.ts: agent may not import logs/write'],
  },
  {
    name: 'a type of the page taken as a value',
    path: 'src/logs/wire/query.ts',
    text: imports('#/logs/store/log-page.ts'),
    finds: ['src/logs/wire/query.ts: logs/wire may not import logs/store'],
  },
  {
    name: 'a vague folder',
    path: 'src/kernel/utils/crc32c.ts',
    text: '',
    finds: ['src/kernel/utils/crc32c.ts: name the thing, not the drawer it lies in'],
  },
  {
    name: 'a vague file',
    path: 'src/kernel/helpers.ts',
    text: '',
    finds: ['src/kernel/helpers.ts: name the thing, not the drawer it lies in'],
  },
  {
    name: 'a reminder without an issue',
    path: 'src/kernel/heap.ts',
    text: `// ${'TO'}${'DO'} later\n`,
    finds: [`src/kernel/heap.ts: a ${'TO'}${'DO'} names its issue: ${'TO'}${'DO'}(#123)`],
  },
  {
    name: 'a long file',
    path: 'src/kernel/heap.ts',
    text: '\n'.repeat(801),
    finds: ['src/kernel/heap.ts: 801 lines, the limit is 800'],
  },
  {
    name: 'the clock',
    path: 'src/storage/wal/segment.ts',
    text: 'const a = Date.now()\n',
    finds: ['src/storage/wal/segment.ts: uses Date.now(): take Clock or Random as an argument'],
  },
  {
    name: 'chance',
    path: 'src/agent/send/backoff.ts',
    text: 'const a = Math.random() * 2\n',
    finds: ['src/agent/send/backoff.ts: uses Math.random(): take Clock or Random as an argument'],
  },
  {
    name: 'a timer',
    path: 'src/platform/http/server.ts',
    text: 'setTimeout(() => 1, 10)\n',
    finds: ['src/platform/http/server.ts: uses a timer: take Clock or Random as an argument'],
  },
  {
    name: 'the disk',
    path: 'src/platform/objstore/fs.ts',
    text: imports('node:fs/promises'),
    finds: ["src/platform/objstore/fs.ts: imports 'node:fs/promises': take Disk or Clock as an argument"],
  },
]

for (const { name, path, text, finds } of samples) {
  test(`tidy finds ${name}`, () => assert.deepEqual(tidy([{ path, text }]), finds))
}

test('tidy finds a ring of folders, type imports included', () => {
  const files = [
    { path: 'src/storage/wal/a.ts', text: imports('#/storage/block/b.ts') },
    { path: 'src/storage/block/b.ts', text: imports('#/storage/column/c.ts') },
    { path: 'src/storage/column/c.ts', text: "import type { A } from '#/storage/wal/a.ts'\n" },
  ]
  assert.deepEqual(tidy(files), ['folder cycle: storage/wal → storage/block → storage/column → storage/wal'])
})

test('tidy lets pass what is allowed', () => {
  const files = [
    { path: 'src/platform/world/real-clock.ts', text: `${imports('node:fs')}Date.now(); setTimeout(() => 1, 1)\n` },
    { path: 'src/kernel/heap.test.ts', text: `${imports('node:fs')}${imports('#/platform/world/real-world.ts')}` },
    { path: 'src/logs/wire/query.ts', text: "import type { A } from '#/logs/store/log-page.ts'\n" },
    { path: 'src/agent/send/sender.ts', text: imports('#/logs/wire/encode-push.ts') },
    { path: 'src/kernel/clock.ts', text: '// Date.now() is for the world\nclock.setTimeout(1)\n' },
    { path: 'tools/docs.ts', text: `${imports('node:fs')}Date.now()\n` },
  ]
  assert.deepEqual(tidy(files), [])
})

test('tidy sees the tree', () => {
  const files = readTree(root)
  assert.ok(files.length > 30, `saw ${files.length} files`)
  assert.ok(files.some((file) => file.path === 'src/kernel/assert.ts' && file.text.includes('AssertionFailed')))
})

test('the tree is tidy', () => assert.deepEqual(tidy(readTree(root)), []))
