/** Optimized stages keep the same entries with the same lines, labels and errors, whatever the stages and the data. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc, { type Arbitrary } from 'fast-check'
import type { LabelPredicate, RowStageNode } from '#/logs/logql/ast/stage-nodes.ts'
import { parseExpr } from '#/logs/logql/parser/parse-expr.ts'
import { compilePipeline } from '#/logs/logql/pipeline/compile-pipeline.ts'
import { outcomeOf, pageOf, selectRows, type FixtureEntry, type Outcome } from '#/logs/logql/pipeline/page-fixture.ts'
import type { NeededLabels } from '#/logs/logql/pipeline/row.ts'
import { printStage } from '#/logs/logql/stages/index.ts'
import { logExpr } from '#/logs/logql/testdata/log-arbitrary.ts'
import { compileRegex } from '#/platform/regex/compile.ts'
import { enableLinearRegex } from '#/platform/regex/linear.ts'
import type { Labels } from '#/storage/index/label-index.ts'
import { optimizeStages } from './optimize-stages.ts'
import { splitTail } from './split-tail.ts'
import { streamFilters } from './stream-filters.ts'
import { testSeed } from '#/kernel/fixture/test-seed.ts'

enableLinearRegex()

// few names and values, so that labels of streams, metadata and lines meet often
const name = fc.constantFrom('app', 'level', 'pod', 'status', 'a_b', 'level_extracted', 'msg')
const value = fc.constantFrom(
  'error',
  'err',
  'info',
  '500',
  '5 00',
  'a',
  '',
  'x y',
  'é',
  'er"ror',
  'back\\slash',
  '10.0.0.1',
)
const quoted = value.map((text) => JSON.stringify(text))
const regex = fc.constantFrom(
  'err.*',
  'error|info',
  '.*',
  '',
  '(?i)ERROR',
  '^err',
  '[a-z]+',
  'e(r)+o',
  '.+',
  '5 ?00',
  'é',
)

const stageText: Arbitrary<string> = fc.oneof(
  fc
    .tuple(fc.constantFrom('|=', '!='), fc.array(quoted, { minLength: 1, maxLength: 2 }))
    .map(([op, texts]) => `${op} ${texts.join(' or ')}`),
  fc.tuple(fc.constantFrom('|~', '!~'), regex).map(([op, text]) => `${op} ${JSON.stringify(text)}`),
  fc
    .tuple(fc.constantFrom('|>', '!>'), fc.constantFrom('<_>error<_>', 'level=<_>', '<_>', ''))
    .map(([op, text]) => `${op} "${text}"`),
  { weight: 3, arbitrary: fc.constantFrom('| json', '| logfmt', '| logfmt --strict', '| unpack', '| decolorize') },
  fc.constantFrom(
    '| json level="level", pod="a.b"',
    '| logfmt level, app="pod"',
    '| json msg="msg"',
    '| logfmt --keep-empty',
  ),
  fc.constantFrom('| regexp "level=(?P<level>[^ ]*)"', '| pattern "<pod> <level>"', '| pattern "level=<msg> <_>"'),
  { weight: 6, arbitrary: labelFilter() },
  name.map((label) => `| ${label} in ({app="a"} | keep level)`),
  fc.constantFrom(
    '| line_format "{{.level}} {{.msg}}"',
    '| line_format "{{.level | int | div 1}}"',
    '| line_format "x"',
  ),
  fc.tuple(name, name).map(([to, from]) => `| label_format ${to}=${from}`),
  fc.tuple(name, name).map(([to, from]) => `| label_format ${to}="{{.${from}}}"`),
  fc.tuple(fc.constantFrom('drop', 'keep'), name).map(([word, label]) => `| ${word} ${label}`),
  fc.tuple(fc.constantFrom('drop', 'keep'), name, quoted).map(([word, label, text]) => `| ${word} ${label}=${text}`),
  fc.constantFrom('| drop __error__, __error_details__', '| __error__=""', '| __error__!="" or level="error"'),
)

function labelFilter(): Arbitrary<string> {
  const atom = fc.oneof(
    { weight: 4, arbitrary: fc.tuple(name, fc.constantFrom('=', '!='), quoted).map((parts) => parts.join('')) },
    fc
      .tuple(
        name,
        fc.constantFrom('=~', '!~'),
        regex.map((text) => JSON.stringify(text)),
      )
      .map((parts) => parts.join('')),
    fc
      .tuple(name, fc.constantFrom('>', '==', '!='), fc.constantFrom('5', '500', '1s', '1KB'))
      .map((parts) => parts.join(' ')),
    name.map((label) => `${label}=ip("10.0.0.0/8")`),
  )
  return fc
    .array(atom, { minLength: 1, maxLength: 3 })
    .chain((atoms) => fc.constantFrom(' and ', ' or ').map((word) => `| ${atoms.join(word)}`))
}

/** `keep a` followed by `!= "x"` would be read as a matcher of `a`. */
const isReadAsMatcher = (before: string, text: string): boolean =>
  /^\| (?:drop|keep) [^=]*$/.test(before) && /^![=~]/.test(text)

