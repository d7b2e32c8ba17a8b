/**
 * A delete request as it is stored: the object `<tenant>/deletes/<id>.json`. docs/formats/deletes.md describes it.
 *
 *     {"format":"edda-delete","version":1,"crc32":"89abcdef","body":"…"}     body is JSON in a JSON text
 */
import { crc32 } from '#/kernel/crc32.ts'
import type { DeleteRequest, DeleteState } from '#/logs/wire/deletes.ts'

const FORMAT = 'edda-delete'
const VERSION = 1
const ID_PATTERN = /^[0-9a-f]{8}$/
const states = new Set<string>(['masked', 'erasing', 'erased'] satisfies DeleteState[])

export type StoredRequest = DeleteRequest & {
  /** Blocks from which lines were erased, and whose objects may still exist. */
  readonly oldBlocks: readonly string[]
}

export function requestPrefix(tenant: string): string {
  return `${tenant}/deletes/`
}

export function requestKey({ tenant, id }: Pick<DeleteRequest, 'tenant' | 'id'>): string {
  return `${requestPrefix(tenant)}${id}.json`
}

/** Undefined when it is not the key of a request. */
export function requestIdOf(key: string): string | undefined {
  const [, folder, file = '', ...rest] = key.split('/')
  const id = file.slice(0, -'.json'.length)
  return folder === 'deletes' && rest.length === 0 && file.endsWith('.json') && ID_PATTERN.test(id) ? id : undefined
}

export function encodeRequest(request: StoredRequest): Buffer {
  const body = JSON.stringify(request)
  return Buffer.from(`${JSON.stringify({ format: FORMAT, version: VERSION, crc32: checksum(body), body })}\n`)
}

/** A text that says what is wrong when it is damaged or of another version. */
export function parseRequest(bytes: Uint8Array): StoredRequest | string {
  const file = parseRecord(Buffer.from(bytes).toString())
  if (file?.['format'] !== FORMAT) return `it is not of format ${FORMAT}`
  if (file['version'] !== VERSION) return `version ${String(file['version'])} is not ${VERSION}`
  const { body } = file as { readonly body?: unknown }
  if (typeof body !== 'string') return 'it has no body'
  const found = checksum(body)
  if (file['crc32'] !== found) return `checksum is ${found}, expected ${String(file['crc32'])}`
  const fields = parseRecord(body)
  if (fields === undefined || !isRequest(fields)) return 'its body is no delete request'
  return fields
}

function isRequest(fields: Readonly<Record<string, unknown>>): fields is StoredRequest {
  const texts = ['id', 'tenant', 'query', 'state'].every((name) => typeof fields[name] === 'string')
  const names = ['startMs', 'endMs', 'createdMs', 'erasedRows', 'erasedBytes', 'blocks', 'blocksDone']
  const numbers = names.every((name) => Number.isSafeInteger(fields[name]))
  return texts && numbers && states.has(fields['state'] as string) && Array.isArray(fields['oldBlocks'])
}

function parseRecord(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : undefined
  } catch {
    return undefined
  }
}

function checksum(body: string): string {
  return crc32(Buffer.from(body)).toString(16).padStart(8, '0')
}
