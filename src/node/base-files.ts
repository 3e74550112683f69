/** The fixed part of `host:node`: directories, users and name service, the same on every host. */

import type { Placement } from '../plan/placement.ts'
import { placeDirectory, placeSymlink, placeText } from './place.ts'

/** Nobody can log in: there is no shell. `nogroup` is Debian's name for the group, `nobody` everyone else's. */
const passwd = `root:x:0:0:root:/root:/sbin/nologin
node:x:1000:1000:node:/home/node:/sbin/nologin
nobody:x:65534:65534:nobody:/nonexistent:/sbin/nologin
`
const group = `root:x:0:
tty:x:5:
node:x:1000:
nogroup:x:65534:
nobody:x:65534:
`
const nameServices = `passwd: files
group: files
shadow: files
hosts: files dns
networks: files
protocols: files
services: files
`
/** Engines mount their own over it; runc by itself does not. */
const hosts = `127.0.0.1 localhost
::1 localhost ip6-localhost ip6-loopback
`

/** `bits` of the programs: 64 adds `/lib64`. */
export function baseFiles(bits: 32 | 64): readonly Placement[] {
  return [
    placeDirectory('/'),
    ...['/dev', '/etc', '/home', '/proc', '/run', '/sys', '/usr/bin', '/usr/lib', '/usr/sbin'].map((path) =>
      placeDirectory(path),
    ),
    ...['/opt', '/usr/local/bin', '/usr/local/lib', '/usr/local/sbin', '/usr/share', '/var'].map((path) =>
      placeDirectory(path),
    ),
    placeDirectory('/home/node', 0o755, '1000:1000'),
    placeDirectory('/root', 0o700),
    placeDirectory('/tmp', 0o1777),
    placeDirectory('/var/tmp', 0o1777),
    // Merged as on Debian: what is placed in /lib is reached by the loader through either name.
    placeSymlink('/bin', 'usr/bin'),
    placeSymlink('/sbin', 'usr/sbin'),
    placeSymlink('/lib', 'usr/lib'),
    ...(bits === 64 ? [placeDirectory('/usr/lib64'), placeSymlink('/lib64', 'usr/lib64')] : []),
    placeText('/etc/passwd', passwd),
    placeText('/etc/group', group),
    placeText('/etc/nsswitch.conf', nameServices),
    placeText('/etc/hosts', hosts),
  ]
}
