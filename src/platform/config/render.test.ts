import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { loadConfig } from './load-config.ts'
import { bool, bytes, defaultsOf, duration, int, secret, text, texts, type ValuesOf } from './option.ts'
import { processFlags } from './process-flags.ts'
import { renderConfig, renderHelp, renderReference } from './render.ts'

const sections = {
  target: texts(['all'], 'What to run | all.'),
  server: { http_listen_port: int(3100, 'Port.'), timeout: duration('30s', 'Time.'), tls: { key: secret('Key.') } },
  limits_config: { max_line_size: bytes('256KB', 'Longest line.'), name: text('', 'Name.'), on: bool(true, 'On.') },
}

const changed = (): ValuesOf<typeof sections> => {
  const base = defaultsOf(sections)
  const server = { ...base.server, http_listen_port: 1, tls: { key: 'hunter2' } }
  return { ...base, server, limits_config: { ...base.limits_config, max_line_size: 1_048_576, name: 'yes' } }
}

describe('renderConfig', () => {
  it('shows everything, what differs, or the defaults; never secrets', () => {
    assert.equal(
      renderConfig(sections, changed(), 'diff'),
      'server:\n  http_listen_port: 1\n  tls:\n    key: "********"\nlimits_config:\n  max_line_size: 1MB\n  name: "yes"\n'.replace(
        '"yes"',
        'yes',
      ),
    )
    const full = renderConfig(sections, changed(), 'full')
    assert.match(full, /^target:\n {2}- all\nserver:\n {2}http_listen_port: 1\n {2}timeout: 30s\n/)
    assert.ok(!full.includes('hunter2'))
    assert.match(renderConfig(sections, changed(), 'defaults'), /http_listen_port: 3100\n.*\n {2}tls:\n {4}key: ""\n/)
    assert.equal(renderConfig(sections, defaultsOf(sections), 'diff'), '{}\n')
  })

  it('gives a file that loads as the same values', async () => {
    const values = { ...changed(), server: defaultsOf(sections).server }
    const yaml = renderConfig(sections, values, 'full')
    const loaded = await loadConfig(sections, { argv: [], env: {}, readFile: async () => yaml })
    assert.deepEqual(loaded.values, values)
  })
})

describe('renderReference', () => {
  it('has a row with all names of every option', () => {
    const page = renderReference(sections)
    assert.match(page, /^## Top level\n\n\| Key \| Flag \| Variable \| Type \| Default \| Meaning \|\n/)
    assert.ok(page.includes('| `target` | `-target` | `EDDA_TARGET` | list | `["all"]` | What to run \\| all. |'))
    assert.ok(
      page.includes(
        '## server\n\n| Key | Flag | Variable | Type | Default | Meaning |\n|---|---|---|---|---|---|\n' +
          '| `http_listen_port` | `-server.http-listen-port` | `EDDA_SERVER_HTTP_LISTEN_PORT` | int | `3100` | Port. |\n',
      ),
    )
    assert.ok(page.includes('| `tls.key` | `-server.tls.key` | `EDDA_SERVER_TLS_KEY` | secret | `""` | Key. |'))
  })
})

describe('renderHelp', () => {
  it('lists flags by name, as Go programs do', () => {
    const help = renderHelp(sections, processFlags)
    assert.ok(help.includes('  -server.http-listen-port int\n    \tPort. (default 3100)\n'))
    assert.ok(help.includes('  -version\n    \tPrint the version and exit.\n'))
    const names = [...help.matchAll(/^ {2}-(\S+)/gm)].map((match) => match[1] ?? '')
    assert.deepEqual(names, names.toSorted())
  })
})
