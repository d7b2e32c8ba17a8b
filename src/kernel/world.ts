/**
 * What the outside world is to us: a clock, timers, chance and a disk, as interfaces. Production implements them in
 * `platform/world`; the simulated world of the tests (`test/sim/world`) makes time jump and disks fail.
 */

export interface Clock {
  /** Wall time in nanoseconds since the Unix epoch. */
  nowNs(): bigint
  /** Wall time in milliseconds since the Unix epoch. */
  nowMs(): number
  /** Monotonic time in milliseconds, for durations. */
  monotonicMs(): number
  /**
   * Resolves after `ms`; rejects with the signal's reason when it is aborted first. 0 lets I/O and everything else that waits
   * have its turn.
   */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
  /** Calls `tick` every `ms` until the returned function is called. Never keeps the process alive. */
  every(ms: number, tick: () => void): () => void
}

export interface Random {
  /** A float in [0, 1). */
  next(): number
  bytes(count: number): Buffer
}

/**
 * A disk, as far as we use one. Paths are absolute or relative to the process, with `/`. Errors are Node's (`ENOENT`,
 * `ENOSPC`, `EIO` in `code`). Durability is explicit: bytes are safe after `sync`, names are safe after `syncDir`.
 */
export interface Disk {
  /** Opens for appending; creates the file when `create` is set and fails with EEXIST when it is there already. */
  openAppend(path: string, options: { readonly create: boolean }): Promise<AppendFile>
  openRead(path: string): Promise<ReadFile>
  /** Whether other threads find the files under the same paths. */
  readonly isOfProcess?: boolean
  /** Writes a new file, or over an old one, whole: not atomic, not synced. */
  writeFile(path: string, data: Uint8Array, options: { readonly sync: boolean }): Promise<void>
  readFile(path: string): Promise<Buffer>
  rename(from: string, to: string): Promise<void>
  /** Gives a file a second name; fails with EEXIST, and with EXDEV, EPERM, … where the volume cannot. */
  link(from: string, to: string): Promise<void>
  /** Removes a file; no error when it is not there. */
  remove(path: string): Promise<void>
  truncate(path: string, sizeBytes: number): Promise<void>
  makeDir(path: string): Promise<void>
  /** Removes a directory when nothing is in it; says whether it did. */
  removeDir(path: string): Promise<boolean>
  /** Names in a directory with their kind, sorted by name; empty when there is no such directory. */
  list(path: string): Promise<readonly DirEntry[]>
  /** Undefined when there is no such file. */
  stat(path: string): Promise<FileStat | undefined>
  syncDir(path: string): Promise<void>
  /** Bytes that we may still write on the volume of `path`. */
  freeBytes(path: string): Promise<number>
}

export type DirEntry = { readonly name: string; readonly isDirectory: boolean }
export type FileStat = { readonly sizeBytes: number; readonly modifiedMs: number; readonly inode: number }

export interface AppendFile {
  readonly sizeBytes: number
  /** Appends all buffers in order with as few system calls as can be. On error the file may hold a part of them. */
  append(buffers: readonly Uint8Array[]): Promise<void>
  /** fdatasync. After an error the file must not be trusted with more data. */
  sync(): Promise<void>
  close(): Promise<void>
}

export interface ReadFile {
  readonly sizeBytes: number
  /** Which file was opened; between a `stat` and an `openRead` a name may pass to another one. */
  readonly inode: number
  /** Fills `target` from `position`; returns the bytes read, fewer only at the end of the file. */
  read(target: Uint8Array, position: number): Promise<number>
  close(): Promise<void>
}

/** The world in one value, as it is handed down from `main`. */
export type World = { readonly clock: Clock; readonly random: Random; readonly disk: Disk }
