/**
 * Reads a YAML text against a section: strict about keys, with the line in every message, and collecting all that is wrong
 * instead of stopping at the first.
 */
import { LineCounter, type Pair, type YAMLMap, isAlias, isMap, isScalar, isSeq, parseDocument } from 'yaml'
import type { Document, Node } from 'yaml'

import { nearestName } from './nearest-name.ts'
import { type Option, type Section, isOption } from './option.ts'
import { entryOf, joinPath } from './option-paths.ts'

/** A key of another system's configuration that is accepted here without effect, with everything below it. */
export type ForeignKey = {
  /** `schema_config`, `ingester.chunk_encoding` */
  readonly path: string
  /** `ignored`: it can mean nothing here. `not yet`: it will. */
  readonly fate: 'ignored' | 'not yet'
  /** What happens instead; ends the sentence `<path> is ignored: `. */
  readonly instead: string
}

export type YamlFile = {
  readonly name: string
  readonly document: Document.Parsed
  readonly lines: LineCounter
}

export type ReadContext = {
  readonly file: YamlFile
  /** The whole declaration, to find keys that stand in the wrong section. */
  readonly allPaths: readonly string[]
  readonly foreignKeys: readonly ForeignKey[]
  readonly onProblem: (message: string) => void
  readonly onForeign: (key: ForeignKey, where: string) => void
  readonly onValue: (path: string, value: unknown, where: string) => void
}

/** @returns the parsed file, or undefined when it is not YAML; `onProblem` knows why. */
export function parseYaml(name: string, text: string, onProblem: (message: string) => void): YamlFile | undefined {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, merge: true })
  for (const error of document.errors) {
    const { line, col } = lines.linePos(error.pos[0])
    onProblem(`${name}:${line}:${col}: ${error.message.split('\n')[0]?.replace(/ at line \d+, column \d+:?$/, '')}`)
  }
  return document.errors.length > 0 ? undefined : { name, document, lines }
}

/** Reads `node`, a map or nothing, against `section`. */
export function readSection(section: Section, node: unknown, path: string, context: ReadContext): void {
  const found = resolve(node, context)
  if (found === null || (isScalar(found) && found.value === null)) return
  if (!isMap(found)) {
    context.onProblem(`${whereOf(found, context)}: ${path === '' ? 'the file' : path}: expected keys and values`)
    return
  }
  for (const { key, pair } of pairsOf(found, context)) {
    const entry = entryOf(section, key)
    const keyPath = joinPath(path, key)
    if (entry === undefined) readUnknown(section, pair, keyPath, context)
    else if (isOption(entry)) readOption(entry, pair, keyPath, context)
    else readSection(entry, pair.value, keyPath, context)
  }
}

/** The pairs of a map with those that `<<` merges in, unless the map has the key itself. */
function pairsOf(map: YAMLMap, context: ReadContext): { readonly key: string; readonly pair: Pair }[] {
  const own = map.items.map((pair) => ({ key: keyText(pair.key), pair }))
  const found = new Map(own.filter(({ key }) => key !== '<<').map((one) => [one.key, one]))
  for (const { pair } of own.filter(({ key }) => key === '<<')) {
    const value = resolve(pair.value, context)
    const sources = isSeq(value) ? value.items.map((item) => resolve(item, context)) : [value]
    for (const source of sources) {
      if (!isMap(source)) continue
      for (const item of source.items) {
        const key = keyText(item.key)
        if (!found.has(key)) found.set(key, { key, pair: item })
      }
    }
  }
  return [...found.values()]
}

/** The merge key `<<` is a symbol in the document. */
function keyText(key: unknown): string {
  const value: unknown = isScalar(key) ? key.value : key
  return typeof value === 'symbol' ? (value.description ?? '') : String(value)
}

function resolve(node: unknown, context: ReadContext): Node | null {
  if (isAlias(node)) return node.resolve(context.file.document) ?? null
  return (node as Node | null | undefined) ?? null
}

function readOption(option: Option<unknown>, pair: Pair, path: string, context: ReadContext): void {
  const where = whereOf(pair.key, context)
  const node = resolve(pair.value, context)
  let value: unknown
  try {
    const data: unknown = node === null ? null : node.toJS(context.file.document)
    // a key without a value leaves the default, as in Loki
    if (data === null) return
    value = option.parse(data)
  } catch (error) {
    context.onProblem(`${where}: ${path}: ${reasonOf(option, error)}`)
    return
  }
  context.onValue(path, value, where)
}

/** Why a value was refused; without the value when that is a secret. */
export function reasonOf(option: Option<unknown>, error: unknown): string {
  const { message } = error as Error
  return option.isSecret ? message.replace(/, found .*$/s, '') : message
}

function readUnknown(section: Section, pair: Pair, path: string, context: ReadContext): void {
  const where = whereOf(pair.key, context)
  const foreign = findForeign(path, context.foreignKeys)
  if (foreign !== undefined) {
    context.onForeign(foreign, where)
    return
  }
  // the keys below tell what is wrong with them themselves
  const isParent = context.foreignKeys.some((key) => key.path.startsWith(`${path}.`))
  if (isParent) readSection({}, pair.value, path, context)
  else context.onProblem(`${where}: unknown key ${path}${suggestion(section, path, context)}`)
}

/** The entry for a path or for what it lies in. */
export function findForeign(path: string, keys: readonly ForeignKey[]): ForeignKey | undefined {
  return keys.find((key) => path === key.path || path.startsWith(`${key.path}.`))
}

function suggestion(section: Section, path: string, context: ReadContext): string {
  const parent = path.slice(0, path.lastIndexOf('.') + 1)
  const name = path.slice(parent.length)
  const siblings = context.foreignKeys
    .filter((key) => key.path.startsWith(parent) && !key.path.slice(parent.length).includes('.'))
    .map((key) => key.path.slice(parent.length))
  const near = nearestName(name, [...Object.keys(section), ...siblings])
  const elsewhere = context.allPaths.find((one) => one.endsWith(`.${name}`) || one === name)
  if (near !== undefined) return `, did you mean ${near}?`
  return elsewhere === undefined ? '' : `, did you mean ${elsewhere}?`
}

function whereOf(node: unknown, { file }: ReadContext): string {
  const start = (node as Partial<Node> | null)?.range?.[0]
  return start === undefined ? file.name : `${file.name}:${file.lines.linePos(start).line}`
}
