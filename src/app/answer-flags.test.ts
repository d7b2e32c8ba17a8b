import assert from 'node:assert/strict'
import { test } from 'node:test'

import { commandNames } from '#/cli/main.ts'
import { answerFlags } from './answer-flags.ts'
import { loadEddaConfig } from './load-config.ts'

test('-help begins with the commands, of which the flags of a server say nothing', async () => {
  const config = await loadEddaConfig({ argv: ['-help'], env: {}, readFile: async () => '' })
  let said = ''
  const code = await answerFlags(config, { out: (text) => void (said += text), err: () => undefined })
  assert.equal(code, 2, 'as Loki answers')
  const [first = ''] = said.split('\n')
  for (const name of commandNames) assert.ok(first.includes(name), name)
  assert.match(said, /\n {2}-auth\.file string\n/)
})
