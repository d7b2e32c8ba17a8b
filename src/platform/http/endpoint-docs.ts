/** What an endpoint says of itself for the API reference and the OpenAPI document, besides its path and methods. */

/** JSON Schema, 2020-12. */
export type JsonSchema = Readonly<Record<string, unknown>>

export type ParameterType = 'string' | 'integer' | 'boolean' | 'time' | 'duration'

/** Texts with a form of their own. */
export const textForms: Readonly<Partial<Record<ParameterType, string>>> = {
  time: 'Unix seconds with or without decimals, nanoseconds (more than 10 digits), or RFC 3339.',
  duration: 'Seconds, or a duration such as `90s`, `1h30m` or `7d`.',
}

export type Parameter = {
  readonly name: string
  /** `query`: in the URL, and in a form where the endpoint takes one. */
  readonly in: 'query' | 'path' | 'header'
  readonly type: ParameterType
  /** A sentence, or less. */
  readonly doc: string
  readonly isRequired?: true
  /** May be given several times. */
  readonly isRepeated?: true
  /** What holds without it, in words. */
  readonly default?: string
  readonly example?: string
  readonly choices?: readonly string[]
}

/** The answer when all went well. */
export type Answer = {
  readonly status: number
  /** Media types; which one comes, `Accept` decides. None: there is no body. */
  readonly types: readonly string[]
  /** Of JSON. */
  readonly schema?: JsonSchema
}

export const noContent: Answer = { status: 204, types: [] }
export const textAnswer: Answer = { status: 200, types: ['text/plain'] }

export function jsonAnswer(schema: JsonSchema, ...otherTypes: readonly string[]): Answer {
  return { status: 200, types: ['application/json', ...otherTypes], schema }
}

/** An object with exactly these properties, all of them there but those that are named. */
export function objectSchema(
  properties: Readonly<Record<string, JsonSchema>>,
  ...optional: readonly string[]
): JsonSchema {
  const required = Object.keys(properties).filter((name) => !optional.includes(name))
  return { type: 'object', properties, additionalProperties: false, ...(required.length === 0 ? {} : { required }) }
}

export function listSchema(items: JsonSchema): JsonSchema {
  return { type: 'array', items }
}

export const textSchema: JsonSchema = { type: 'string' }
export const numberSchema: JsonSchema = { type: 'number' }
