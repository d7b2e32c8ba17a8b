/** Compares rule files with the groups of a server, and brings them there. */
import { basename } from 'node:path'

import { parse } from 'yaml'

import { formatGroup } from '#/ruler/model/format-rules.ts'
import { readRuleGroup } from '#/ruler/model/read-rules.ts'
import { type Connection, type ConnectionOptions, send } from './connection.ts'
import { type CliIo, UsageError } from './io.ts'
import { readGroups } from './rule-files.ts'

export type SyncOptions = ConnectionOptions & { readonly namespace?: string; readonly prune?: true }

/** Namespace → group → YAML. */
type Texts = Map<string, Map<string, string>>

/** `before` is undefined for a new group, `after` for one that goes. */
type Change = {
  readonly namespace: string
  readonly group: string
  readonly before: string | undefined
  readonly after: string | undefined
}

const rulesPath = '/loki/api/v1/rules'

export async function diffRules(
  paths: readonly string[],
  options: SyncOptions,
  connection: Connection,
  io: CliIo,
): Promise<void> {
  const changes = await changesOf(paths, options, connection, io)
  for (const change of changes) await io.out(describeChange(change))
  if (changes.length > 0) throw new Error(`${changes.length} groups differ`)
}

export async function syncRules(
  paths: readonly string[],
  options: SyncOptions,
  connection: Connection,
  io: CliIo,
): Promise<void> {
  const changes = await changesOf(paths, options, connection, io)
  for (const { namespace, group, before, after } of changes) {
    const path = `${rulesPath}/${encodeURIComponent(namespace)}`
    const answer =
      after === undefined
        ? await send(connection, { method: 'DELETE', path: `${path}/${encodeURIComponent(group)}` }, io.signal)
        : await send(connection, { method: 'POST', path, body: after }, io.signal)
    if (answer.status !== 202) {
      throw new Error(`${namespace}/${group}: the server answered ${answer.status}: ${answer.text.trim()}`)
    }
    const done = after === undefined ? 'removed' : before === undefined ? 'created' : 'changed'
    await io.out(`${done} ${namespace}/${group}\n`)
  }
  if (changes.length === 0) io.err('nothing to do\n')
}

async function changesOf(
  paths: readonly string[],
  { namespace, prune }: SyncOptions,
  connection: Connection,
  io: CliIo,
): Promise<readonly Change[]> {
  const wanted: Texts = new Map()
  for (const path of paths) {
    const name = namespace ?? basename(path).replace(/\.ya?ml$/, '')
    const groups = wanted.get(name) ?? new Map<string, string>()
    wanted.set(name, groups)
    for (const group of await readGroups(path, io)) {
      if (groups.has(group.name)) throw new UsageError(`group '${group.name}' is twice in namespace '${name}'`)
      groups.set(group.name, formatGroup(group))
    }
  }
  const there = await groupsOf(connection, io)
  const namespaces = [...new Set([...wanted.keys(), ...(prune ? there.keys() : [])])]
  return namespaces.flatMap((name) => changesIn(name, there.get(name), wanted.get(name)))
}

function changesIn(
  namespace: string,
  there: ReadonlyMap<string, string> = new Map(),
  wanted: ReadonlyMap<string, string> = new Map(),
): Change[] {
  return [...new Set([...wanted.keys(), ...there.keys()])]
    .map((group) => ({ namespace, group, before: there.get(group), after: wanted.get(group) }))
    .filter(({ before, after }) => before !== after)
}

async function groupsOf(connection: Connection, io: CliIo): Promise<Texts> {
  const { status, text } = await send(connection, { method: 'GET', path: rulesPath }, io.signal)
  if (status === 404 && text.includes('no rule groups found')) return new Map()
  if (status !== 200) throw new Error(`the server answered ${status}: ${text.trim()}`)
  const namespaces = parse(text) as Record<string, readonly unknown[]>
  return new Map(
    Object.entries(namespaces).map(([namespace, groups]) => {
      // JSON is YAML; what the server has is brought into the form of ours
      const parsed = groups.map((group) => readRuleGroup(JSON.stringify(group)))
      return [namespace, new Map(parsed.map((group) => [group.name, formatGroup(group)]))]
    }),
  )
}

function describeChange({ namespace, group, before, after }: Change): string {
  const sign = after === undefined ? '-' : before === undefined ? '+' : '~'
  const lines = changedLines(before?.trimEnd().split('\n') ?? [], after?.trimEnd().split('\n') ?? [])
  return `${sign} ${namespace}/${group}\n${lines.map((line) => `    ${line}\n`).join('')}`
}

/** Lines that went and came, between what is equal at both ends. */
function changedLines(before: readonly string[], after: readonly string[]): string[] {
  let start = 0
  while (start < before.length && start < after.length && before[start] === after[start]) start++
  let end = 0
  const most = Math.min(before.length, after.length) - start
  while (end < most && before.at(-1 - end) === after.at(-1 - end)) end++
  return [
    ...before.slice(start, before.length - end).map((line) => `- ${line}`),
    ...after.slice(start, after.length - end).map((line) => `+ ${line}`),
  ]
}
