/**
 * What breaks around a node, at random, and is whole again some seconds later: broker, certificates, network, and the Wi-Fi
 * module where there is one. Each resolves when everything is as it should be; whether the node comes back is soak.ts's.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { ZephyrNode } from "../../compiler/board/zephyr/run.js";
import {
  createAuthority,
  issueServer,
  type CertificateWithKey,
} from "../../host/node/broker/certificates.js";
import { IdentityStore } from "../../host/node/broker/identity-store.js";
import type { Random } from "../models/random-graphs.js";
import { openBroker, type OpenBroker, type OpenBrokerTls } from "../support/open-broker.js";
import type { WifiFaults, WifiModule } from "../zephyr/support/wifi-module.js";
import { LossyProxy, type Weather } from "./lossy-proxy.js";

export type Faults = Readonly<Record<string, () => Promise<void>>>;

const minuteDays = 1 / 1440;
/** The longest wait between attempts and an attempt, with a slow machine. */
const refusalTimeoutMs = 90_000;

/** The broker, with a certificate for `host`, the proxy before it, and what is to break them. */
export class World {
  private constructor(
    private readonly random: Random,
    readonly store: IdentityStore,
    readonly proxy: LossyProxy,
    private running: OpenBroker,
    private readonly honest: OpenBrokerTls,
    private readonly certificates: {
      /** An authority that nobody knows. */
      readonly stranger: string;
      /** Of it, for the right name. */
      readonly impostor: CertificateWithKey;
      /** Of the right authority. */
      readonly misnamed: CertificateWithKey;
      readonly expired: CertificateWithKey;
    },
  ) {}

  static async start(folder: string, host: string, random: Random): Promise<World> {
    const authority = await createAuthority("edge");
    mkdirSync(join(folder, "server"));
    writeFileSync(join(folder, "server", "ca.pem"), `${authority.certificate}\n${authority.key}`);
    const store = await IdentityStore.open(join(folder, "server"), "edge");
    const honest = await store.serverMaterial([host]);
    const stranger = await createAuthority("edge");
    const broker = await openBroker({ tls: honest });
    const proxy = await LossyProxy.start(broker.tlsPort, () => random.unit());
    return new World(random, store, proxy, broker, honest, {
      stranger: stranger.certificate,
      impostor: await issueServer(stranger, "edge", 30, [host]),
      misnamed: await issueServer(authority, "edge", 30, ["elsewhere"]),
      expired: await issueServer(authority, "edge", -5 * minuteDays, [host]),
    });
  }

  /** Of the plain port, for the client that asks. */
  get url(): string {
    return this.running.url;
  }

  async stop(): Promise<void> {
    await this.proxy.stop();
    await this.running.close();
  }

  /** By name. */
  faults(node: ZephyrNode, module: WifiModule | undefined): Faults {
    const { honest } = this;
    const { expired, impostor, misnamed, stranger } = this.certificates;
    const shown = ({ certificate, key }: CertificateWithKey): OpenBrokerTls => ({
      ca: honest.ca,
      cert: certificate,
      key,
    });
    const refused = "the broker's certificate is refused: ";
    return {
      "the broker dies": async () => {
        await this.running.close();
        await this.pause(1, 8);
        await this.open(honest);
      },
      "a broker of another authority": () => this.instead(node, shown(impostor), `${refused}it is not of`),
      "a broker of another name": () => this.instead(node, shown(misnamed), `${refused}it is not for`),
      "a broker whose certificate has expired": () =>
        this.instead(node, shown(expired), `${refused}it has expired`),
      "the node's certificate is refused": () =>
        this.instead(node, { ...honest, ca: stranger }, "TLS handshake"),
      "nothing passes": () => this.under("stalled", 1, 25),
      "everything is late": () => this.under("slow", 5, 15),
      "a few bytes at once": () => this.under("split", 5, 15),
      "packets come together": () => this.under("merged", 5, 15),
      "packets are lost and sent again": () => this.under("lossy", 5, 15),
      "connections are reset": () => {
        this.proxy.reset();
        return Promise.resolve();
      },
      ...(module === undefined ? {} : this.moduleFaults(module)),
    };
  }

  private moduleFaults(module: WifiModule): Faults {
    const during = (faults: WifiFaults) => async (): Promise<void> => {
      Object.assign(module.faults, faults);
      await this.pause(5, 15);
      module.calm();
    };
    const once = (happen: () => void) => (): Promise<void> => {
      happen();
      return Promise.resolve();
    };
    return {
      "the module hands out parts": during({ split: 50 }),
      "the module merges packets": during({ merge: 1000 }),
      "the module is late": during({ slow: 15 }),
      "the module's segments are lost and come again": during({ retransmit: 700 }),
      "the module resets its connections": once(() => module.reset()),
      "the module restarts": once(() => module.reboot()),
      "the module refuses a send": async () => {
        module.faults.failSends = 1;
        await this.pause(3, 5);
      },
      "the module cannot connect": once(() => {
        module.faults.failConnects = 3;
        module.reset();
      }),
      "the network is out of reach": async () => {
        module.inReach = false;
        module.reset();
        await this.pause(5, 40);
        module.inReach = true;
      },
    };
  }

  private pause(least: number, most: number): Promise<void> {
    return sleep(1000 * (least + this.random.unit() * (most - least)));
  }

  private async under(weather: Weather, least: number, most: number): Promise<void> {
    this.proxy.set(weather);
    await this.pause(least, most);
    this.proxy.set("clear");
  }

  private async open(tls: OpenBrokerTls): Promise<void> {
    const ports = { plain: Number(new URL(this.running.url).port), tls: this.running.tlsPort };
    this.running = await openBroker({ tls, ports });
  }

  /** Another broker is there until the node has said `reason`. @throws Error when it does not */
  private async instead(node: ZephyrNode, tls: OpenBrokerTls, reason: string): Promise<void> {
    const before = node.lines.length;
    await this.running.close();
    await this.open(tls);
    const end = performance.now() + refusalTimeoutMs;
    const isRefused = (): boolean => node.lines.slice(before).some((line) => line.includes(reason));
    while (!isRefused() && performance.now() < end) await sleep(100);
    await this.pause(0, 5);
    const wasRefused = isRefused();
    await this.running.close();
    await this.open(this.honest);
    if (!wasRefused) throw new Error(`the node did not say "${reason}"`);
  }
}
