/**
 * Who wrote a WAL: a random name, kept in the file `ingester-id` of its directory and in the header of every segment. Blocks
 * name it, so that after a restart it is known which records they hold.
 */
import { INGESTER_ID_LENGTH } from './format.ts'
import { listSegments } from './replay.ts'
import { SegmentReader } from './segment-reader.ts'
import type { World } from '#/kernel/world.ts'

const FILE = 'ingester-id'
const pattern = new RegExp(`^[0-9a-f]{${INGESTER_ID_LENGTH}}$`)

/** The identity of the directory. It is made, with the directory, when there is none; both are durable then. */
export async function loadIdentity({ disk, random }: World, directory: string): Promise<string> {
  await makeDirDurably(disk, directory)
  const path = `${directory}/${FILE}`
  const stored = (await disk.stat(path)) === undefined ? '' : (await disk.readFile(path)).toString('latin1').trim()
  if (pattern.test(stored)) return stored
  const id = (await identityOfSegments(disk, directory)) ?? random.bytes(INGESTER_ID_LENGTH / 2).toString('hex')
  await disk.writeFile(`${path}.new`, Buffer.from(`${id}\n`), { sync: true })
  await disk.rename(`${path}.new`, path)
  await disk.syncDir(directory)
  return id
}

/** Syncs all the directories above, as any of them may be new; some of those that are not may be closed to us. */
async function makeDirDurably(disk: World['disk'], directory: string): Promise<void> {
  await disk.makeDir(directory)
  const parts = directory.split('/')
  for (let length = parts.length - 1; length > 0; length--) {
    await disk.syncDir(parts.slice(0, length).join('/') || '/').catch(ignoreForbidden)
  }
  if (!directory.startsWith('/')) await disk.syncDir('.').catch(ignoreForbidden)
}

function ignoreForbidden(error: unknown): void {
  const { code } = error as NodeJS.ErrnoException
  if (code !== 'EACCES' && code !== 'EPERM') throw error
}

async function identityOfSegments(disk: World['disk'], directory: string): Promise<string | undefined> {
  for (const { path } of (await listSegments(disk, directory)).toReversed()) {
    await using reader = await SegmentReader.open(disk, path)
    if (reader.header !== undefined) return reader.header.ingesterId
  }
  return undefined
}
