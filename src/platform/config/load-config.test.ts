import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { ConfigError } from './config-error.ts'
import { type ConfigInputs, type LoadedConfig, loadConfig } from './load-config.ts'
import { bool, bytes, choice, custom, duration, int, secret, type Section, text, texts } from './option.ts'
import type { ForeignKey } from './read-yaml.ts'

const sections = {
  target: texts(['all'], 'Targets.'),
  auth_enabled: bool(true, 'Tenants.'),
  server: {
    http_listen_port: int(3100, 'Port.'),
    http_listen_address: text('', 'Address.'),
    log_level: choice(['debug', 'info', 'warn', 'error'], 'info', 'Level.'),
    graceful_shutdown_timeout: duration('30s', 'Grace.'),
  },
  ingester: { wal: { dir: text('wal', 'Directory.'), enabled: bool(true, 'On.') } },
  limits_config: { max_line_size: bytes('256KB', 'Longest line.'), max_streams: int(5000, 'Streams.') },
  storage: { access_key: secret('Key.'), ports: custom('ports', [1], 'Ports.', parsePorts) },
}
function parsePorts(value: unknown): number[] {
  if (!Array.isArray(value)) throw new Error(`expected a list of ports, found ${JSON.stringify(value)}`)
  return value as number[]
}

const foreignKeys: ForeignKey[] = [
  { path: 'schema_config', fate: 'ignored', instead: 'there is one format' },
  { path: 'ingester.chunk_encoding', fate: 'ignored', instead: 'pages are zstd' },
  { path: 'ruler', fate: 'not yet', instead: 'rules are not evaluated' },
  { path: 'storage.tsdb.dir', fate: 'ignored', instead: 'there is no TSDB' },
]

type Given = Partial<ConfigInputs<typeof sections, Section>> & { readonly files?: Readonly<Record<string, string>> }

function load({ files = {}, ...given }: Given = {}): Promise<LoadedConfig<typeof sections, Section>> {
  const readFile = async (path: string): Promise<string> => {
    const found = files[path]
    if (found === undefined) throw Object.assign(new Error(`ENOENT: ${path}`), { code: 'ENOENT' })
    return found
  }
  return loadConfig(sections, { argv: [], env: {}, readFile, foreignKeys, ...given })
}

const loadYaml = (yaml: string, given: Given = {}): Promise<LoadedConfig<typeof sections, Section>> =>
  load({ files: { 'config.yaml': yaml }, ...given })

async function problemsOf(loading: Promise<unknown>): Promise<readonly string[]> {
  const error = await loading.then(
    () => assert.fail('it must not load'),
    (reason: unknown) => reason,
  )
  assert.ok(error instanceof ConfigError, String(error))
  return error.problems
}

