/**
 * One process per directory. The lock is a listening socket in the directory: the system lets go of it when its process
 * ends, however it ends, and a file that nobody listens on any more is recognised by asking. Processes on other machines that share the
 * directory are not seen.
 */
import { createHash } from 'node:crypto'
import { mkdir, open, rm } from 'node:fs/promises'
import { connect, createServer, type Server } from 'node:net'
import { join } from 'node:path'

import { EddaError } from '#/kernel/errors.ts'

export type DirectoryLock = {
  /** False where the file system knows no sockets: then nothing is locked. */
  readonly isHeld: boolean
  readonly release: () => Promise<void>
}

const fileName = 'lock'
/** Systems take some 100 bytes for the path of a socket. */
const maxPathBytes = 100
/** How long a holder may take to say who it is. */
const askMs = 2000

/** @throws EddaError naming the process that has the directory. Makes the directory when there is none. */
export async function lockDirectory(directory: string): Promise<DirectoryLock> {
  await mkdir(directory, { recursive: true })
  const place = await placeIn(directory)
  try {
    let server = await tryListen(place.path)
    if (server === 'taken') {
      const holder = await askHolder(place.path)
      if (holder !== undefined) {
        throw new EddaError(
          'unavailable',
          `directory ${directory} is in use by another Edda (process ${holder}); stop it, or give this one a directory of its own (-common.path-prefix)`,
        )
      }
      await rm(place.path, { force: true })
      server = await tryListen(place.path)
      if (server === 'taken')
        throw new EddaError('unavailable', `directory ${directory} was taken by another Edda just now`)
    }
    if (server === 'unsupported') return { isHeld: false, release: place.close }
    const held = server
    return {
      isHeld: true,
      release: async () => {
        await new Promise((resolve) => held.close(resolve))
        await place.close()
      },
    }
  } catch (error) {
    await place.close()
    throw error
  }
}

/** The path of the socket, by a detour when it is too long, and on Windows a pipe. */
async function placeIn(directory: string): Promise<{ readonly path: string; readonly close: () => Promise<void> }> {
  const none = async (): Promise<void> => undefined
  const path = join(directory, fileName)
  if (process.platform === 'win32') {
    const name = createHash('sha256').update(path).digest('hex').slice(0, 32)
    return { path: `\\\\.\\pipe\\edda-${name}`, close: none }
  }
  if (Buffer.byteLength(path) <= maxPathBytes || process.platform !== 'linux') return { path, close: none }
  const handle = await open(directory)
  return { path: `/proc/self/fd/${handle.fd}/${fileName}`, close: () => handle.close() }
}

function tryListen(path: string): Promise<Server | 'taken' | 'unsupported'> {
  return new Promise((resolve) => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined)
      socket.end(String(process.pid))
    })
    server.once('error', ({ code }: NodeJS.ErrnoException) => resolve(code === 'EADDRINUSE' ? 'taken' : 'unsupported'))
    server.listen(path, () => {
      // the lock must not keep the process alive
      server.unref()
      resolve(server)
    })
  })
}

/** The process id of who listens; undefined when nobody does. */
function askHolder(path: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    let answer = ''
    const socket = connect(path)
    socket.setTimeout(askMs, () => {
      // somebody listens, but is too busy to say who
      resolve(answer || 'unknown')
      socket.destroy()
    })
    socket.setEncoding('utf8')
    socket.on('data', (text: string) => void (answer += text))
    socket.once('end', () => resolve(answer || 'unknown'))
    socket.once('error', () => resolve(undefined))
  })
}
