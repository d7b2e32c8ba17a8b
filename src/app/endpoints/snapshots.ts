/** Snapshots of the running server. */
import { EddaError, errorStatus } from '#/kernel/errors.ts'
import type { SnapshotEvent, SnapshotInfo, Snapshots } from '#/logs/wire/snapshot.ts'
import { type Endpoint, type HttpReply, jsonReply } from '#/platform/http/endpoint.ts'
import {
  jsonAnswer,
  listSchema,
  numberSchema,
  objectSchema,
  type Parameter,
  textSchema,
} from '#/platform/http/endpoint-docs.ts'

const path = '/edda/api/v1/snapshots'
/** Snapshots that one answer lists. */
const maxListed = 10_000

const nameParam: Parameter = {
  name: 'name',
  in: 'query',
  type: 'string',
  doc: 'Name of the snapshot: letters, digits, `.`, `_`, `-`.',
  default: 'the time',
  example: 'before-upgrade',
}

export function snapshotEndpoints(snapshots: Snapshots): readonly Endpoint[] {
  return [createEndpoint(snapshots), listEndpoint(snapshots), deleteEndpoint(snapshots)]
}

function createEndpoint(snapshots: Snapshots): Endpoint {
  return {
    methods: ['POST'],
    path,
    doc: 'Makes a snapshot in `snapshots.directory`: everything that was acknowledged before the call is in it. Answers with lines of JSON: `progress` from time to time, then `done` with the snapshot, or `error`. It is given up when the caller leaves.',
    tenant: 'none',
    access: 'admin',
    body: 'form',
    params: [nameParam],
    answer: { status: 200, types: ['application/x-ndjson'] },
    async handle({ query, signal }): Promise<HttpReply> {
      const gone = new AbortController()
      const lines = run(snapshots, query.get('name') ?? undefined, { signal, gone })
      // what is refused is answered with its status, so the first line is waited for
      const first = await lines.next()
      return {
        status: 200,
        headers: { 'content-type': 'application/x-ndjson', 'cache-control': 'no-store', 'x-accel-buffering': 'no' },
        body: behind(first.done ? undefined : first.value, lines),
        mayCompress: false,
        onStop: () => gone.abort(),
      }
    },
  }
}

type Signals = { readonly signal: AbortSignal; readonly gone: AbortController }

/** The events as lines. A client that reads slowly misses some of the progress. */
async function* run(
  snapshots: Snapshots,
  name: string | undefined,
  { signal, gone }: Signals,
): AsyncGenerator<Uint8Array> {
  let waiting: SnapshotEvent | undefined
  let wake: () => void = () => undefined
  let end: { readonly error: unknown } | undefined
  const send = (event: SnapshotEvent): void => {
    waiting = event
    wake()
  }
  const making = snapshots.create(name, send, AbortSignal.any([signal, gone.signal])).then(
    () => (end = { error: undefined }),
    (error: unknown) => (end = { error }),
  )
  void making.then(() => wake())
  let isFirst = true
  try {
    for (;;) {
      const event = waiting
      waiting = undefined
      if (event !== undefined) {
        isFirst = false
        yield lineOf(event)
      } else if (end === undefined) await new Promise<void>((resolve) => (wake = resolve))
      else break
    }
  } finally {
    gone.abort()
    await making
  }
  const { error } = end as { readonly error: unknown }
  if (error === undefined) return
  if (isFirst) throw error as Error
  const status = error instanceof EddaError ? errorStatus[error.code].http : 500
  yield lineOf({ type: 'error', status, error: (error as Error).message })
}

async function* behind(first: Uint8Array | undefined, rest: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    if (first !== undefined) yield first
    yield* rest
  } finally {
    await rest.return(undefined)
  }
}

function lineOf(value: object): Buffer {
  return Buffer.from(`${JSON.stringify(value)}\n`)
}

function listEndpoint(snapshots: Snapshots): Endpoint {
  const snapshot = objectSchema(
    {
      name: textSchema,
      created: textSchema,
      objects: numberSchema,
      bytes: numberSchema,
      rows: numberSchema,
      problem: textSchema,
    },
    'problem',
  )
  return {
    methods: ['GET'],
    path,
    doc: 'Lists the snapshots of `snapshots.directory`, oldest first. `problem` says why one cannot be restored.',
    tenant: 'none',
    access: 'admin',
    body: 'none',
    params: [],
    answer: jsonAnswer(objectSchema({ snapshots: listSchema(snapshot) })),
    async handle({ signal }) {
      const found: SnapshotInfo[] = []
      for await (const one of snapshots.list(signal)) {
        if (found.length === maxListed) break
        found.push(one)
      }
      return jsonReply(200, { snapshots: found })
    },
  }
}

function deleteEndpoint(snapshots: Snapshots): Endpoint {
  return {
    methods: ['DELETE'],
    path: `${path}/:name`,
    doc: 'Removes a snapshot of `snapshots.directory` and the blocks that no other one needs; answers with how many these were.',
    tenant: 'none',
    access: 'admin',
    body: 'none',
    params: [{ name: 'name', in: 'path', type: 'string', doc: 'Name of the snapshot.', isRequired: true }],
    answer: jsonAnswer(objectSchema({ name: textSchema, blocks: numberSchema, bytes: numberSchema })),
    async handle({ pathParams, signal }) {
      return jsonReply(200, await snapshots.delete(pathParams['name'] ?? '', signal))
    },
  }
}
