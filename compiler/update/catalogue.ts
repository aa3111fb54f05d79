/** What `tmc explain` says about signed updates of devices. */
import type { CatalogueEntry } from "../diagnostics/catalogue-entry.js";

export const catalogue: CatalogueEntry[] = [
  {
    code: "TMC5201",
    title: "not a key of an owner",
    rule: "Updates are signed with ECDSA on P-256: a private key in PEM form without a passphrase, as `tmc key new` makes it. The public one (NAME.pub.pem) is for the devices. Keys of `tmc function keygen` are of another kind (Ed25519).",
    wrong: "tmc sign vibration.tmcm --key owner.pub.pem --release 2 --counter 2 -o vibration.tmcu",
    right: "tmc sign vibration.tmcm --key owner.key.pem --release 2 --counter 2 -o vibration.tmcu",
  },
  {
    code: "TMC5202",
    title: "the key cannot be written",
    rule: "`tmc key new` never overwrites a key: devices that know it would take no update any more.",
  },
  {
    code: "TMC5203",
    title: "this cannot be signed as an update",
    rule: "A version has a kind (found from the content: a package of `tmc model package`, an image of MCUboot, a function for devices; or --kind), a name and a version of 1-31 characters of 0-9 A-Z a-z . + _ -, and a counter up to 4294967295.",
    wrong: "tmc sign vibration.tflite --key owner.key.pem --release 2 --counter 2 -o vibration.tmcu",
    right: "tmc model package vibration.tflite -o vibration.tmcm && tmc sign vibration.tmcm …",
  },
  {
    code: "TMC5204",
    title: "not a signed update",
    rule: "A .tmcu file has a header of 192 bytes that names size and SHA-256 of the content behind it (docs/updates.md). The message says what does not fit. Usually the file was never signed, cut short, or changed in transit.",
    wrong: "tmc update inspect vibration.tmcm",
    right: "tmc update inspect vibration.tmcu",
  },
  {
    code: "TMC5205",
    title: "not deployed",
    rule: "Each node that did not take the update said why. forbidden: it has no key of an owner, another one, or runs a version with a higher counter; no-space: its slot is too small; descriptor-mismatch: it lacks kernels, memory, or the code is for another processor; corrupt: the digest, or the self-test, also one that never returned, after which the old version runs again; busy: another update runs; no-capable-node: it is away, joined neither to the node that was asked nor to one next to it, or takes no such updates; cancelled: by Ctrl-C, tmc node cancel or a newer update, and it keeps what came.",
  },
  {
    code: "TMC5206",
    title: "what is to be deployed, and where to",
    rule: "`tmc deploy` needs a node or a label, and a signed file (tmc sign). Models may also be packages that the complete node signs with its updates.key, with --release for the version, or names of its registry.",
    wrong: "tmc deploy model vibration.tmcu",
    right: "tmc deploy model vibration.tmcu --node pump-1",
  },
];
