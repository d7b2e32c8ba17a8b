/** Which policy a stream belongs to: of those whose selector matches, the one with the highest priority. */
import type { Limits } from '#/logs/limits.ts'
import type { Matcher } from '#/logs/logql/ast/nodes.ts'
import { parseSelector } from '#/logs/logql/parser/parse-selector.ts'
import { compileRegex } from '#/platform/regex/compile.ts'
import type { Labels } from '#/storage/index/label-index.ts'

type Rule = {
  readonly policy: string
  readonly priority: number
  readonly tests: readonly ((labels: Labels) => boolean)[]
}

export class PolicyTable {
  /** Highest priority first; of equal ones the policy that stands first in the configuration. */
  readonly #rules: readonly Rule[]

  /** @throws BadRequest when a selector is wrong. */
  constructor(mapping: Limits['policy_stream_mapping']) {
    this.#rules = Object.entries(mapping)
      .flatMap(([policy, selectors]) =>
        selectors.map(({ selector, priority }) => ({
          policy,
          priority,
          tests: parseSelector(selector, { validate: false }).map(labelTest),
        })),
      )
      .sort((a, b) => b.priority - a.priority)
  }

  /** Whether no stream has a policy by its labels. */
  get isEmpty(): boolean {
    return this.#rules.length === 0
  }

  /** '' when no selector matches. */
  policyOf(labels: Labels): string {
    return this.#rules.find(({ tests }) => tests.every((test) => test(labels)))?.policy ?? ''
  }
}

function labelTest({ name, op, value }: Matcher): (labels: Labels) => boolean {
  const regex = op === '=~' || op === '!~' ? compileRegex(value, { anchored: true }) : undefined
  const wanted = op === '=' || op === '=~'
  return (labels) => {
    const actual = labels.find((label) => label[0] === name)?.[1] ?? ''
    return (regex === undefined ? actual === value : regex.test(actual)) === wanted
  }
}
