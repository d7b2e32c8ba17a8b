/** Runs the evil patterns in a worker thread and posts the slowest. */
import { parentPort } from 'node:worker_threads'
import { slowestEvil } from './evil-patterns.ts'

parentPort?.postMessage(slowestEvil())
