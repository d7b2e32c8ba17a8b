/** `edda doctor`: examines a data directory, and repairs what can be repaired safely. */
import { resolve } from 'node:path'

import type { Command } from 'commander'

import { roundByteSize } from '#/kernel/byte-size.ts'
import type { DoctorProgress, DoctorReport, Finding } from '#/logs/wire/doctor.ts'
import type { CliDeps, CliIo } from './io.ts'

export type ExamineOptions = {
  readonly root: string
  readonly blocks: string
  readonly wal: string
  readonly repairs: boolean
  readonly onProgress: (progress: DoctorProgress) => void
  readonly signal: AbortSignal
}

type DoctorOptions = {
  readonly repair?: true
  readonly json?: true
  readonly blocks?: string
  readonly wal?: string
}

const examples = `
Nothing is ever deleted: a repair moves damaged files to the folder quarantine of the data directory, writes what is left of
damaged blocks anew, and makes day files anew from the blocks. It needs a stopped server; without --repair a server may run.
Exit codes: 0 nothing is damaged, or everything was repaired; 1 something is left; 2 wrong usage.

Examples:
  edda doctor
  edda doctor /var/lib/edda --json | jq '.findings[] | select(.severity=="error")'
  edda doctor --repair data`

export function addDoctorCommand(program: Command, io: CliIo, deps: CliDeps): void {
  program
    .command('doctor')
    .description('Check every byte of a data directory, and repair what can be repaired safely')
    .argument('[directory]', 'the data directory (-common.path-prefix)', 'data')
    .option('--repair', 'repair; the server must be stopped')
    .option('--json', 'the report as JSON')
    .option('--blocks <directory>', 'the directory of the blocks, if it is elsewhere')
    .option('--wal <directory>', 'the directory of the write-ahead log, if it is elsewhere')
    .addHelpText('after', examples)
    .action((directory: string, options: DoctorOptions) => runDoctor(directory, options, io, deps))
}

async function runDoctor(
  directory: string,
  options: DoctorOptions,
  io: CliIo,
  { openLocalData }: CliDeps,
): Promise<void> {
  const root = resolve(directory)
  const local = await openLocalData()
  const report = await local.examine({
    root,
    blocks: resolve(options.blocks ?? `${root}/blocks`),
    wal: resolve(options.wal ?? `${root}/wal`),
    repairs: options.repair === true,
    onProgress: (progress) => io.err(`${progressText(progress)}\n`),
    signal: io.signal,
  })
  await io.out(options.json ? `${JSON.stringify(report)}\n` : reportText(report))
  if (report.left > 0) {
    throw new Error(
      `${report.left} of what was found ${options.repair ? 'could not be repaired' : 'should be repaired'}`,
    )
  }
}

function progressText({ what, files, bytes, totalBytes, findings }: DoctorProgress): string {
  const share = totalBytes === 0 ? 100 : Math.floor((100 * bytes) / totalBytes)
  return `${share} %: ${files} blocks, ${findings} found, ${what}`
}

function reportText({ directory, isLive, checked, counts, findings, quarantine }: DoctorReport): string {
  const { tenants, days, blocks, blockBytes, rows, walSegments, walBytes } = checked
  const total = counts.error + counts.warning + counts.notice
  const parts = [
    ...findings.map(findingText),
    ...(total > findings.length ? [`and ${total - findings.length} more\n`] : []),
    `${directory}: ${tenants} tenants, ${days} days, ${blocks} blocks with ${rows} entries in ${roundByteSize(blockBytes)}, ${walSegments} segments of the write-ahead log in ${roundByteSize(walBytes)}\n`,
    ...(isLive ? ['a server has it open: it was read only, and what was being written was left out\n'] : []),
    `${counts.error} errors, ${counts.warning} warnings, ${counts.notice} notices\n`,
    ...(quarantine === undefined ? [] : [`what was moved is in ${quarantine}, with this report\n`]),
  ]
  return parts.join('')
}

function findingText({ severity, kind, file, offset, problem, meaning, advice, rows, repair }: Finding): string {
  const where = offset === undefined ? file : `${file} at byte ${offset}`
  const concerned = rows === undefined ? '' : ` (${rows} entries)`
  return `${severity}: ${kind}: ${where}\n  ${problem}${concerned}\n  ${meaning}\n  ${repair === undefined ? `to do: ${advice}` : `done: ${repair}`}\n\n`
}
