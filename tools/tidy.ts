/**
 * Checks of the whole tree that a per-file linter cannot make: who imports whom, folder cycles, vague names, bare reminders,
 * and that production code takes clock, chance, timers and disk as arguments. `npm run check` runs this file; `npm test` runs
 * tidy.test.ts, which shows that each kind of violation is found and that the tree is seen at all.
 */
import { globSync, readFileSync } from 'node:fs'

export type SourceFile = { readonly path: string; readonly text: string }

/** Each layer may import itself and the layers named here. */
const layers: Readonly<Record<string, readonly string[]>> = {
  kernel: [],
  platform: ['kernel'],
  storage: ['kernel', 'platform'],
  series: ['kernel'],
  logs: ['kernel', 'platform', 'storage', 'series'],
  traces: ['kernel', 'platform', 'storage', 'series'],
  metrics: ['kernel', 'platform', 'storage', 'series'],
  agent: ['kernel', 'platform', 'logs'],
  ruler: ['kernel', 'platform', 'logs'],
  cli: ['kernel', 'platform', 'logs', 'agent', 'ruler'],
  app: ['kernel', 'platform', 'storage', 'series', 'logs', 'traces', 'metrics', 'agent', 'ruler', 'cli'],
  'main.ts': ['app', 'cli', 'agent', 'platform', 'kernel'],
}
/** Inside an engine a folder may import folders with a lower rank; equal ranks are strangers, save for `sharedRank`. */
const engines = new Set(['logs', 'traces', 'metrics'])
const ranks: Readonly<Record<string, number>> = {
  model: 0,
  'limits.ts': 1,
  logql: 1,
  traceql: 1,
  promql: 1,
  wire: 2,
  store: 3,
  write: 4,
  read: 4,
  compactor: 4,
  keeper: 4,
  ruler: 5,
  api: 6,
  roles: 7,
}
/** What the clients in this repository, and the rules, may know of an engine. */
const clientLayers = new Set(['cli', 'agent', 'ruler'])
const clientFolders = new Set(['model', 'logql', 'wire'])
/** Declarations that lower folders may import as types: what a page of rows looks like is part of the contracts. */
const typesForAll = new Set(['#/logs/store/log-page.ts'])

