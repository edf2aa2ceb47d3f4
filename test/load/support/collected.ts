import { WebSocket } from "undici";

interface Answer {
  readonly id?: number;
}

/**
 * Lets a process collect its garbage, through its inspector, so that what is measured next is held and not
 * only left over.
 * @param port  of the inspector, on the loopback address
 */
export async function collectGarbage(port: number): Promise<void> {
  const targets = (await (await fetch(`http://127.0.0.1:${port}/json/list`)).json()) as {
    webSocketDebuggerUrl: string;
  }[];
  const url = targets[0]?.webSocketDebuggerUrl;
  if (url === undefined) throw new Error(`no process lets itself be inspected at port ${port}`);
  const socket = new WebSocket(url);
  try {
    await new Promise<void>((resolve, reject) => {
      const id = 1;
      socket.addEventListener("error", () => reject(new Error("the inspector broke off")));
      socket.addEventListener("open", () =>
        socket.send(JSON.stringify({ id, method: "HeapProfiler.collectGarbage" })),
      );
      socket.addEventListener("message", ({ data }) => {
        if ((JSON.parse(String(data)) as Answer).id === id) resolve();
      });
    });
  } finally {
    socket.close();
  }
}
