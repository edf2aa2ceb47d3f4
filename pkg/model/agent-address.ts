/**
 * The parts of the address at which an agent listens: `host:port`, `[address]:port`, or a name inside this
 * process, which has no port (0).
 */
export function hostAndPort(address: string): { readonly host: string; readonly port: number } {
  const [, inBrackets, plain, port] = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(address) ?? [];
  return { host: inBrackets ?? plain ?? "", port: Number(port ?? 0) };
}
