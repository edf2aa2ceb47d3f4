import { ServiceErrors } from "./errors.js";

export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** Reads `127.0.0.1:8782`, `0.0.0.0:0`, `[::1]:8782`. @throws BAD_ADDRESS naming the option */
export function parseAddress(option: string, address: string): HostPort {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s]+)):(\d{1,5})$/.exec(address);
  const port = Number(match?.[3]);
  if (!match || port > 65_535)
    throw ServiceErrors.BAD_ADDRESS({ option, address, problem: "is not host:port" });
  return { host: match[1] ?? match[2] ?? "", port };
}

export const formatAddress = ({ host, port }: HostPort): string =>
  host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;

const EVERYWHERE = new Set(["0.0.0.0", "::", "[::]"]);

/** The address that others are told. @throws BAD_ADDRESS when nobody could reach it */
export function advertised(listening: HostPort, advertiseHost: string): string {
  const host = advertiseHost || listening.host;
  if (EVERYWHERE.has(host)) {
    throw ServiceErrors.BAD_ADDRESS({
      option: "rpc.listen",
      address: formatAddress(listening),
      problem: "is no address to reach this process at: set rpc.advertiseHost",
    });
  }
  return formatAddress({ host, port: listening.port });
}
