import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { parseLabels } from '#/logs/model/labels.ts'
import { LabelIndexBuilder } from '#/storage/index/label-index-builder.ts'
import { decideStreams, retentionRules, ruleName } from './retention-rules.ts'

const dayMs = 86_400_000
const rule = (selector: string, priority: number, days: number) => ({ selector, priority, periodMs: days * dayMs })

function decided(
  streams: readonly string[],
  ...list: ReturnType<typeof rule>[]
): readonly (readonly [string, number])[] {
  const rules = retentionRules({ retention_period: 30 * dayMs, retention_stream: list })
  const index = new LabelIndexBuilder()
  for (const text of streams) index.add(text, parseLabels(text))
  return Array.from(decideStreams(index, rules), (position) => {
    const { id, periodMs } = rules[position]!
    return [ruleName(id), periodMs / dayMs] as const
  })
}

describe('the rule that decides about a stream', () => {
  it('is the one of highest priority', () => {
    const streams = ['{app="a", env="dev"}', '{app="a", env="prod"}', '{app="b"}']
    const found = decided(streams, rule('{app="a"}', 1, 2), rule('{env="prod"}', 5, 90), rule('{app="c"}', 9, 1))
    assert.deepEqual(found, [
      ['retention_stream', 2],
      ['retention_stream', 90],
      ['retention_period', 30],
    ])
  })

  it('is the one with the shortest period among equals', () => {
    const found = decided(['{app="a"}'], rule('{app="a"}', 1, 9), rule('{app=~"a|b"}', 1, 3), rule('{app="a"}', 0, 1))
    assert.deepEqual(found, [['retention_stream', 3]])
  })

  it('must match with all its matchers', () => {
    const found = decided(
      ['{app="a", env="dev"}'],
      rule('{app="a", env="prod"}', 1, 9),
      rule('{app="a", zone=""}', 1, 8),
    )
    assert.deepEqual(found, [['retention_stream', 8]])
  })
})
