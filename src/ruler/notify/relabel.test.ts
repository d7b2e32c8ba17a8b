import assert from 'node:assert/strict'
import { test } from 'node:test'

import { parseRelabelRules, relabel } from './relabel.ts'

const labels = { alertname: 'Errors', app: 'Shop', env: 'dev', pod: 'shop-7' }

function changed(...rules: readonly object[]): Record<string, string> | undefined {
  const left = relabel(Object.entries(labels), parseRelabelRules(rules))
  return left && Object.fromEntries(left)
}

test('no rule changes nothing', () => {
  assert.deepEqual(changed(), labels)
  assert.deepEqual(parseRelabelRules(undefined), [])
})

test('replace: a whole match, groups in target and replacement, an empty text takes a label away', () => {
  const joined = { source_labels: ['app', 'env'], target_label: 'where' }
  assert.deepEqual(changed(joined), { ...labels, where: 'Shop;dev' })
  assert.deepEqual(changed({ ...joined, separator: '/', replacement: 'in $1' }), { ...labels, where: 'in Shop/dev' })
  assert.deepEqual(changed({ ...joined, regex: 'Shop' }), labels)
  const pod = { source_labels: ['pod'], regex: '(?P<name>[a-z]+)-(\\d+)' }
  assert.deepEqual(changed({ ...pod, target_label: '${name}_number', replacement: '$2' }), {
    ...labels,
    shop_number: '7',
  })
  assert.deepEqual(changed({ ...pod, target_label: '$2' }), labels)
  assert.deepEqual(changed({ target_label: 'app', replacement: '' }), {
    alertname: 'Errors',
    env: 'dev',
    pod: 'shop-7',
  })
})

test('keep and drop, by match and by equality', () => {
  assert.equal(changed({ action: 'keep', source_labels: ['env'], regex: 'pro' }), undefined)
  assert.equal(changed({ action: 'keep', source_labels: ['env'], regex: 'de' }), undefined)
  assert.deepEqual(changed({ action: 'Keep', source_labels: ['env'], regex: 'dev|prod' }), labels)
  assert.equal(changed({ action: 'drop', source_labels: ['env'], regex: 'dev|prod' }), undefined)
  assert.deepEqual(changed({ action: 'drop', source_labels: ['none'], regex: '.+' }), labels)
  assert.equal(changed({ action: 'dropequal', source_labels: ['env'], target_label: 'env' }), undefined)
  assert.equal(changed({ action: 'keepequal', source_labels: ['env'], target_label: 'app' }), undefined)
})

test('names: map, drop, keep', () => {
  assert.deepEqual(changed({ action: 'labelmap', regex: '(a.p)', replacement: 'the_$1' }), {
    ...labels,
    the_app: 'Shop',
  })
  const again = { action: 'labelmap', regex: '(a*pp)', replacement: 'a$1' }
  assert.deepEqual(changed(again), { ...labels, aapp: 'Shop' }, 'labels that a rule makes are not its own')
  assert.deepEqual(changed({ action: 'labeldrop', regex: 'pod|env' }), { alertname: 'Errors', app: 'Shop' })
  assert.deepEqual(changed({ action: 'labelkeep', regex: 'app' }), { app: 'Shop' })
  assert.equal(changed({ action: 'labelkeep', regex: 'none' }), undefined, 'an alert without labels is refused')
})

test('case and hash', () => {
  assert.equal(changed({ action: 'lowercase', source_labels: ['app'], target_label: 'app' })?.['app'], 'shop')
  assert.equal(changed({ action: 'uppercase', source_labels: ['env'], target_label: 'x' })?.['x'], 'DEV')
  // the figures of Prometheus' own tests
  const hashed = (value: string): string | undefined => {
    const rule = { action: 'hashmod', source_labels: ['c'], target_label: 'd', modulus: 1000 }
    return new Map(relabel([['c', value]], parseRelabelRules([rule]))).get('d')
  }
  assert.deepEqual(['baz', 'foo\nbar'].map(hashed), ['976', '734'])
})

test('rules see what those before them did', () => {
  assert.equal(
    changed({ target_label: 'env', replacement: 'prod' }, { action: 'drop', source_labels: ['env'], regex: 'prod' }),
    undefined,
  )
})

test('what is wrong is said', () => {
  const wrong = (rule: object, error: RegExp) => assert.throws(() => parseRelabelRules([rule]), error)
  wrong({ action: 'rename' }, /rule 1\.action: 'rename' is none of replace, keep/)
  wrong({}, /rule 1\.target_label: replace needs the name of a label, found ''/)
  wrong({ action: 'lowercase', target_label: '$1' }, /lowercase needs the name of a label/)
  wrong({ action: 'hashmod', target_label: 'x' }, /rule 1\.modulus: expected a positive whole number/)
  wrong({ action: 'keep', regex: '(' }, /rule 1\.regex: .*missing closing \)/)
  wrong({ target: 'x' }, /rule 1: unknown key target/)
  wrong({ action: 'keep', source_labels: 'env' }, /expected a list of names/)
  assert.throws(() => parseRelabelRules({}), /expected a list of rules/)
})
