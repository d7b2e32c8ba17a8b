import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'

import { Corruption } from '#/kernel/errors.ts'
import { MemoryStore } from '#/platform/objstore/memory.ts'
import { realClock } from '#/platform/world/real-clock.ts'
import { realWorld } from '#/platform/world/real-world.ts'
import { readRuleGroup } from '#/ruler/model/read-rules.ts'
import type { SavedGroup } from '#/ruler/model/saved-state.ts'
import { LayeredRuleStore } from './layered-rule-store.ts'
import { LocalRuleStore } from './local-rule-store.ts'
import { ObjectRuleStore } from './object-rule-store.ts'
import type { LoadedRules } from './rule-store.ts'
import { StateStore } from './state-store.ts'

const group = (name: string, expr = 'vector(1)') =>
  readRuleGroup(JSON.stringify({ name, rules: [{ alert: 'A', expr, annotations: { x: 'a\n\n  b' } }] }))
const names = ({ namespaces }: LoadedRules): string[] =>
  [...namespaces].map(([namespace, groups]) => `${namespace}: ${groups.map(({ name }) => name).join(' ')}`)

test('objects: any text can be a name, and what is written is read', async () => {
  const objects = new MemoryStore(realClock)
  const store = new ObjectRuleStore(objects)
  for (const name of ['..', 'a/b c', 'é%2F', '*']) await store.set('t', name, group(`${name}!`))
  await store.set('t', '*', group('second'))
  const loaded = await store.load('t')
  assert.deepEqual(names(loaded).toSorted(), ['*: *! second', '..: ..!', 'a/b c: a/b c!', 'é%2F: é%2F!'])
  assert.deepEqual(loaded.namespaces.get('..'), [group('..!')])
  assert.deepEqual(await store.tenants(), ['t'])
  await store.delete('t', '..', '..!')
  await store.delete('t', 'a/b c', 'a/b c!')
  assert.equal((await store.load('t')).namespaces.size, 2)
  await assert.rejects(store.set('t', 'x'.repeat(256), group('g')), /namespace has 256 bytes in the store/)
  await assert.rejects(store.set('t', '', group('g')), /namespace has 0 bytes/)
})

test('objects: one is read again only when it has changed; a bad one is left out', async () => {
  const objects = new MemoryStore(realClock)
  const store = new ObjectRuleStore(objects)
  await store.set('t', 'n', group('g'))
  let reads = 0
  const get = objects.get.bind(objects)
  objects.get = (key) => (reads++, get(key))
  await store.load('t')
  await store.load('t')
  assert.equal(reads, 1)
  await store.set('t', 'n', group('g', 'vector(2)'))
  assert.equal((await store.load('t')).namespaces.get('n')?.[0]?.rules[0]?.expr, 'vector(2)')
  await objects.put('t/rules/n/bad', [Buffer.from('name: bad\nrules: [{}]\n')])
  const { problems, ...loaded } = await store.load('t')
  assert.deepEqual(names({ ...loaded, problems }), ['n: g'])
  assert.deepEqual(problems, ["t/rules/n/bad:3: one of 'record' or 'alert' must be set"])
})

async function directory(t: TestContext): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'edda-rule-files-'))
  t.after(() => rm(dir, { recursive: true, force: true }))
  await mkdir(join(dir, 't'))
  await writeFile(join(dir, 't', 'good.yaml'), 'groups: [{name: f, rules: []}]')
  await writeFile(join(dir, 't', 'bad.yaml'), 'groups: [{name: g, rules: []}, {}]')
  await writeFile(join(dir, 't', '.hidden'), 'nothing')
  return dir
}

test('files: the name is the namespace, a bad one is left out, and nothing is written', async (t) => {
  const store = new LocalRuleStore(realWorld().disk, await directory(t))
  const loaded = await store.load('t')
  assert.deepEqual([await store.tenants(), names(loaded)], [['t'], ['good.yaml: f']])
  assert.deepEqual(loaded.broken, ['bad.yaml'])
  assert.match(loaded.problems.join(), /bad\.yaml:1: group name must not be empty/)
  assert.deepEqual((await store.load('other')).namespaces.size, 0)
  await assert.rejects(store.set(), { message: 'SetRuleGroup unsupported in rule local store' })
})

test('both: files go before objects and are not written', async (t) => {
  const files = new LocalRuleStore(realWorld().disk, await directory(t))
  const objects = new ObjectRuleStore(new MemoryStore(realClock))
  const store = new LayeredRuleStore(files, objects)
  await store.set('t', 'api', group('g'))
  await store.set('u', 'api', group('g'))
  assert.deepEqual(names(await store.load('t')).toSorted(), ['api: g', 'good.yaml: f'])
  assert.deepEqual((await store.tenants()).toSorted(), ['t', 'u'])
  for (const file of ['good.yaml', 'bad.yaml']) {
    await assert.rejects(store.set('t', file, group('g')), {
      message: `namespace ${file} is a file, which is only read`,
    })
  }
})

test('alerts come back as they were; what is damaged is said', async () => {
  const objects = new MemoryStore(realClock)
  const store = new StateStore(objects)
  const saved: SavedGroup = {
    namespace: 'n',
    group: 'g',
    evaluatedMs: 5,
    rules: [
      {
        key: 'k',
        alerts: [
          {
            labels: [['a', 'b']],
            annotations: [],
            value: Number.NaN,
            state: 'firing',
            activeAtMs: 1,
            firedAtMs: 2,
            resolvedAtMs: undefined,
            lastSentMs: 3,
            keepFiringSinceMs: undefined,
            lines: ['x'],
          },
        ],
      },
    ],
  }
  assert.deepEqual(await store.load('t'), { groups: [] })
  await store.save('t', { groups: [saved] })
  const { groups } = await store.load('t')
  assert.equal(groups[0]?.rules[0]?.alerts[0]?.value, Number.NaN)
  assert.deepEqual(
    groups,
    JSON.parse(JSON.stringify([saved]), (key, value) => (key === 'value' ? Number.NaN : value)),
  )
  await objects.put('t/ruler/alerts', [Buffer.from('{"version":9,"groups":[]}')])
  assert.deepEqual(await store.load('t'), { groups: [] })
  await objects.put('t/ruler/alerts', [Buffer.from('{"vers')])
  await assert.rejects(store.load('t'), Corruption)
})
