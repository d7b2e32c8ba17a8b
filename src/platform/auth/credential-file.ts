/**
 * Who there is: the credentials of the configuration, and those of a file that is read again and again. A bad file stops a start; a
 * running process keeps what it had. Whoever is no longer in the file is unknown from the moment at which it is read.
 */
import type { Clock, Disk } from '#/kernel/world.ts'
import { ConfigError } from '#/platform/config/config-error.ts'
import { parseYaml } from '#/platform/config/read-yaml.ts'
import type { Logger } from '#/platform/telemetry/logger.ts'
import type { Metrics } from '#/platform/telemetry/metrics.ts'
import type { Directory } from './authenticator.ts'
import { checkUnique, type Credential, parseCredentials } from './credential.ts'
import { digestOf } from './secret-hash.ts'

export type CredentialsOptions = {
  /** Of the configuration, and of the process itself. */
  readonly fixed: readonly Credential[]
  /** Empty: there is no file. */
  readonly file: string
  readonly periodMs: number
  readonly disk: Pick<Disk, 'readFile' | 'stat'>
  readonly clock: Pick<Clock, 'every'>
  readonly logger: Logger
  readonly metrics: Metrics
}

const maxFileBytes = 16 * 1024 * 1024

export class Credentials implements Directory {
  readonly #options: CredentialsOptions
  readonly #recordReload: (isGood: boolean) => void
  #byName: ReadonlyMap<string, Credential> = new Map()
  #byToken: ReadonlyMap<string, Credential> = new Map()
  #text: string | undefined
  #reloading: Promise<void> | undefined
  #stop: () => void = () => undefined

  private constructor(options: CredentialsOptions) {
    this.#options = options
    const successful = options.metrics.gauge({
      name: 'edda_auth_last_reload_successful',
      help: 'Whether the file of credentials was good when it was last read.',
    })
    this.#recordReload = (isGood) => successful.set(isGood ? 1 : 0)
  }

  /** @throws ConfigError when the file is wrong or not there. */
  static async open(options: CredentialsOptions): Promise<Credentials> {
    const credentials = new Credentials(options)
    credentials.#take([])
    if (options.file === '') return credentials
    await credentials.#load()
    credentials.#stop = options.clock.every(options.periodMs, () => void credentials.reload())
    return credentials
  }

  byName(name: string): Credential | undefined {
    return this.#byName.get(name)
  }

  /** By the digest: what time the look-up takes says nothing of the token. */
  byToken(token: string): Credential | undefined {
    return this.#byToken.get(digestOf(token).toString('base64'))
  }

  /** Reads the file now. A wrong one changes nothing, but is logged and counted. */
  reload(): Promise<void> {
    this.#reloading ??= this.#load()
      .catch((error: unknown) => {
        this.#recordReload(false)
        this.#options.logger.error('file of credentials is wrong, the previous one stays', { err: error })
      })
      .finally(() => (this.#reloading = undefined))
    return this.#reloading
  }

  stop(): void {
    this.#stop()
  }

  async #load(): Promise<void> {
    const { file, logger } = this.#options
    const text = await this.#read()
    if (text !== this.#text) {
      this.#take(parseFile(file, text))
      this.#text = text
      logger.info('file of credentials is loaded', { file, credentials: this.#byName.size })
    }
    this.#recordReload(true)
  }

  async #read(): Promise<string> {
    const { file, disk } = this.#options
    try {
      const { sizeBytes } = (await disk.stat(file)) ?? { sizeBytes: 0 }
      if (sizeBytes > maxFileBytes) throw new Error(`it has ${sizeBytes} bytes, the limit is ${maxFileBytes}`)
      return (await disk.readFile(file)).toString()
    } catch (error) {
      throw new ConfigError([`cannot read auth.file ${file}: ${(error as Error).message}`])
    }
  }

  #take(fromFile: readonly Credential[]): void {
    const all = [...this.#options.fixed, ...fromFile]
    try {
      checkUnique(all)
    } catch (error) {
      throw new ConfigError([`auth.file: ${(error as Error).message}`])
    }
    this.#byName = new Map(all.map((one) => [one.name, one]))
    const tokens = all.filter(({ kind }) => kind === 'token')
    this.#byToken = new Map(tokens.map((one) => [one.secret.hash.toString('base64'), one]))
  }
}

/** `credentials:` and a list, or the list alone. */
function parseFile(name: string, text: string): readonly Credential[] {
  const problems: string[] = []
  const file = parseYaml(name, text, (problem) => problems.push(problem))
  if (file === undefined) throw new ConfigError(problems)
  const data: unknown = file.document.toJS()
  try {
    if (typeof data !== 'object' || data === null || Array.isArray(data)) return parseCredentials(data)
    const { credentials, ...rest } = data as Readonly<Record<string, unknown>>
    const [unknown] = Object.keys(rest)
    if (unknown !== undefined) throw new Error(`unknown key ${unknown}, expected credentials`)
    return parseCredentials(credentials)
  } catch (error) {
    throw new ConfigError([`${name}: ${(error as Error).message}`])
  }
}