describe('loadConfig', () => {
  it('needs nothing', async () => {
    const { values, warnings, file, origins } = await load()
    assert.equal(values.server.http_listen_port, 3100)
    assert.deepEqual(values.target, ['all'])
    assert.equal(values.limits_config.max_line_size, 262_144)
    assert.deepEqual([warnings, file, origins.size], [[], undefined, 0])
  })

  it('reads the file, with types', async () => {
    const { values, file, origins } = await loadYaml(`
target: all,ruler
auth_enabled: no
server:
  http_listen_port: 3200
  graceful_shutdown_timeout: 1m30s
ingester: {wal: {dir: /data/wal}}
limits_config:
  max_line_size: 1MB
storage:
  ports: [1, 2]
`)
    assert.deepEqual(values.target, ['all', 'ruler'])
    assert.equal(values.auth_enabled, false)
    assert.equal(values.server.http_listen_port, 3200)
    assert.equal(values.server.graceful_shutdown_timeout, 90_000)
    assert.equal(values.ingester.wal.dir, '/data/wal')
    assert.equal(values.ingester.wal.enabled, true)
    assert.equal(values.limits_config.max_line_size, 1_048_576)
    assert.deepEqual(values.storage.ports, [1, 2])
    assert.equal(file, 'config.yaml')
    assert.equal(origins.get('server.http_listen_port'), 'config.yaml:5')
    assert.equal(origins.get('server.log_level'), undefined)
  })

  it('lets variables beat the file and flags beat both', async () => {
    const yaml = 'server: {http_listen_port: 1, log_level: warn, http_listen_address: file}'
    const env = { EDDA_SERVER_HTTP_LISTEN_PORT: '2', EDDA_SERVER_LOG_LEVEL: 'debug', PATH: '/bin' }
    const { values, origins } = await loadYaml(yaml, { env, argv: ['-server.http-listen-port=3'] })
    assert.equal(values.server.http_listen_port, 3)
    assert.equal(values.server.log_level, 'debug')
    assert.equal(values.server.http_listen_address, 'file')
    assert.equal(origins.get('server.http_listen_port'), 'flag -server.http-listen-port')
    assert.equal(origins.get('server.log_level'), 'EDDA_SERVER_LOG_LEVEL')
  })

  it('takes flags in every form of Go', async () => {
    const argv = ['--server.http-listen-port', '5', '-auth-enabled=false', '-target', 'a', '-target=b,c']
    const more = ['-log.level=error', '-ingester.wal.enabled', '-storage.ports=[7, 8]', '-server.http-listen-address=']
    const flagAliases = { 'log.level': 'server.log_level' }
    const { values } = await load({ argv: [...argv, ...more], flagAliases })
    assert.equal(values.server.http_listen_port, 5)
    assert.equal(values.auth_enabled, false)
    assert.deepEqual(values.target, ['a', 'b', 'c'])
    assert.equal(values.server.log_level, 'error')
    assert.equal(values.ingester.wal.enabled, true)
    assert.deepEqual(values.storage.ports, [7, 8])
    assert.equal(values.server.http_listen_address, '')
  })

  it('has flags of the process, and of the caller', async () => {
    const argv = ['-version', '-quickstart', '-config.expand-env=true', '-health.url', 'http://x']
    const { flags } = await load({ argv, extraFlags: { quickstart: bool(false, 'Try it.') } })
    assert.deepEqual([flags.version, flags['quickstart'], flags.help], [true, true, false])
    assert.equal(flags['health.url'], 'http://x')
  })

  it('reads the first file that exists of the list', async () => {
    const files = { 'b.yaml': 'server: {http_listen_port: 2}', 'c.yaml': 'server: {http_listen_port: 3}' }
    const { values, file } = await load({ files, argv: ['-config.file=a.yaml,b.yaml,c.yaml'] })
    assert.deepEqual([values.server.http_listen_port, file], [2, 'b.yaml'])
    const problems = await problemsOf(load({ argv: ['-config.file', 'a.yaml'] }))
    assert.deepEqual(problems, ['a.yaml does not exist, set config.file for custom config path'])
  })

  it('expands variables, always', async () => {
    const yaml = 'server:\n  http_listen_port: ${PORT:-3300}\n  http_listen_address: ${HOST}\n'
    assert.equal((await loadYaml(yaml)).values.server.http_listen_port, 3300)
    assert.equal((await loadYaml(yaml)).values.server.http_listen_address, '')
    const set = await loadYaml(yaml, { env: { PORT: '9', HOST: 'h' }, argv: ['-config.expand-env=false'] })
    assert.deepEqual([set.values.server.http_listen_port, set.values.server.http_listen_address], [9, 'h'])
    const problems = await problemsOf(loadYaml('\n\nserver: {http_listen_port: "${PORT:?give a port}"}'))
    assert.equal(problems[0], 'config.yaml:3: variable PORT: give a port')
  })

  it('leaves defaults where keys have no value, and takes an empty file', async () => {
    const { values } = await loadYaml('server:\ningester:\n  wal:\n    dir:\ntarget: ~\n')
    assert.equal(values.ingester.wal.dir, 'wal')
    assert.deepEqual(values.target, ['all'])
    assert.equal((await loadYaml('')).values.server.http_listen_port, 3100)
    assert.equal((await loadYaml('# nothing\n')).values.server.http_listen_port, 3100)
  })

  it('knows anchors and merged maps', async () => {
    const { values } = await loadYaml(`
server: &a {http_listen_port: 7, log_level: warn}
limits_config: {max_line_size: &size 1KB}
`)
    assert.equal(values.server.http_listen_port, 7)
    const merged = await loadYaml(`
ingester: {wal: &wal {dir: d, enabled: false}}
`)
    assert.equal(merged.values.ingester.wal.enabled, false)
    const twice = await loadYaml(
      'storage: {ports: &p [1, 2]}\nserver: {<<: {http_listen_port: 8, log_level: warn}, log_level: error}',
    )
    assert.deepEqual([twice.values.server.http_listen_port, twice.values.server.log_level], [8, 'error'])
  })
})

