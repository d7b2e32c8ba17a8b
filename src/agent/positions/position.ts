/**
 * How far a file has been read. A file is known by its inode and a checksum of its first bytes, not by its name: names move
 * on rotation, and inodes are used again after deletion.
 */
import { crc32 } from '#/kernel/crc32.ts'

export type FilePosition = {
  /** Unique in a positions file; a file that takes the place of another gets a new one. */
  readonly id: number
  /** Where the file was found first; becomes the label `filename` and stays so after rotation. */
  readonly path: string
  readonly inode: number
  /** The first byte that is in no batch yet. */
  readonly offset: number
  readonly fingerprint: Fingerprint
  /** The last line went out before its line break was there; a line break at `offset` belongs to it. */
  readonly cut: boolean
}

/** Checksum of the first `length` bytes; a length of 0 fits every file. */
export type Fingerprint = { readonly length: number; readonly crc: number }

/** More bytes than this are not compared. */
export const maxFingerprintBytes = 256
export const noFingerprint: Fingerprint = { length: 0, crc: 0 }

export function fingerprintOf(firstBytes: Uint8Array): Fingerprint {
  const bytes = firstBytes.subarray(0, maxFingerprintBytes)
  return { length: bytes.length, crc: crc32(bytes) }
}

/** Whether a file that begins with `firstBytes` can be the one that was fingerprinted. */
export function fits(fingerprint: Fingerprint, firstBytes: Uint8Array): boolean {
  return (
    firstBytes.length >= fingerprint.length && crc32(firstBytes.subarray(0, fingerprint.length)) === fingerprint.crc
  )
}

/** What a file with positions, or a batch that waits, says about the state of the agent. */
export type PositionsSnapshot = {
  /** Number of the last batch whose lines are behind the positions. */
  readonly sequence: number
  /** Latest timestamp given to a line; later lines get later ones. */
  readonly lastTimestampNs: bigint
  readonly files: readonly FilePosition[]
}

/** The snapshot as plain JSON. */
export function printSnapshot({ sequence, lastTimestampNs, files }: PositionsSnapshot): unknown {
  return {
    sequence,
    lastTimestampNs: String(lastTimestampNs),
    files: files.map(({ id, path, inode, offset, fingerprint, cut }) => ({
      id,
      path,
      inode,
      offset,
      fingerprint: `${fingerprint.length}:${fingerprint.crc.toString(16)}`,
      ...(cut ? { cut } : {}),
    })),
  }
}

/** @throws Error saying what is wrong. */
export function readSnapshot(value: unknown): PositionsSnapshot {
  const { sequence, lastTimestampNs, files } = record(value, 'positions')
  if (!Array.isArray(files)) throw new Error('files is not a list')
  return {
    sequence: count(sequence, 'sequence'),
    lastTimestampNs: BigInt(typeof lastTimestampNs === 'string' ? lastTimestampNs : '0'),
    files: files.map(readPosition),
  }
}

function readPosition(value: unknown): FilePosition {
  const { id, path, inode, offset, fingerprint, cut } = record(value, 'a file')
  if (typeof path !== 'string') throw new Error('the path of a file is not a text')
  const [length = '', crc = ''] = typeof fingerprint === 'string' ? fingerprint.split(':') : []
  return {
    id: count(id, 'id'),
    path,
    inode: count(inode, 'inode'),
    offset: count(offset, 'offset'),
    fingerprint: { length: count(Number(length), 'fingerprint'), crc: count(Number.parseInt(crc, 16), 'fingerprint') },
    cut: cut === true,
  }
}

function record(value: unknown, what: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null) throw new Error(`${what} is not a map`)
  return value as Record<string, unknown>
}

function count(value: unknown, what: string): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value
  throw new Error(`${what} is not a count`)
}