const stages: Arbitrary<readonly RowStageNode[]> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .array(stageText, { minLength: 1, maxLength: 6 })
      .map((texts) =>
        texts.reduce<string[]>((kept, text) => (isReadAsMatcher(kept.at(-1) ?? '', text) ? kept : [...kept, text]), []),
      )
      .map(parsed),
  },
  logExpr.map((expr) => splitTail(expr.stages).rowStages.map(withValues)),
)

/** Subqueries are answered before stages run. */
function withValues(node: RowStageNode): RowStageNode {
  return node.kind === 'label_filter' ? { ...node, filter: filled(node.filter) } : node
}

function filled(predicate: LabelPredicate): LabelPredicate {
  if (predicate.kind === 'and' || predicate.kind === 'or') return { ...predicate, terms: predicate.terms.map(filled) }
  return predicate.kind === 'in' ? { ...predicate, values: ['error', '500'] } : predicate
}

function parsed(texts: readonly string[]): readonly RowStageNode[] {
  const expr = parseExpr(`{app="a"} ${texts.join(' ')}`)
  assert.equal(expr.kind, 'log')
  return splitTail(expr.stages).rowStages.map(withValues)
}

const pairs = fc.array(fc.tuple(name, value), { maxLength: 4 })
const line: Arbitrary<string | Buffer> = fc.oneof(
  pairs.map((all) => `{${all.map(([key, text]) => `"${key}":${JSON.stringify(text)}`).join(',')}}`),
  pairs.map(
    (all) =>
      `{"a":${JSON.stringify(Object.fromEntries(all.map(([key, text]) => [key === 'a_b' ? 'b' : key, text])))},"level":500}`,
  ),
  pairs.map((all) => all.map(([key, text]) => `${key}=${/^\w+$/.test(text) ? text : JSON.stringify(text)}`).join(' ')),
  fc.constantFrom(
    '{"level":"err\\u006fr"}',
    '{"level":"error"',
    'level="er\\u0072or" pod=a',
    '{"_entry":"level=error","pod":"a"}',
    '',
  ),
  fc.constantFrom(
    Buffer.from('{"level":"5\xff00"}', 'latin1'),
    Buffer.from('level=5\xff00 error', 'latin1'),
    'level=error \u001b[31mx',
  ),
)
const entry: Arbitrary<FixtureEntry> = fc.record({
  line,
  meta: fc.oneof({ weight: 2, arbitrary: fc.constant({}) }, fc.dictionary(name, value, { maxKeys: 2 })),
})
const stream: Arbitrary<Labels> = fc
  .uniqueArray(
    fc.tuple(
      name,
      value.filter((text) => text !== ''),
    ),
    { maxLength: 3, selector: ([key]) => key },
  )
  .map((labels) => labels.toSorted(([a], [b]) => (a < b ? -1 : 1)))
