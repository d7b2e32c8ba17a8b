/** Flags that ask a question instead of starting a server. */
import { request } from 'undici'

import { commandNames } from '#/cli/main.ts'
import { processFlags } from '#/platform/config/process-flags.ts'
import { renderConfig, renderHelp } from '#/platform/config/render.ts'
import { sections } from './config.ts'
import { type EddaConfig, extraFlags } from './load-config.ts'
import { targets } from './targets.ts'
import { version } from './version.ts'

type Output = { readonly out: (text: string) => void; readonly err: (text: string) => void }

const HEALTH_TIMEOUT_MS = 5000

const helpStart = `edda [flags] starts a server, with -quickstart one to try out; edda help says more of the commands: ${commandNames.join(', ')}.

Flags of the server; nearly all are keys of its configuration file, too:

`

/** The exit code when a flag was answered; undefined when the server should start. */
export async function answerFlags(
  { flags, values, warnings }: EddaConfig,
  { out, err }: Output,
): Promise<number | undefined> {
  if (flags.help) {
    out(`${helpStart}${renderHelp(sections, processFlags, extraFlags)}`)
    return 2
  }
  if (flags.version) {
    out(
      `edda, version ${version.edda} (branch: ${version.branch}, revision: ${version.revision})\n  node: ${version.node}\n`,
    )
    return 0
  }
  if (flags['list-targets']) {
    out(targets.map(({ name, doc }) => `${name}\n\t${doc}\n`).join(''))
    return 0
  }
  if (flags.health) return checkHealth(flags['health.url'], { out, err })
  const unknown = values.target.filter((name) => !targets.some((target) => target.name === name))
  const absent = values.target.filter((name) => targets.some((target) => target.name === name && !target.isReady))
  if (unknown.length + absent.length > 0) {
    for (const name of unknown) err(`CONFIG ERROR: there is no target ${name}; -list-targets names them\n`)
    for (const name of absent) err(`CONFIG ERROR: target ${name} cannot run alone yet; use -target=all\n`)
    return 1
  }
  if (flags['verify-config']) {
    for (const warning of warnings) err(`${warning}\n`)
    out('config is valid\n')
    return 0
  }
  if (flags['print-config-stderr']) err(renderConfig(sections, values, 'full'))
  return undefined
}

async function checkHealth(url: string, { out, err }: Output): Promise<number> {
  try {
    const { statusCode, body } = await request(url, {
      headersTimeout: HEALTH_TIMEOUT_MS,
      bodyTimeout: HEALTH_TIMEOUT_MS,
    })
    await body.dump()
    if (statusCode === 200) {
      out('Edda is healthy\n')
      return 0
    }
    err(`${url} answered ${statusCode}\n`)
  } catch (error) {
    err(`${url} does not answer: ${(error as Error).message}\n`)
  }
  return 1
}
