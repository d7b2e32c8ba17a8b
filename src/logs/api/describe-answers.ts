/** What answers of the reading endpoints look like, as JSON Schema. */
import { type JsonSchema, listSchema, numberSchema, objectSchema, textSchema } from '#/platform/http/endpoint-docs.ts'

export const labelSetSchema: JsonSchema = { type: 'object', additionalProperties: textSchema }
const success: JsonSchema = { const: 'success' }
const any: JsonSchema = {}
/** `[time, "value"]` with the time in Unix seconds. */
const point: JsonSchema = { type: 'array', prefixItems: [numberSchema, textSchema], minItems: 2, maxItems: 2 }
/** `["nanoseconds", "line"]`, and what is known besides the line. */
const entry: JsonSchema = {
  type: 'array',
  prefixItems: [{ type: 'string', pattern: '^-?[0-9]+$' }, textSchema, { type: 'object' }],
  minItems: 2,
  maxItems: 3,
}
const statistics: JsonSchema = {
  type: 'object',
  description: 'What the query cost: the figures of Loki, and Edda’s own.',
}

export function successSchema(data: JsonSchema, ...optional: readonly string[]): JsonSchema {
  return objectSchema({ status: success, data }, ...optional)
}

const results: Readonly<Record<string, JsonSchema>> = {
  streams: listSchema(objectSchema({ stream: labelSetSchema, values: listSchema(entry) })),
  matrix: listSchema(objectSchema({ metric: labelSetSchema, values: listSchema(point) })),
  vector: listSchema(objectSchema({ metric: labelSetSchema, value: point })),
  scalar: point,
}

/** The answer to a query, with the kinds of results that it may have. */
export function resultSchema(...kinds: readonly (keyof typeof results)[]): JsonSchema {
  const variants = kinds.map((kind) =>
    objectSchema(
      {
        resultType: { const: kind },
        result: results[kind] ?? any,
        encodingFlags: listSchema(textSchema),
        cursor: textSchema,
        stats: statistics,
      },
      'encodingFlags',
      'cursor',
    ),
  )
  return objectSchema({ status: success, data: { oneOf: variants }, warnings: listSchema(textSchema) }, 'warnings')
}

/** An empty list leaves `data` out. */
export const labelsSchema: JsonSchema = successSchema(listSchema(textSchema), 'data')
export const legacyLabelsSchema: JsonSchema = objectSchema({ values: listSchema(textSchema) })
export const seriesSchema: JsonSchema = successSchema(listSchema(labelSetSchema))
export const legacyQuerySchema: JsonSchema = objectSchema({
  streams: listSchema(
    objectSchema({ labels: textSchema, entries: listSchema(objectSchema({ ts: textSchema, line: textSchema })) }),
  ),
  stats: statistics,
})
export const statsSchema: JsonSchema = objectSchema({
  streams: numberSchema,
  chunks: numberSchema,
  entries: numberSchema,
  bytes: numberSchema,
})
export const shardsSchema: JsonSchema = objectSchema({
  shards: listSchema(
    objectSchema({ bounds: objectSchema({ min: numberSchema, max: numberSchema }), stats: statsSchema }),
  ),
  statistics,
  chunkGroups: listSchema(any),
})
export const patternsSchema: JsonSchema = successSchema(
  listSchema(
    objectSchema({
      pattern: textSchema,
      level: textSchema,
      samples: listSchema({ type: 'array', prefixItems: [numberSchema, numberSchema], minItems: 2, maxItems: 2 }),
    }),
  ),
)
export const detectedLabelsSchema: JsonSchema = objectSchema(
  { detectedLabels: listSchema(objectSchema({ label: textSchema, cardinality: numberSchema })) },
  'detectedLabels',
)
export const detectedFieldsSchema: JsonSchema = objectSchema(
  {
    fields: listSchema(
      objectSchema(
        {
          label: textSchema,
          type: { enum: ['string', 'int', 'float', 'boolean', 'duration', 'bytes'] },
          cardinality: numberSchema,
          parsers: { type: ['array', 'null'], items: textSchema },
          jsonPath: listSchema(textSchema),
        },
        'jsonPath',
      ),
    ),
    limit: numberSchema,
  },
  'fields',
  'limit',
)
export const detectedValuesSchema: JsonSchema = objectSchema(
  { values: listSchema(textSchema), limit: numberSchema },
  'values',
  'limit',
)