const needed: Arbitrary<NeededLabels> = fc.oneof(
  fc.constant('all' as const),
  fc.uniqueArray(fc.oneof(name, fc.constant('__error__')), { maxLength: 2 }).map((names) => new Set(names)),
)

type Data = { readonly entries: readonly FixtureEntry[]; readonly stream: Labels; readonly needed: NeededLabels }

/** What comes out; of a metric query only the labels that it needs, the errors and the length of the line. */
function run(
  nodes: readonly RowStageNode[],
  { entries, stream: streamLabels, needed: labels }: Data,
): (Outcome | undefined)[] {
  const page = pageOf(entries)
  const pipeline = compilePipeline(nodes, { needed: labels })
  const passed = new Set(selectRows(pipeline, page, streamLabels))
  return entries.map((_, row) => {
    const result = passed.has(row) ? pipeline.run({ page, row, day: 0, streamLabels }) : undefined
    if (result === undefined) return undefined
    const outcome = outcomeOf(result)
    const isSeen = (label: string): boolean => labels === 'all' || labels.has(label) || label.startsWith('__error')
    return {
      line: outcome.line,
      labels: Object.fromEntries(Object.entries(outcome.labels).filter(([label]) => isSeen(label))),
    }
  })
}

function passesStreamFilters(nodes: readonly RowStageNode[], labels: Labels): boolean {
  return streamFilters(nodes).every(({ name: label, filter }) => {
    const text = labels.find(([other]) => other === label)?.[1] ?? ''
    return text === '' || passesText(filter, text)
  })
}

/** A filter on one label as a test of its value, by the definition. */
function passesText(filter: LabelPredicate, text: string): boolean {
  if (filter.kind === 'and') return filter.terms.every((term) => passesText(term, text))
  if (filter.kind === 'or') return filter.terms.some((term) => passesText(term, text))
  if (filter.kind === 'in') return filter.values!.includes(text)
  assert(filter.kind === 'text', `${filter.kind} is no test of a text`)
  if (filter.op === '=' || filter.op === '!=') return (filter.value === text) === (filter.op === '=')
  return compileRegex(filter.value, { anchored: true }).test(text) === (filter.op === '=~')
}

const show = (nodes: readonly RowStageNode[]): string => nodes.map(printStage).join(' ')

describe(`optimizeStages (seed ${testSeed})`, () => {
  it('changes no answer', () => {
    const applied = new Map<string, number>()
    fc.assert(
      fc.property(
        stages,
        fc.record({ entries: fc.array(entry, { minLength: 1, maxLength: 6 }), stream, needed }),
        (nodes, data) => {
          const optimized = optimizeStages(nodes)
          for (const { rule } of optimized.applied) applied.set(rule, (applied.get(rule) ?? 0) + 1)
          const expected = run(nodes, data)
          assert.deepEqual(run(optimized.stages, data), expected, `${show(nodes)}\nbecame ${show(optimized.stages)}`)
          if (!passesStreamFilters(nodes, data.stream)) {
            assert.ok(
              expected.every((outcome) => outcome === undefined),
              `${show(nodes)} passes entries of a stream that was left out`,
            )
          }
        },
      ),
      { seed: testSeed, numRuns: 2000 },
    )
    assert.equal(
      applied.size,
      7,
      `each rule was tried: ${[...applied].map(([rule, count]) => `${rule} ${count}`).join(', ')}`,
    )
  })

  it('finds nothing more to do in what it has made', () => {
    fc.assert(
      fc.property(stages, (nodes) => {
        const once = optimizeStages(nodes).stages
        assert.equal(show(optimizeStages(once).stages), show(once))
      }),
      { seed: testSeed, numRuns: 300 },
    )
  })
})