describe('what loadConfig refuses', () => {
  it('tells path, line and the nearest right key', async () => {
    const problems = await problemsOf(
      loadYaml(`
server:
  http_listen_prot: 1
  max_line_size: 1
sever: {}
ingester:
  wal: {dirr: x}
  chunk_encodnig: gzip
zzz: 1
`),
    )
    assert.deepEqual(problems, [
      'config.yaml:3: unknown key server.http_listen_prot, did you mean http_listen_port?',
      'config.yaml:4: unknown key server.max_line_size, did you mean limits_config.max_line_size?',
      'config.yaml:5: unknown key sever, did you mean server?',
      'config.yaml:7: unknown key ingester.wal.dirr, did you mean dir?',
      'config.yaml:8: unknown key ingester.chunk_encodnig, did you mean chunk_encoding?',
      'config.yaml:9: unknown key zzz',
    ])
  })

  it('tells key, value and expectation, wherever the value comes from', async () => {
    const yaml = 'server:\n  http_listen_port: many\n  log_level: loud\ntarget: {a: 1}\ningester: 5\n'
    const argv = ['-limits-config.max-line-size=big']
    assert.deepEqual(await problemsOf(loadYaml(yaml, { env: { EDDA_AUTH_ENABLED: 'maybe' } })), [
      'config.yaml:2: server.http_listen_port: expected a whole number, found "many"',
      'config.yaml:3: server.log_level: expected one of debug, info, warn, error, found "loud"',
      'config.yaml:4: target: expected a list of texts, found {"a":1}',
      'config.yaml:5: ingester: expected keys and values',
      'EDDA_AUTH_ENABLED: expected true or false, found "maybe"',
    ])
    assert.deepEqual(await problemsOf(load({ argv })), [
      'flag -limits-config.max-line-size: expected a size such as 256KB, found "big"',
    ])
  })

  it('says so in the words of Loki', async () => {
    const one = await loadYaml('a_b: 1').catch((error: Error) => error.message)
    assert.equal(one, 'CONFIG ERROR: config.yaml:1: unknown key a_b')
    const two = await loadYaml('a_b: 1\nc_d: 1').then(
      () => '',
      (error: Error) => error.message,
    )
    assert.match(two, /^MULTIPLE CONFIG ERRORS FOUND, PLEASE READ CAREFULLY\nCONFIG ERROR: .*a_b\nCONFIG ERROR: .*c_d$/)
  })

  it('tells where the YAML breaks', async () => {
    for (const yaml of [
      'server:\n  a: [1\n',
      'server: {}\nserver: {}\n',
      'a: 1\n b: 2',
      '\t- x',
      'a: *none',
      '--- 1\n--- 2',
    ]) {
      const problems = await problemsOf(loadYaml(yaml))
      assert.match(problems[0] ?? '', /^config\.yaml:\d+(:\d+)?: ./, yaml)
    }
    assert.match((await problemsOf(loadYaml('- 1')))[0] ?? '', /the file: expected keys and values/)
  })

  it('refuses flags that are not there, with exit code 2', async () => {
    const error = await load({ argv: ['-server.http-listen-prot=1', 'word', '-target'] }).catch((one: unknown) => one)
    assert.ok(error instanceof ConfigError)
    assert.equal(error.exitCode, 2)
    assert.deepEqual(error.problems, [
      'flag provided but not defined: -server.http-listen-prot, did you mean -server.http-listen-port?',
      "unexpected argument 'word'",
      'flag needs an argument: -target',
    ])
  })

  it('never shows a secret', async () => {
    const problems = await problemsOf(loadYaml('storage: {access_key: [hunter2]}'))
    assert.deepEqual(problems, ['config.yaml:1: storage.access_key: expected a text'])
  })

  it('survives a bomb of aliases', async () => {
    const bomb = ['a: &a [x,x,x,x,x,x,x,x,x,x]']
    for (let level = 1; level < 10; level++) {
      const before = String.fromCharCode(96 + level)
      bomb.push(`${String.fromCharCode(97 + level)}: &${String.fromCharCode(97 + level)} [${`*${before},`.repeat(10)}]`)
    }
    await problemsOf(loadYaml(`${bomb.join('\n')}\nstorage: {ports: *j}\n`))
  })

  it('reports a file that cannot be read', async () => {
    const readFile = (): Promise<string> => Promise.reject(Object.assign(new Error('EACCES: no'), { code: 'EACCES' }))
    assert.deepEqual(await problemsOf(load({ readFile })), ['cannot read config.yaml: EACCES: no'])
  })

  it('checks the whole at the end', async () => {
    const check = (): string[] => ['a and b exclude each other']
    assert.deepEqual(await problemsOf(load({ check })), ['a and b exclude each other'])
  })
})

