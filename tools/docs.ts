/**
 * Writes the reference pages that follow from the code: `docs/reference/cli.md` from the commands,
 * `docs/reference/configuration.md` from the declarations of options, `docs/reference/api.md` from the table of routes. `--check` only says whether they are up to date.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

import { agentOptions } from '../src/agent/config.ts'
import { sections } from '../src/app/config.ts'
import { endpointTable } from '../src/app/endpoints/table.ts'
import { buildProgram } from '../src/cli/main.ts'
import type { Option } from '../src/platform/config/option.ts'
import { renderReference } from '../src/platform/config/render.ts'
import { textForms } from '../src/platform/http/endpoint-docs.ts'
import { renderApiReference } from '../src/platform/http/api-reference.ts'
import { realWorld } from '../src/platform/world/real-world.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
/** The pages must not depend on the terminal that wrote them. */
const helpWidth = 120
const notice = '<!-- Written by `npm run docs` from the code; edit the declarations there. -->\n'

async function cliPage(): Promise<string> {
  const io = {
    out: () => Promise.resolve(),
    err: () => undefined,
    stdin: (async function* () {})(),
    isTerminal: false,
    env: {},
    world: realWorld(),
    signal: new AbortController().signal,
  }
  const nothing = (): Promise<undefined> => Promise.resolve(undefined)
  const inspectors = { block: nothing, wal: nothing, catalog: nothing }
  const openRuleEngine = (): Promise<never> => Promise.reject(new Error('not for documents'))
  const openLocalData = openRuleEngine
  const program = await buildProgram(io, { version: '', inspectors, openRuleEngine, openLocalData })
  const pages = [program, ...program.commands.flatMap((one) => [one, ...one.commands])].map((command) => {
    let help = ''
    command.configureOutput({ writeOut: (text) => (help += text), getOutHelpWidth: () => helpWidth }).outputHelp()
    const title = [command.parent?.parent, command.parent, command]
      .map((one) => one?.name() ?? '')
      .join(' ')
      .trim()
    return `## ${title}\n\n\`\`\`text\n${help.trimEnd()}\n\`\`\`\n`
  })
  return [`# The command line\n`, notice, intro, ...pages, agentTable()].join('\n')
}

const intro = `Without a command, \`edda\` is the server and takes Loki's flags; see \`configuration.md\`. With one of the commands below it is a
client. Data goes to standard output, everything else to standard error. Exit codes: 0 done, 1 failed (the server refused,
nobody answered, a file could not be read), 2 wrong usage. Addresses and credentials may come from logcli's variables:
\`LOKI_ADDR\`, \`LOKI_ORG_ID\`, \`LOKI_USERNAME\`, \`LOKI_PASSWORD\`, \`LOKI_BEARER_TOKEN\`. \`NO_COLOR\` switches colours off.
`

function configurationPage(): string {
  return [`# Configuration\n`, notice, configurationIntro, renderReference(sections)].join('\n')
}

function apiPage(): string {
  return [`# HTTP API\n`, notice, apiIntro, renderApiReference(endpointTable(realWorld()))].join('\n')
}

const apiIntro = `Every path of a server; \`/edda/api/v1/openapi.json\` says the same to programs. \`server.http_path_prefix\` stands before each.

Parameters stand in the URL or, with \`POST\`, in a form (\`application/x-www-form-urlencoded\`), whose values come first. The tenant is
named by \`X-Scope-OrgID\`, unless \`auth_enabled\` is off or the credentials have one tenant only; permissions count where credentials are
set up, see \`docs/operate/security.md\`. Errors are plain text: 400 for what is wrong with the request, 401 and 403 for who asks, 404, 405, 413
and 431 for too much, 429 for too often, 499 when the client has left, 500 for our mistakes, 503 when the server cannot now, 504 when it
took too long. 429 and 503 carry \`Retry-After\`. The limits of requests are in \`docs/operate/http-server.md\`.

A time: ${textForms.time} A duration: ${textForms.duration}
`

/** Keys of a file of their own: neither flags nor variables. */
function agentTable(): string {
  const rows = Object.entries(agentOptions).map(([key, option]) => {
    const shown = JSON.stringify((option as Option<unknown>).format(option.default)).replaceAll('"', '')
    return `| \`${key}\` | ${option.type} | \`${shown === '' ? '""' : shown}\` | ${option.doc} |`
  })
  return ['## Options of `agent.yaml`\n', '| Key | Type | Default | Meaning |', '|---|---|---|---|', ...rows, ''].join(
    '\n',
  )
}

const configurationIntro = `Every option is a key of the YAML file, a flag, and an environment variable. The keys are Loki's; those that only Edda has say
so. A Loki configuration file works as it is: keys that mean nothing here are accepted with a warning, a misspelt key is an error.
`

/** True when the page on disk is what the code says, or was made so. */
function settle(path: string, text: string, check: boolean): boolean {
  const file = `${root}${path}`
  let before = ''
  try {
    before = readFileSync(file, 'utf8')
  } catch {
    // a new page
  }
  if (before === text) return true
  if (check) {
    console.error(`${path} is not what the code says; run npm run docs`)
    return false
  }
  writeFileSync(file, text)
  console.log(`wrote ${path}`)
  return true
}

const check = process.argv.includes('--check')
mkdirSync(`${root}docs/reference`, { recursive: true })
const fine = [
  settle('docs/reference/cli.md', await cliPage(), check),
  settle('docs/reference/configuration.md', configurationPage(), check),
  settle('docs/reference/api.md', apiPage(), check),
]
process.exitCode = fine.every(Boolean) ? 0 : 1
