/** Gives a started Zephyr node an identity over its serial console, as `tmc provision --enroll` does: its key is made on the device. */
import type { Board } from "../../../compiler/board/board.js";
import type { ZephyrNode } from "../../../compiler/board/zephyr/run.js";
import { Provisioning, certificateDer } from "../../../compiler/device/provisioning.js";
import { SerialConsole } from "../../../compiler/device/serial-console.js";
import type { IdentityStore } from "../../../host/node/broker/identity-store.js";

/** This machine's loopback, as an image of the board calls it. */
export function hostSeenFrom(board: Board): string {
  return board.run.how === "qemu" ? "10.0.2.2" : "localhost";
}

/** The serial console of a node, and what it keeps about itself. */
export function consoleOf(node: ZephyrNode): {
  readonly serial: SerialConsole;
  readonly device: Provisioning;
} {
  const { stdin, stdout } = node.process;
  if (stdin === null || stdout === null) throw new Error("the node has no console");
  const serial = new SerialConsole({ input: stdin, output: stdout });
  return { serial, device: new Provisioning(serial) };
}

/**
 * Wipes the device and enrols it, anew when it was before; the brokers are written last. `servers`: as the setting,
 * mqtts://HOST:PORT[,...]. It does not restart.
 */
export async function giveIdentity(
  device: Provisioning,
  store: IdentityStore,
  { id, servers }: { readonly id: string; readonly servers: string },
): Promise<void> {
  await device.wipe();
  await device.put("id", Buffer.from(id));
  const csr = await device.requestCertificate(id);
  const known = store.roleOf(id) !== undefined;
  const enrolment = await store.enrol(id, {
    role: "node",
    csr,
    ...(known ? { renew: { overlapDays: 0 } } : {}),
  });
  await device.put("ca", certificateDer("ca", Buffer.from(enrolment.ca)));
  await device.put("cert", certificateDer("cert", Buffer.from(enrolment.certificate)));
  await device.adoptKey();
  await device.put("server", Buffer.from(servers));
}

/** `giveIdentity` to a started node, then a restart. @throws UserError TMC51xx when the device does not answer or refuses */
export async function provisionNode(
  node: ZephyrNode,
  store: IdentityStore,
  identity: { readonly id: string; readonly servers: string },
): Promise<void> {
  const { serial, device } = consoleOf(node);
  await serial.connect();
  await giveIdentity(device, store, identity);
  await device.restart();
  await serial.connect();
}
