import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { RowStageNode } from '#/logs/logql/ast/stage-nodes.ts'
import { parseExpr } from '#/logs/logql/parser/parse-expr.ts'
import { explainPages } from './explain-pages.ts'
import { optimizeStages } from './optimize-stages.ts'
import { pageConditions, type PageConditions } from './page-conditions.ts'
import { splitTail } from './split-tail.ts'

function stagesOf(text: string): readonly RowStageNode[] {
  const expr = parseExpr(`{app="a"} ${text}`)
  assert(expr.kind === 'log')
  return splitTail(expr.stages).rowStages
}

/** Terms for filters, as explain prints them. */
function terms(text: string): readonly string[] {
  return explainPages({ ...pageConditions(stagesOf(text)), labels: [] })
}

const labels = (text: string): PageConditions['labels'] => pageConditions(stagesOf(text)).labels

suite('pageConditions', () => {
  const lineFilters: readonly (readonly [stages: string, terms: readonly string[]])[] = [
    ['|= "abc"', ['"abc" in a line']],
    ['|= "abc" |= "def"', ['("abc" in a line and "def" in a line)']],
    ['|= "abc" or "def"', ['("abc" in a line or "def" in a line)']],
    ['|= ""', []],
    ['|= "abc" or ""', []],
    ['!= "abc" !~ "def" !> "<_>x"', []],
    ['|~ "time.?out|refused"', ['("time" in a line or "refused" in a line)']],
    [
      '|~ "user=(a|b).* failed+ .* in [0-9]+ms"',
      ['(("user=a" in a line or "user=b" in a line) and " faile" in a line and " in " in a line and "ms" in a line)'],
    ],
    ['|~ "(a(bc.*de)+|x)"', []],
    ['|~ "(a(bc.*de)+|xyz)"', ['("bc" in a line or "xyz" in a line)']],
    ['|~ "(bc.*de)+f?"', ['("bc" in a line and "de" in a line)']],
    ['|~ "(?i)error"', ['"error" in any case in a line']],
    ['|~ "[0-9]+"', []],
    ['|~ ".*"', []],
    ['|~ "a\ufffdb"', []],
    ['|> "<_> took <_>ms"', ['(" took " in a line and "ms" in a line)']],
    ['|> "<_>"', []],
    ['|= ip("10.0.0.0/8")', []],
    ['|= "abc" or ip("10.0.0.0/8")', []],
    ['| json |= "abc"', ['"abc" in a line']],
    ['| line_format "{{.x}}" |= "abc"', []],
    ['|= "abc" | decolorize |= "def"', ['"abc" in a line']],
    ['| unpack |= "abc"', []],
  ]
  for (const [stages, expected] of lineFilters) {
    test(stages, () => assert.deepEqual(terms(stages), expected))
  }

  test('|=i searches in any case', () => assert.deepEqual(terms('|=i "AbC"'), ['"AbC" in any case in a line']))

  const without = (name: string): string => `, unless a stream has the label ${name}`
  const labelFilters: readonly (readonly [stages: string, terms: readonly string[]])[] = [
    ['| id="7a"', [`metadata id="7a"${without('id')}`]],
    ['| id=""', []],
    ['| id!="7a"', []],
    ['| id=~"7a|8b"', [`(metadata id="7a" or metadata id="8b")${without('id')}`]],
    ['| id=~"7a.*"', []],
    ['| id=~"(?i)abc"', []],
    ['| id=~"|abc"', []],
    ['| id > 5', []],
    ['| id="7a" or status=500', []],
    [
      '| id="7a" or user="u"',
      [`(metadata id="7a" or metadata user="u")${without('id')} or a stream has the label user`],
    ],
    ['| id="7a" and user="u"', [`metadata id="7a"${without('id')}`, `metadata user="u"${without('user')}`]],
    ['| id="7a" and n > 5', [`metadata id="7a"${without('id')}`]],
    ['| __error__="x"', []],
    ['| id_extracted="x"', []],
    // where parsers may find it
    ['| pattern "<id> <_>" | id="7a"', [`(metadata id="7a" or "7a" in a line)${without('id')}`]],
    ['| pattern "<user> <_>" | id="7a"', [`metadata id="7a"${without('id')}`]],
    ['| json | id="7a"', [String.raw`(metadata id="7a" or "7a" in a line or "\\u00" in a line)` + without('id')]],
    [
      '| json id="x.y" | id="7a"',
      [String.raw`(metadata id="7a" or "7a" in a line or "\\u00" in a line)` + without('id')],
    ],
    ['| json id="x.y" | user="7a"', [`metadata user="7a"${without('user')}`]],
    [
      '| logfmt | id="jör g/h"',
      [String.raw`(metadata id="jör g/h" or ("jör" in a line and "g/h" in a line) or "\\" in a line)` + without('id')],
    ],
    ['| json | id="é"', [String.raw`(metadata id="é" or "é" in a line or "\\u" in a line)` + without('id')]],
    ['| json | id=" "', []],
    [
      '| json | id=~"7a.*"',
      [String.raw`("7a" in a line or "\\u00" in a line)` + `${without('id')} or the page has metadata id`],
    ],
    [
      '| json | id=~"(?i)abc"',
      [String.raw`("abc" in any case in a line or "\\u" in a line)` + `${without('id')} or the page has metadata id`],
    ],
    [
      '| json | line_format "{{.x}}" | id="7a"',
      [String.raw`(metadata id="7a" or "7a" in a line or "\\u00" in a line)` + without('id')],
    ],
    ['| line_format "{{.x}}" | json | id="7a"', []],
    ['| line_format "{{.x}}" | id="7a"', [`metadata id="7a"${without('id')}`]],
    ['| unpack | id="7a"', []],
    ['| unpack | json | id="7a"', []],
    // where other stages touch it
    ['| label_format id=user | id="7a"', []],
    ['| label_format user=id | id="7a"', []],
    ['| label_format x="{{.id}}" | id="7a"', [`metadata id="7a"${without('id')}`]],
    ['| drop id | id="7a"', []],
    ['| keep id | id="7a"', [`metadata id="7a"${without('id')}`]],
    ['| keep id="7a" | id="7a"', []],
    ['| keep user | id="7a"', []],
  ]
  for (const [stages, expected] of labelFilters) test(stages, () => assert.deepEqual(terms(stages), expected))

  test('values of subqueries count once they are known', () => {
    const [node] = stagesOf('| id in ({app="b"} | keep id)')
    assert(node?.kind === 'label_filter' && node.filter.kind === 'in')
    const withValues = (values: readonly string[]): readonly string[] =>
      explainPages({ ...pageConditions([{ ...node, filter: { ...node.filter, values } } as RowStageNode]), labels: [] })
    assert.deepEqual(terms('| id in ({app="b"} | keep id)'), [])
    assert.deepEqual(labels('| id in ({app="b"} | keep id)'), [])
    assert.deepEqual(withValues(['x', 'y']), [`(metadata id="x" or metadata id="y")${without('id')}`])
    assert.deepEqual(withValues([]), [`()${without('id')}`])
    assert.deepEqual(withValues(['x', '']), [])
    assert.deepEqual(withValues(Array.from({ length: 65 }, (_, i) => `v${i}`)), [])
  })

  test('the optimizer changes no condition', () => {
    for (const [stages] of [...lineFilters, ...labelFilters]) {
      const plain = stagesOf(stages)
      const values = (all: readonly RowStageNode[]): readonly string[] =>
        explainPages({ ...pageConditions(all), labels: [] }).filter((term) => term.includes('metadata'))
      assert.deepEqual(values(optimizeStages(plain).stages), values(plain), stages)
    }
  })

  test('label filters on texts are for statistics', () => {
    const names = (text: string): readonly unknown[] => labels(text).map(({ name, mayBeParsed }) => [name, mayBeParsed])
    assert.deepEqual(names('| id=~"7.*" | user!="u" and n > 5'), [
      ['id', false],
      ['user', false],
    ])
    assert.deepEqual(names('| json | id=~"7.*" or id=""'), [['id', true]])
    assert.deepEqual(names('| id="a" or user="b"'), [])
    assert.deepEqual(names('| label_format id=user | id="7a"'), [])
    assert.deepEqual(names('| pattern "<user> <_>" | id="7a"'), [['id', false]])
  })
})
