/** PAX extended header records (POSIX.1-2001 pax, "pax Extended Header"). */

/** Encodes records as `LENGTH KEY=VALUE\n`, sorted by key; LENGTH counts the whole record with its own digits, in bytes. */
export function encodePaxRecords(
  records: readonly (readonly [key: string, value: string | Uint8Array])[],
): Buffer {
  const encoded = records
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => encodeRecord(Buffer.from(`${key}=`), Buffer.from(value)))
  return Buffer.concat(encoded)
}

function encodeRecord(key: Buffer, value: Buffer): Buffer {
  // A space and a newline besides; the digits of the length can push it over a power of ten.
  const rest = key.length + value.length + 2
  let length = rest + String(rest).length
  if (String(length).length > String(rest).length) length = rest + String(length).length
  return Buffer.concat([Buffer.from(`${length} `), key, value, Buffer.from('\n')])
}
