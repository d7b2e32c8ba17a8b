/** Where the labels that `| json` extracts from a line lie in it. */
import { fixLeadingDigit, sanitizeNamePart } from '#/kernel/label-name.ts'
import { parseJson } from '#/kernel/parse-json.ts'

/** Objects nested more deeply are skipped, as the parser skips them. */
const MAX_DEPTH = 128

/** Member names on the way to each value, by label name; the first of several values of one name. Empty for what is no JSON. */
export function jsonPaths(line: string): ReadonlyMap<string, readonly string[]> {
  const paths = new Map<string, readonly string[]>()
  let root: unknown
  try {
    root = parseJson(line)
  } catch {
    return paths
  }
  if (isObject(root)) collect(root, { prefix: '', path: [] }, paths)
  return paths
}

type Place = { readonly prefix: string; readonly path: readonly string[] }

function collect(object: object, { prefix, path }: Place, paths: Map<string, readonly string[]>): void {
  for (const [key, value] of Object.entries(object)) {
    const part = sanitizeNamePart(key)
    const name = part === '' ? prefix : prefix === '' ? part : `${prefix}_${part}`
    const place = { prefix: name, path: [...path, key] }
    if (isObject(value)) {
      if (place.path.length < MAX_DEPTH) collect(value, place, paths)
    } else if (value !== null && !Array.isArray(value) && part !== '') {
      const label = fixLeadingDigit(name)
      if (!paths.has(label)) paths.set(label, place.path)
    }
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
