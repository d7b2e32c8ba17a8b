/** Flags of the process that are not part of the configuration file. The names are Loki's. */
import { bool, text } from './option.ts'

export const processFlags = {
  'config.file': text(
    'config.yaml,config/config.yaml',
    'Configuration files, separated by commas; the first that exists is read.',
  ),
  'config.expand-env': bool(
    true,
    'Accepted for compatibility: variables in the configuration file are always expanded.',
  ),
  'list-targets': bool(false, 'Print the targets and the modules that they need, and exit.'),
  'verify-config': bool(false, 'Check the configuration and exit.'),
  'print-config-stderr': bool(false, 'Print the effective configuration to stderr at start.'),
  'log-config-reverse-order': bool(false, 'Log the effective configuration at start, last line first.'),
  version: bool(false, 'Print the version and exit.'),
  health: bool(false, 'Ask a running server whether it is ready, and exit with 0 or 1.'),
  'health.url': text('http://localhost:3100/ready', 'What -health asks.'),
  help: bool(false, 'Print all flags and exit.'),
}
