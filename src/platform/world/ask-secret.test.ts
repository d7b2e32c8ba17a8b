import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { describe, it } from 'node:test'

import { Cancelled } from '#/kernel/errors.ts'
import { askSecret } from './ask-secret.ts'

class Keyboard extends EventEmitter {
  readonly modes: boolean[] = []
  setRawMode(isRaw: boolean): this {
    this.modes.push(isRaw)
    return this
  }
  pause(): this {
    return this
  }
  resume(): this {
    return this
  }
}

async function ask(...keys: readonly (string | Buffer)[]): Promise<string> {
  const keyboard = new Keyboard()
  const shown: string[] = []
  const asked = askSecret('Password: ', keyboard as never, (text) => shown.push(text))
  for (const key of keys) keyboard.emit('data', Buffer.from(key as string))
  const answer = await asked.finally(() => {
    assert.deepEqual(keyboard.modes, [true, false])
    assert.equal(keyboard.listenerCount('data'), 0)
  })
  assert.deepEqual(shown, ['Password: ', '\n'])
  return answer
}

describe('askSecret', () => {
  it('takes a line and shows nothing of it', async () => {
    assert.equal(await ask('hun', 'ter2\r'), 'hunter2')
    assert.equal(await ask('a\u007f\u007fbc\bd\n'), 'bd')
    const [head, tail] = [Buffer.from('pä').subarray(0, 2), Buffer.from('pä').subarray(2)]
    assert.equal(await ask(head, tail, '\r'), 'pä')
    assert.equal(await ask('\u001bx\r'), 'x')
  })

  it('is cancelled', async () => {
    await assert.rejects(ask('abc\u0003'), Cancelled)
    await assert.rejects(ask('\u0004'), Cancelled)
  })
})
