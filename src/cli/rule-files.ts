/** Reads, checks and formats rule files. */
import { counted } from '#/kernel/counted.ts'
import { isMap, isScalar, isSeq, LineCounter, parseDocument, Scalar, type YAMLMap } from 'yaml'

import { formatQuery } from '#/logs/logql/format/format-query.ts'
import { readRuleFile } from '#/ruler/model/read-rules.ts'
import { type RuleGroup, ruleKey } from '#/ruler/model/rule-group.ts'
import type { CliIo } from './io.ts'

export type FormatOptions = { readonly write?: true; readonly check?: true }

export async function readText(path: string, { world }: CliIo): Promise<string> {
  try {
    return (await world.disk.readFile(path)).toString('utf8')
  } catch (error) {
    throw new Error(`${path}: ${(error as Error).message}`, { cause: error })
  }
}

/** The groups of a file. @throws Error with everything that is wrong with it. */
export async function readGroups(path: string, io: CliIo): Promise<readonly RuleGroup[]> {
  const { groups, problems } = readRuleFile(path, await readText(path, io))
  if (problems.length > 0) throw new Error(problems.join('\n'))
  return groups
}

export async function checkRules(paths: readonly string[], io: CliIo): Promise<void> {
  let bad = 0
  for (const path of paths) {
    const { groups, problems } = readRuleFile(path, await readText(path, io))
    const all = [...problems, ...repeatedRules(path, groups)]
    for (const problem of all) io.err(`${problem}\n`)
    if (all.length > 0) bad++
    else
      await io.out(
        `${path}: ${counted(groups.length, 'group')}, ${counted(groups.flatMap(({ rules }) => rules).length, 'rule')}\n`,
      )
  }
  if (bad > 0) throw new Error(`${bad} of ${paths.length} files are wrong`)
}

/** Two rules with one name and equal labels give the same series or alerts. */
function repeatedRules(path: string, groups: readonly RuleGroup[]): string[] {
  return groups.flatMap(({ name: group, rules }) => {
    const seen = new Set<string>()
    return rules
      .filter((rule) => seen.size === seen.add(`${ruleKey(rule)}${rule.kind === 'alert' ? rule.expr : ''}`).size)
      .map(({ kind, name }) => `${path}: ${kind} '${name}' in group '${group}' is there twice with the same labels`)
  })
}

export async function formatRules(paths: readonly string[], options: FormatOptions, io: CliIo): Promise<void> {
  const changed: string[] = []
  for (const path of paths) {
    const text = await readText(path, io)
    const { problems } = readRuleFile(path, text)
    if (problems.length > 0) throw new Error(problems.join('\n'))
    const formatted = formattedFile(text)
    if (formatted !== text) changed.push(path)
    if (options.check) continue
    if (options.write === undefined) await io.out(formatted)
    else if (formatted !== text) await io.world.disk.writeFile(path, Buffer.from(formatted), { sync: false })
  }
  if (options.check && changed.length > 0) throw new Error(`not in form: ${changed.join(', ')}`)
  if (options.write) for (const path of changed) io.err(`wrote ${path}\n`)
}

/** The document with its comments; only queries and white space change. */
export function formattedFile(text: string): string {
  const document = parseDocument(text, { lineCounter: new LineCounter() })
  const groups: unknown = document.get('groups')
  for (const group of isSeq(groups) ? groups.items : []) {
    const rules: unknown = isMap(group) ? group.get('rules') : undefined
    for (const rule of isSeq(rules) ? rules.items : []) if (isMap(rule)) formatExpr(rule)
  }
  return document.toString({ lineWidth: 0 })
}

function formatExpr(rule: YAMLMap): void {
  const node: unknown = rule.get('expr', true)
  if (!isScalar(node) || typeof node.value !== 'string') return
  const query = formatQuery(node.value)
  node.value = query.includes('\n') ? `${query}\n` : query
  node.type = query.includes('\n') ? Scalar.BLOCK_LITERAL : Scalar.PLAIN
}