const vagueNames = /\/(utils?|helpers?|common|misc|types|shared)(\.ts|\/)/
const importPattern =
  /(?:^|\n)\s*(import|export)(\s+type\b)?[^'"`;]*?\bfrom\s*['"]([^'"]+)['"]|\bimport\s*\(?\s*['"]([^'"]+)['"]/g
const maxLines = 800 // a reminder, not a rule

/** Where the world is touched directly; everything else is given a `World`. */
const worldlyPaths = /^src\/(platform\/world\/|main\.ts$)/
const worldlyWords: readonly (readonly [RegExp, string])[] = [
  [/\bDate\.now\s*\(/, 'Date.now()'],
  [/\bnew Date\(\)/, 'new Date()'],
  [/\bMath\.random\s*\(/, 'Math.random()'],
  [/(?<![.\w])(?:setTimeout|setInterval)\s*\(/, 'a timer'],
]
const worldlyModules = /^(node:)?(fs|fs\/promises|timers|timers\/promises)$/

export function readTree(root = '.'): SourceFile[] {
  const globs = ['src/**/*.ts', 'tools/**/*.ts', 'test/**/*.ts', 'bench/**/*.ts']
  return globSync(globs, { cwd: root }).map((path) => ({ path, text: readFileSync(`${root}/${path}`, 'utf8') }))
}

export function tidy(files: readonly SourceFile[]): string[] {
  return [...files.flatMap(checkFile), ...folderCycles(files)]
}

function checkFile({ path, text }: SourceFile): string[] {
  const problems: string[] = []
  const report = (what: string): void => void problems.push(`${path}: ${what}`)
  const lines = text.split('\n').length - 1
  if (lines > maxLines && !isTest(path)) report(`${lines} lines, the limit is ${maxLines}`)
  if (vagueNames.test(path)) report('name the thing, not the drawer it lies in')
  if (/\b(?:TODO|FIXME|XXX)\b(?!\(#\d+\))/.test(text) && !path.startsWith('tools/tidy')) {
    report('a TODO names its issue: TODO(#123)')
  }
  if (!path.startsWith('src/')) return problems
  for (const one of importsOf(text)) checkImport(path, one, report)
  if (isProduction(path) && !worldlyPaths.test(path)) checkWorld(text, report)
  return problems
}

function checkImport(path: string, { target, typeOnly }: Import, report: (what: string) => void): void {
  if (target.startsWith('../')) report(`'${target}' climbs out of its folder, use '#/'`)
  if (!target.startsWith('#/')) return
  const [layer = '', folder = ''] = path.split('/').slice(1)
  const [toLayer = '', toFolder = ''] = target.slice(2).split('/')
  const allowed = layers[layer]
  if (!allowed) return report(`layer '${layer}' is not in the layer table`)
  if (toLayer !== layer && !allowed.includes(toLayer) && !isTest(path)) {
    return report(`${layer} may not import ${toLayer}`)
  }
  if (clientLayers.has(layer) && engines.has(toLayer) && !clientFolders.has(toFolder) && !isTest(path)) {
    return report(`${layer} may not import ${toLayer}/${toFolder}`)
  }
  if (toLayer !== layer || !engines.has(layer) || toFolder === folder || isTest(path)) return
  if (typeOnly && typesForAll.has(target)) return
  const from = ranks[folder]
  const to = ranks[toFolder]
  if (from === undefined || to === undefined) return report(`'${folder}' or '${toFolder}' has no rank`)
  if (to >= from) report(`${layer}/${folder} may not import ${layer}/${toFolder}`)
}

function checkWorld(text: string, report: (what: string) => void): void {
  for (const { target } of importsOf(text)) {
    if (worldlyModules.test(target)) report(`imports '${target}': take Disk or Clock as an argument`)
  }
  const code = text.replaceAll(/\/\*[\s\S]*?\*\/|(?<!:)\/\/.*/g, '')
  for (const [pattern, name] of worldlyWords) {
    if (pattern.test(code)) report(`uses ${name}: take Clock or Random as an argument`)
  }
}

/** No two folders depend on each other, directly or in a ring, type imports included. */
function folderCycles(files: readonly SourceFile[]): string[] {
  const edges = new Map<string, Set<string>>()
  for (const { path, text } of files.filter((file) => file.path.startsWith('src/') && isProduction(file.path))) {
    for (const { target, typeOnly } of importsOf(text)) {
      if (!target.startsWith('#/') || (typeOnly && typesForAll.has(target))) continue
      const from = folderOf(path)
      const to = folderOf(`src/${target.slice(2)}`)
      if (to !== from) edges.set(from, (edges.get(from) ?? new Set()).add(to))
    }
  }
  const problems: string[] = []
  const done = new Set<string>()
  const visit = (folder: string, trail: readonly string[]): void => {
    const at = trail.indexOf(folder)
    if (at >= 0) return void problems.push(`folder cycle: ${[...trail.slice(at), folder].join(' → ')}`)
    if (done.has(folder)) return
    for (const next of edges.get(folder) ?? []) visit(next, [...trail, folder])
    done.add(folder)
  }
  for (const folder of edges.keys()) visit(folder, [])
  return problems
}

type Import = { readonly target: string; readonly typeOnly: boolean }

function importsOf(text: string): Import[] {
  return [...text.matchAll(importPattern)].map((match) => ({
    target: match[3] ?? match[4] ?? '',
    typeOnly: match[2] !== undefined,
  }))
}

const folderOf = (path: string): string => path.split('/').slice(1, -1).join('/')
const isTest = (path: string): boolean => /\.(test|bench)\.ts$|\/(conformance|testing)[^/]*\.ts$/.test(path)
const isProduction = (path: string): boolean => !isTest(path)

if (import.meta.main) {
  const files = readTree()
  const problems = tidy(files)
  for (const problem of problems) console.error(problem)
  if (files.length < 20) console.error(`tidy saw only ${files.length} files; is this the root of the repository?`)
  process.exitCode = problems.length > 0 || files.length < 20 ? 1 : 0
}
