/** Asks for a secret at a terminal, without showing what is typed. */
import { StringDecoder } from 'node:string_decoder'
import type { ReadStream } from 'node:tty'

import { Cancelled } from '#/kernel/errors.ts'

type Keyboard = Pick<ReadStream, 'setRawMode' | 'on' | 'off' | 'pause' | 'resume'>

const maxLength = 4096

/** The line that is typed. @throws Cancelled at Ctrl+C, and at Ctrl+D before anything was typed. */
export async function askSecret(question: string, keyboard: Keyboard, show: (text: string) => void): Promise<string> {
  show(question)
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const typed: string[] = []
  const decoder = new StringDecoder()
  const onData = (data: Buffer): void => {
    for (const key of decoder.write(data)) {
      if (key === '\r' || key === '\n') return resolve(typed.join(''))
      if (key === '\u0003' || (key === '\u0004' && typed.length === 0)) return reject(new Cancelled('cancelled'))
      if (key === '\u007f' || key === '\b') typed.pop()
      else if (key >= ' ' && typed.length < maxLength) typed.push(key)
    }
  }
  keyboard.setRawMode(true)
  keyboard.on('data', onData)
  keyboard.resume()
  try {
    return await promise
  } finally {
    keyboard.off('data', onData)
    keyboard.pause()
    keyboard.setRawMode(false)
    show('\n')
  }
}
