/** `edda rules …`: rule files are checked, formatted and tested here, and compared with those of a server. */
import type { Command } from 'commander'

import { addConnectionOptions, connectionOf } from './connection.ts'
import type { CliDeps, CliIo } from './io.ts'
import { checkRules, formatRules, type FormatOptions } from './rule-files.ts'
import { diffRules, type SyncOptions, syncRules } from './rule-sync.ts'
import { testRules } from './rule-tests.ts'

const examples = `
Examples:
  edda rules check alerts.yaml
  edda rules format --write rules/*.yaml
  edda rules test alerts_test.yaml
  edda rules diff rules/*.yaml --tenant acme
  edda rules sync rules/*.yaml --tenant acme`

const files = 'rule files, `groups: […]`'

export function addRulesCommand(program: Command, io: CliIo, deps: CliDeps): void {
  const rules = program
    .command('rules')
    .description('Check, format and test rule files, and bring them to a server')
    .addHelpText('after', examples)
  rules
    .command('check')
    .description('Say what is wrong with rule files; exit code 1 when something is')
    .argument('<files...>', files)
    .action((paths: string[]) => checkRules(paths, io))
  rules
    .command('format')
    .description('Print rule files in one form: indentation, quotes, queries on one or several lines; comments stay')
    .argument('<files...>', files)
    .option('-w, --write', 'write the files instead')
    .option('--check', 'change nothing; exit code 1 when a file has another form')
    .action((paths: string[], options: FormatOptions) => formatRules(paths, options, io))
  rules
    .command('test')
    .description('Run tests of rules, without a server; exit code 1 when one fails')
    .argument('<files...>', 'test files, see docs/operate/rules.md')
    .action((paths: string[]) => testRules(paths, io, deps.openRuleEngine))
  const withServer = (name: string, description: string): Command =>
    addConnectionOptions(
      rules
        .command(name)
        .description(description)
        .argument('<files...>', files)
        .option('--namespace <name>', 'namespace of all files (default: the name of each file without .yaml)')
        .option('--prune', 'also remove the namespaces that no file has'),
    )
  withServer('diff', 'Show what sync would do; exit code 1 when it would do something').action(
    (paths: string[], options: SyncOptions) => diffRules(paths, options, connectionOf(options, io), io),
  )
  withServer('sync', 'Make the groups of the server those of the files; a namespace is replaced as a whole').action(
    (paths: string[], options: SyncOptions) => syncRules(paths, options, connectionOf(options, io), io),
  )
}
