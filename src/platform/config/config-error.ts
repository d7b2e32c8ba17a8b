/** Everything that is wrong with a configuration, at once. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly problems: readonly string[]
  /** What a process should exit with: 2 for a wrong command line alone, as Loki does, else 1. */
  readonly exitCode: 1 | 2

  constructor(problems: readonly string[], exitCode: 1 | 2 = 1) {
    super(
      problems.length === 1
        ? `CONFIG ERROR: ${problems[0]}`
        : `MULTIPLE CONFIG ERRORS FOUND, PLEASE READ CAREFULLY\n${problems.map((one) => `CONFIG ERROR: ${one}`).join('\n')}`,
    )
    this.problems = problems
    this.exitCode = exitCode
  }
}
