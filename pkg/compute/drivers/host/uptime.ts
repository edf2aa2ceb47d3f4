import { loadavg, uptime } from "node:os";

/** What uptime(1) would write on this machine now. */
export const uptimeNow = (): string => uptimeLine(new Date(), uptime(), loadavg());

/** In the form of uptime(1), which clients take apart. */
export function uptimeLine(now: Date, upSeconds: number, load: readonly number[]): string {
  const minutes = Math.floor(upSeconds / 60);
  const days = Math.floor(minutes / 1440);
  const clock = `${Math.floor(minutes / 60) % 24}:${String(minutes % 60).padStart(2, "0")}`.padStart(5);
  const up = `${days > 0 ? `${days} day${days === 1 ? "" : "s"}, ` : ""}${clock}`;
  return ` ${now.toISOString().slice(11, 19)} up ${up},  0 users,  load average: ${load.map((l) => l.toFixed(2)).join(", ")}`;
}
