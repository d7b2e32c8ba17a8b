/** Everything that an examination can find: how bad it is, what follows from it, and what to do. docs/operate/doctor.md lists them. */
import type { Severity } from '#/logs/wire/doctor.ts'

type Kind = { readonly severity: Severity; readonly meaning: string; readonly advice: string }

export const kinds = {
  'damaged-block': {
    severity: 'error',
    meaning: 'its index cannot be read, so none of its entries can; queries over its time fail or miss them',
    advice: 'restore it from a snapshot, or let --repair move it to the quarantine',
  },
  'damaged-pages': {
    severity: 'error',
    meaning: 'the entries of these pages cannot be read; queries over them fail',
    advice: 'restore the block from a snapshot, or let --repair write it anew without these pages',
  },
  'damaged-section': {
    severity: 'warning',
    meaning: 'no entry is concerned: the section only makes queries faster',
    advice: 'let --repair write the block anew without it',
  },
  'missing-block': {
    severity: 'error',
    meaning: 'its entries are gone',
    advice: 'restore it from a snapshot; --repair only makes the day file forget it',
  },
  'misplaced-block': {
    severity: 'error',
    meaning: 'it is a block, but not under its name: its entries are not found',
    advice: 'let --repair put it back, where the day file still names it',
  },
  'copied-block': {
    severity: 'error',
    meaning: 'its entries are in another block too, or were removed: they are found twice, or again',
    advice: 'let --repair move it to the quarantine',
  },
  'unlisted-block': {
    severity: 'notice',
    meaning:
      'the day file does not name it; the next start reads its footer and takes it in, unless a merge left it unfinished',
    advice: 'nothing; --repair does what a start would do',
  },
  'tombstoned-block': {
    severity: 'notice',
    meaning: 'a merge replaced it, or it was removed otherwise; it only takes space until the compactor deletes it',
    advice: 'nothing, unless it stays for days',
  },
  'damaged-day-file': {
    severity: 'warning',
    meaning: 'the next start reads the footers of all blocks of that day instead',
    advice: 'let --repair make it anew from the blocks',
  },
  'missing-day-file': {
    severity: 'warning',
    meaning:
      'the next start reads the footers of all blocks of that day instead; blocks that were lost with it cannot be named',
    advice: 'let --repair make it anew from the blocks',
  },
  'wrong-entry': {
    severity: 'warning',
    meaning: 'the day file says of a block what its footer does not',
    advice: 'let --repair take it from the footer',
  },
  'damaged-segment': {
    severity: 'error',
    meaning: 'entries that were acknowledged and are in no block yet may be lost; a start skips what is damaged',
    advice: 'send again what was sent at that time, where that is possible',
  },
  'torn-segment': {
    severity: 'notice',
    meaning:
      'it was being written when the process or the machine stopped; nobody was told that it is safe. A start cuts it off',
    advice: 'nothing',
  },
  'damaged-segment-header': {
    severity: 'warning',
    meaning: 'a segment begins with its header twice; one copy is enough',
    advice: 'nothing: the segment goes when its entries are in blocks',
  },
  'unreadable-segment': {
    severity: 'error',
    meaning: 'both copies of its header are damaged, so none of its entries can be read',
    advice: 'let --repair move it to the quarantine',
  },
  'misnamed-segment': {
    severity: 'error',
    meaning: 'its number is another one than its name says: a start reads it at the wrong place, or not at all',
    advice: 'let --repair give it its name, where that is free',
  },
  'missing-segment': {
    severity: 'warning',
    meaning: 'segments go from the oldest on, so one between two others was removed by somebody, or its making failed',
    advice: 'look for it; entries that were in it and in no block are gone',
  },
  'unneeded-segment': {
    severity: 'notice',
    meaning: 'all its entries are in blocks; the next start removes it',
    advice: 'nothing',
  },
  'put-aside-segment': {
    severity: 'notice',
    meaning: 'an earlier start could not read it and put it aside',
    advice: 'keep it as long as somebody may want to look into it, then delete it',
  },
  'wrong-ingester-id': {
    severity: 'error',
    meaning: 'entries of the write-ahead log that are in blocks already would be taken in again',
    advice: 'let --repair move it to the quarantine: a start takes the identity from the segments',
  },
  'temporary-file': {
    severity: 'notice',
    meaning: 'it was being written when the process stopped; the next start removes it',
    advice: 'nothing',
  },
  'foreign-file': {
    severity: 'notice',
    meaning: 'it is not a file of Edda, and is left alone',
    advice: 'move it elsewhere',
  },
  'unfinished-restore': {
    severity: 'error',
    meaning: 'a restore was begun here and not finished; no server starts with it',
    advice: "run 'edda snapshot restore' again",
  },
  'unreadable-file': {
    severity: 'error',
    meaning: 'the system cannot read it; the disk may be failing',
    advice: 'look into the log of the system; copy the data to another disk',
  },
} as const satisfies Readonly<Record<string, Kind>>

export type KindName = keyof typeof kinds
