import { AgentServiceDefinition } from "../../../gen/kilonova/compute/v1/agent_service.js";
import type { FakeRule } from "../../../gen/kilonova/compute/v1/agent_service.js";
import { ComputeServicesServiceDefinition } from "../../../gen/kilonova/api/v1/hosts_service.js";
import { connectRpc } from "../../../pkg/platform/rpc/index.js";
import { operatorSocket } from "../../../cmd/kilonova/operator-socket.js";
import { Cloud } from "../support/cloud.js";
import { GrpcUser, call } from "../support/grpc-user.js";

const CLOUD = { portOffset: 11_000, args: ["--driver", "fake", "--hosts", "3"] } as const;

/** The cloud that the gRPC tests share, and two of its users. */
export class Stage {
  #cloud: Cloud | undefined;
  #demo: GrpcUser | undefined;
  #admin: GrpcUser | undefined;
  hosts: readonly string[] = [];

  async open(): Promise<void> {
    this.#cloud = await Cloud.start(CLOUD);
    this.#demo = await GrpcUser.open(this.#cloud, "demo");
    this.#admin = await GrpcUser.open(this.#cloud, "admin");
    const { services } = await this.#admin.channel
      .client(ComputeServicesServiceDefinition)
      .listComputeServices(call(), { binary: "nova-compute" });
    this.hosts = services.map(({ host }) => host);
  }

  get cloud(): Cloud {
    return need(this.#cloud);
  }
  get demo(): GrpcUser {
    return need(this.#demo);
  }
  get admin(): GrpcUser {
    return need(this.#admin);
  }

  /**
   * As a power cut does it: everything is gone at once, then started again. The users' channels find it by
   * themselves.
   */
  async crash(): Promise<void> {
    await this.cloud.kill();
    this.#cloud = await Cloud.start({ ...CLOUD, home: this.cloud.home });
  }

  /** Replaces what the fake drivers of all hosts are to do wrong, through the operator's socket. */
  script(...rules: readonly Partial<FakeRule>[]): Promise<void> {
    return this.scriptOn(this.hosts, ...rules);
  }

  /** The same for some hosts only. */
  async scriptOn(hosts: readonly string[], ...rules: readonly Partial<FakeRule>[]): Promise<void> {
    const channel = connectRpc(`unix:${operatorSocket(this.cloud.home)}`);
    try {
      const agents = channel.client(AgentServiceDefinition);
      for (const host of hosts) await agents.scriptFakeDriver(call(), { host, rules: [...rules] });
    } finally {
      await channel.close();
    }
  }

  async close(): Promise<void> {
    for (const user of [this.#demo, this.#admin]) await user?.channel.close();
    if (this.#cloud === undefined) return;
    await this.#cloud.stop();
    this.#cloud.forget();
  }
}

function need<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("the cloud is not up");
  return value;
}
