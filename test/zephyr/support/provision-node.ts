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

/**
 * Enrols the node in `store` and restarts it; `servers`: as the setting, mqtts://HOST:PORT[,...].
 * @throws UserError TMC51xx when the device does not answer or refuses
 */
export async function provisionNode(
  node: ZephyrNode,
  store: IdentityStore,
  { id, servers }: { readonly id: string; readonly servers: string },
): Promise<void> {
  const { stdin, stdout } = node.process;
  if (stdin === null || stdout === null) throw new Error("the node has no console");
  const serial = new SerialConsole({ input: stdin, output: stdout });
  const device = new Provisioning(serial);
  await serial.connect();
  await device.put("id", Buffer.from(id));
  const csr = await device.requestCertificate(id);
  const enrolment = await store.enrol(id, { role: "node", csr });
  await device.put("ca", certificateDer("ca", Buffer.from(enrolment.ca)));
  await device.put("cert", certificateDer("cert", Buffer.from(enrolment.certificate)));
  await device.adoptKey();
  await device.put("server", Buffer.from(servers));
  await device.restart();
  await serial.connect();
}