describe('keys of another system', () => {
  it('are accepted with one warning each', async () => {
    const { values, warnings } = await loadYaml(
      `
schema_config: {configs: [{from: 2024-01-01, schema: v13}]}
ingester:
  chunk_encoding: snappy
  wal: {dir: w}
ruler: {rule_path: /x}
storage: {tsdb: {dir: x}}
`,
      { argv: ['-ruler.rule-path', '/y', '-ruler.enable-api', '-schema-config.x=1', '-auth-enabled=false'] },
    )
    assert.deepEqual(warnings, [
      'flag -ruler.rule-path: ruler is not supported yet: rules are not evaluated',
      'flag -schema-config.x: schema_config is ignored: there is one format',
      'config.yaml:4: ingester.chunk_encoding is ignored: pages are zstd',
      'config.yaml:7: storage.tsdb.dir is ignored: there is no TSDB',
    ])
    assert.equal(values.ingester.wal.dir, 'w')
    assert.equal(values.auth_enabled, false)
  })

  it('may be declared, so that values are checked, and warn all the same', async () => {
    const declared: ForeignKey[] = [{ path: 'limits_config.max_streams', fate: 'ignored', instead: 'streams are free' }]
    const { values, warnings } = await load({ argv: ['-limits-config.max-streams=5'], foreignKeys: declared })
    assert.equal(values.limits_config.max_streams, 5)
    assert.deepEqual(warnings, [
      'flag -limits-config.max-streams: limits_config.max_streams is ignored: streams are free',
    ])
    assert.deepEqual((await load({ foreignKeys: declared })).warnings, [])
    await problemsOf(loadYaml('limits_config: {max_streams: many}', { foreignKeys: declared }))
  })

  it('do not open the section around them', async () => {
    assert.deepEqual(await problemsOf(loadYaml('storage: {tsdb: {dirx: 1}}')), [
      'config.yaml:1: unknown key storage.tsdb.dirx, did you mean dir?',
    ])
  })

  it('warns of a misspelt variable', async () => {
    const { warnings } = await load({ env: { EDDA_SERVER_HTTP_LISTEN_PROT: '1', EDDA_XXXX_YYYY_ZZZZ: '1' } })
    assert.deepEqual(warnings, [
      'EDDA_SERVER_HTTP_LISTEN_PROT: there is no such option, did you mean EDDA_SERVER_HTTP_LISTEN_PORT?',
      'EDDA_XXXX_YYYY_ZZZZ: there is no such option',
    ])
  })
})

describe('derived values', () => {
  it('count where nothing is set', async () => {
    const seen: boolean[] = []
    const derive: NonNullable<Given['derive']> = (values, isSet) => {
      seen.push(isSet('server'), isSet('server.http_listen_port'), isSet('ingester'), isSet('serv'))
      return { 'ingester.wal.dir': `/p/${values.server.http_listen_port}/wal` }
    }
    const yaml = 'server: {http_listen_port: 1}'
    const { values, origins } = await loadYaml(yaml, { derive })
    assert.equal(values.ingester.wal.dir, '/p/1/wal')
    assert.equal(origins.get('ingester.wal.dir'), 'derived')
    assert.deepEqual(seen, [true, true, false, false])
    const set = await loadYaml(yaml, { derive, env: { EDDA_INGESTER_WAL_DIR: '/own' } })
    assert.equal(set.values.ingester.wal.dir, '/own')
  })
})
