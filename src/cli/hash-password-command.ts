/** `edda hash-password`: the entry of the file of credentials for a password or a new token. */
import type { Command } from 'commander'

import { hashPassword, newToken, secretMaxBytes } from '#/platform/auth/secret-hash.ts'
import { parseCredentials } from '#/platform/auth/credential.ts'
import { type CliIo, UsageError } from './io.ts'

type Options = {
  readonly token?: true
  readonly tenants: string
  readonly permissions: string
}

export function addHashPasswordCommand(program: Command, io: CliIo): void {
  program
    .command('hash-password')
    .description('Print the entry of a user or a token for the file of credentials')
    .argument('<name>', 'name of the user, or of whoever gets the token')
    .option('--token', 'make a token instead of asking for a password')
    .option('--tenants <ids>', "tenants that may be touched, separated by commas; '*' for all", '')
    .option('--permissions <list>', 'read, write, admin; separated by commas', 'read')
    .addHelpText('after', help)
    .action(async (name: string, options: Options) => {
      const { tenants, permissions } = options
      const { token, stored } = newToken(io.world.random)
      checkEntry({ name, token: stored, ...(tenants === '' ? {} : { tenants }), permissions })
      const secret = options.token === true ? `token: ${stored}` : `password: ${await askPassword(io)}`
      const lines = [
        `- name: ${JSON.stringify(name)}`,
        `  ${secret}`,
        ...(tenants === '' ? [] : [`  tenants: ${tenants === '*' ? "'*'" : yamlList(tenants)}`]),
        `  permissions: ${yamlList(permissions)}`,
      ]
      await io.out(`${lines.join('\n')}\n`)
      if (options.token === true) io.err(`The token is shown only now: ${token}\n`)
    })
}

const help = `
The password is asked for, or read as the first line of standard input. The entry goes to standard output, a token to
standard error:

  edda hash-password grafana --tenants acme >> credentials.yaml
  edda hash-password promtail --token --tenants acme --permissions write >> credentials.yaml`

/** Before anything is asked for. */
function checkEntry(entry: object): void {
  try {
    parseCredentials([entry])
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}

async function askPassword(io: CliIo): Promise<string> {
  const password = await (io.askSecret === undefined ? firstLine(io.stdin) : askTwice(io.askSecret))
  if (password === '') throw new UsageError('the password is empty')
  const bytes = Buffer.byteLength(password)
  if (bytes > secretMaxBytes) throw new UsageError(`the password has ${bytes} bytes, the limit is ${secretMaxBytes}`)
  return hashPassword(password, io.world.random)
}

async function askTwice(ask: NonNullable<CliIo['askSecret']>): Promise<string> {
  const password = await ask('Password: ')
  if ((await ask('Again: ')) !== password) throw new UsageError('the two are not the same')
  return password
}

async function firstLine(stdin: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of stdin) {
    chunks.push(chunk)
    size += chunk.length
    if (chunk.includes(0x0a) || size > secretMaxBytes + 2) break
  }
  return Buffer.concat(chunks).toString().split(/\r?\n/, 1)[0] ?? ''
}

function yamlList(text: string): string {
  return `[${text
    .split(',')
    .map((one) => JSON.stringify(one.trim()))
    .join(', ')}]`
}
