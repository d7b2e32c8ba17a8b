/** Rule groups from YAML texts: whole files, and single groups as the API takes them. */
import { isNode } from 'yaml'

import { BadRequest } from '#/kernel/errors.ts'
import { parseYaml, type YamlFile } from '#/platform/config/read-yaml.ts'
import { type KeyPath, parseGroup, parseGroups } from './parse-group.ts'
import type { RuleGroup } from './rule-group.ts'

/** Largest file or group. */
export const maxRuleTextBytes = 1024 * 1024
const maxProblems = 100

export type ReadRules = {
  readonly groups: readonly RuleGroup[]
  /** `alerts.yaml:7: …`; the groups count only when there are none. */
  readonly problems: readonly string[]
}

/** The groups of a rule file. */
export function readRuleFile(name: string, text: string): ReadRules {
  const problems: string[] = []
  const file = readYaml(name, text, problems)
  if (file === undefined) return { groups: [], problems }
  const groups = parseGroups(file.data, (path, message) => {
    if (problems.length < maxProblems) problems.push(`${file.placeOf(path)}: ${message}`)
  })
  return { groups, problems }
}

/** @throws BadRequest `unable to decoded rule group`, or with all that is wrong, joined by `, `. */
export function readRuleGroup(text: string): RuleGroup {
  const problems: string[] = []
  const data = readYaml('', text, problems)?.data
  // the words of Loki, by which clients know it
  if (typeof data !== 'object' || data === null || Array.isArray(data)) {
    throw new BadRequest('unable to decoded rule group')
  }
  const group = parseGroup(data, (_path, message) => {
    if (problems.length < maxProblems) problems.push(message)
  })
  if (problems.length > 0 || group === undefined) throw new BadRequest(problems.join(', '))
  return group
}

type ReadFile = {
  readonly data: unknown
  /** `alerts.yaml:7`, of the value or, when it is not there, of what it should stand in. */
  readonly placeOf: (path: KeyPath) => string
}

function readYaml(name: string, text: string, problems: string[]): ReadFile | undefined {
  const report = (problem: string): undefined => {
    problems.push(problem)
    return undefined
  }
  const bytes = Buffer.byteLength(text)
  if (bytes > maxRuleTextBytes) return report(`${name}: ${bytes} bytes exceed the limit of ${maxRuleTextBytes}`)
  const file = parseYaml(name, text, report)
  if (file === undefined) return undefined
  try {
    return { data: file.document.toJS(), placeOf: (path) => placeIn(file, path) }
  } catch (error) {
    // aliases of aliases, which would become more than memory can hold
    return report(`${name}: ${(error as Error).message}`)
  }
}

function placeIn({ name, document, lines }: YamlFile, path: KeyPath): string {
  for (let length = path.length; length >= 0; length--) {
    const node: unknown = length === 0 ? document.contents : document.getIn(path.slice(0, length), true)
    const start = isNode(node) ? node.range?.[0] : undefined
    if (start !== undefined) return `${name}:${lines.linePos(start).line}`
  }
  return name
}
