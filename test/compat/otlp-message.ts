/** OTLP's `ExportLogsServiceRequest` in protobuf, written field by field as a collector sends it. */
import { field, varintField } from '#/platform/grpc/protobuf-fields.ts'

export type OtlpRecord = { readonly line: string; readonly timeNs: bigint }

const text = (number: number, value: string): Buffer => field(number, Buffer.from(value))
const attribute = (key: string, value: string): Buffer => Buffer.concat([text(1, key), field(2, text(1, value))])

/** Records of one service, of severity 13 `Warn`, with ids, an attribute and a time of observation 5 ns later. */
export function logsMessage(service: string, records: readonly OtlpRecord[]): Buffer {
  const attributes = [field(1, attribute('service.name', service)), field(1, attribute('os.type', 'linux'))]
  const resource = field(1, Buffer.concat(attributes))
  const scope = field(2, Buffer.concat([field(1, text(1, 'lib')), ...records.map((one) => field(2, record(one)))]))
  return field(1, Buffer.concat([resource, scope]))
}

function record({ line, timeNs }: OtlpRecord): Buffer {
  return Buffer.concat([
    fixed64(1, timeNs),
    varintField(2, 13),
    text(3, 'Warn'),
    field(5, text(1, line)),
    field(6, attribute('http.route', '/a')),
    field(9, Buffer.from('0af7651916cd43dd8448eb211c80319c', 'hex')),
    field(10, Buffer.from('b7ad6b7169203331', 'hex')),
    fixed64(11, timeNs + 5n),
  ])
}

function fixed64(number: number, value: bigint): Buffer {
  const bytes = Buffer.alloc(9)
  bytes[0] = (number << 3) | 1
  bytes.writeBigUInt64LE(value, 1)
  return bytes
}
