/**
 * Checks data against a JSON Schema (2020-12), as far as ours go: a keyword that is not known here is an error, so that nothing passes
 * because it was not looked at.
 */
export type Schema = boolean | { readonly [keyword: string]: unknown }

const annotations = new Set([
  '$schema',
  '$id',
  '$defs',
  '$comment',
  'title',
  'description',
  'default',
  'example',
  'examples',
])
type Report = (what: string) => void
type Check = (value: unknown, argument: never, context: Context) => void
type Context = {
  readonly schema: { readonly [keyword: string]: unknown }
  readonly root: Schema
  readonly path: string
  readonly report: Report
}

/** Everything that does not fit, each with its place. */
export function schemaErrors(value: unknown, schema: Schema, root: Schema = schema, path = '$'): string[] {
  if (schema === true) return []
  if (schema === false) return [`${path}: nothing may be here`]
  const errors: string[] = []
  // what comes from below has its place already
  const report = (what: string): void => void errors.push(what.startsWith('$') ? what : `${path}: ${what}`)
  for (const [keyword, argument] of Object.entries(schema)) {
    if (annotations.has(keyword)) continue
    const check = checks[keyword]
    if (check === undefined) throw new Error(`${path}: the keyword ${keyword} is not known`)
    check(value, argument as never, { schema, root, path, report })
  }
  return errors
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function typeOf(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  return typeof value
}

function hasType(value: unknown, type: string): boolean {
  return type === 'integer' ? Number.isInteger(value) : typeOf(value) === type
}

function descend(value: unknown, schema: Schema, key: string | number, { root, path, report }: Context): void {
  for (const error of schemaErrors(value, schema, root, `${path}.${key}`)) report(error)
}

const fits = (value: unknown, schema: Schema, { root, path }: Context): boolean =>
  schemaErrors(value, schema, root, path).length === 0

const checks: Readonly<Record<string, Check>> = {
  $ref(value, reference: string, context) {
    const target = resolvePointer(context.root, reference)
    for (const error of schemaErrors(value, target as Schema, context.root, context.path)) context.report(error)
  },
  type(value, types: string | readonly string[], { report }) {
    const list = typeof types === 'string' ? [types] : types
    if (!list.some((type) => hasType(value, type))) report(`expected ${list.join(' or ')}, found ${typeOf(value)}`)
  },
  const(value, expected: unknown, { report }) {
    if (JSON.stringify(value) !== JSON.stringify(expected)) report(`expected ${JSON.stringify(expected)}`)
  },
  enum(value, choices: readonly unknown[], { report }) {
    if (!choices.includes(value)) report(`${JSON.stringify(value)} is none of ${JSON.stringify(choices)}`)
  },
  pattern(value, pattern: string, { report }) {
    if (typeof value === 'string' && !new RegExp(pattern, 'u').test(value)) report(`${value} does not match ${pattern}`)
  },
  minLength(value, length: number, { report }) {
    if (typeof value === 'string' && value.length < length) report(`shorter than ${length}`)
  },
  required(value, names: readonly string[], { report }) {
    if (!isObject(value)) return
    for (const name of names) if (!Object.hasOwn(value, name)) report(`${name} is missing`)
  },
  properties(value, properties: Readonly<Record<string, Schema>>, context) {
    if (!isObject(value)) return
    for (const [name, schema] of Object.entries(properties)) {
      if (Object.hasOwn(value, name)) descend(value[name], schema, name, context)
    }
  },
  patternProperties(value, patterns: Readonly<Record<string, Schema>>, context) {
    if (!isObject(value)) return
    for (const [pattern, schema] of Object.entries(patterns)) {
      const names = Object.keys(value).filter((name) => new RegExp(pattern, 'u').test(name))
      for (const name of names) descend(value[name], schema, name, context)
    }
  },
  additionalProperties(value, schema: Schema, context) {
    if (!isObject(value)) return
    const named = Object.keys((context.schema['properties'] ?? {}) as object)
    const patterns = Object.keys((context.schema['patternProperties'] ?? {}) as object)
    const others = Object.keys(value).filter(
      (name) => !named.includes(name) && !patterns.some((pattern) => new RegExp(pattern, 'u').test(name)),
    )
    for (const name of others) descend(value[name], schema, name, context)
  },
  minProperties(value, count: number, { report }) {
    if (isObject(value) && Object.keys(value).length < count) report(`fewer than ${count} properties`)
  },
  items(value, schema: Schema, context) {
    if (!Array.isArray(value)) return
    const first = ((context.schema['prefixItems'] ?? []) as readonly unknown[]).length
    value.slice(first).forEach((item: unknown, index) => descend(item, schema, first + index, context))
  },
  prefixItems(value, schemas: readonly Schema[], context) {
    if (!Array.isArray(value)) return
    for (const [index, schema] of schemas.entries()) {
      if (index < value.length) descend(value[index], schema, index, context)
    }
  },
  minItems(value, count: number, { report }) {
    if (Array.isArray(value) && value.length < count) report(`fewer than ${count} items`)
  },
  maxItems(value, count: number, { report }) {
    if (Array.isArray(value) && value.length > count) report(`more than ${count} items`)
  },
  uniqueItems(value, isUnique: boolean, { report }) {
    if (!isUnique || !Array.isArray(value)) return
    if (new Set(value.map((item) => JSON.stringify(item))).size < value.length) report('repeated items')
  },
  oneOf(value, schemas: readonly Schema[], context) {
    const count = schemas.filter((schema) => fits(value, schema, context)).length
    if (count === 1) return
    const why = schemas.flatMap((schema) => schemaErrors(value, schema, context.root, context.path)).join('; ')
    context.report(`fits ${count} of the alternatives: ${why}`)
  },
  anyOf(value, schemas: readonly Schema[], context) {
    if (!schemas.some((schema) => fits(value, schema, context))) context.report('fits none of the alternatives')
  },
}

/** `#/a/b` in a document. @throws when it leads nowhere. */
export function resolvePointer(root: unknown, pointer: string): unknown {
  if (!pointer.startsWith('#')) throw new Error(`${pointer} leads out of the document`)
  let at = root
  for (const part of pointer.split('/').slice(1)) {
    const key = part.replaceAll('~1', '/').replaceAll('~0', '~')
    if (!isObject(at) || !Object.hasOwn(at, key)) throw new Error(`${pointer} leads nowhere`)
    at = at[key]
  }
  return at
}
