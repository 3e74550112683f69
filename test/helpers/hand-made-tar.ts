/** Tars made by hand, byte by byte, so that they can be wrong in ways that no tool would write. */

export interface HandMadeEntry {
  readonly name: string | Buffer
  /** One character; default `0`. */
  readonly flag?: string
  readonly content?: string | Buffer
  readonly link?: string
  readonly mode?: number
  readonly uid?: number
  /** What the size field says, when that is not the content's. */
  readonly size?: number
  /** Written as a PAX header before the entry. */
  readonly pax?: Readonly<Record<string, string | Buffer>>
}

/** The entries one after another; with the end-of-archive marker unless `marker` is false. */
export function handMadeTar(entries: readonly HandMadeEntry[], marker = true): Buffer {
  const parts = entries.flatMap((entry) => [
    ...(entry.pax ? [unit({ name: 'pax', flag: 'x', content: paxRecords(entry.pax) })] : []),
    unit(entry),
  ])
  return Buffer.concat(marker ? [...parts, Buffer.alloc(1024)] : parts)
}

/** `LENGTH KEY=VALUE\n` for each. */
export function paxRecords(records: Readonly<Record<string, string | Buffer>>): Buffer {
  const parts = Object.entries(records).map(([key, value]) => {
    const rest = Buffer.concat([Buffer.from(` ${key}=`), Buffer.from(value), Buffer.from('\n')])
    let length = rest.length
    while (String(length).length + rest.length !== length) length = String(length).length + rest.length
    return Buffer.concat([Buffer.from(String(length)), rest])
  })
  return Buffer.concat(parts)
}

function unit(entry: HandMadeEntry): Buffer {
  const content = Buffer.from(entry.content ?? '')
  const header = Buffer.alloc(512)
  Buffer.from(entry.name).copy(header, 0, 0, 100)
  header.write(octal(entry.mode ?? 0o644, 8), 100)
  header.write(octal(entry.uid ?? 0, 8), 108)
  header.write(octal(0, 8), 116)
  header.write(octal(entry.size ?? content.length, 12), 124)
  header.write(octal(1_000_000, 12), 136)
  header.write(entry.flag ?? '0', 156, 'latin1')
  header.write((entry.link ?? '').slice(0, 100), 157)
  header.write('ustar\x0000', 257, 'latin1')
  header.fill(' ', 148, 156)
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  return Buffer.concat([header, content, Buffer.alloc((512 - (content.length % 512)) % 512)])
}

function octal(value: number, width: number): string {
  return `${value.toString(8).padStart(width - 1, '0')}\0`
}
