/** `e_machine` of ELF in Node.js's words. */

const names: Readonly<Record<number, string>> = {
  3: 'ia32',
  8: 'mipsel',
  21: 'ppc64',
  22: 's390x',
  40: 'arm',
  62: 'x64',
  183: 'arm64',
  243: 'riscv64',
  258: 'loong64',
}

/** `process.arch` of a machine; its number where it has no name here. */
export function cpuOfMachine(machine: number): string {
  return names[machine] ?? String(machine)
}
