/** What `tmc explain` says about devices on a serial port. */
import type { CatalogueEntry } from "../diagnostics/catalogue-entry.js";

export const catalogue: CatalogueEntry[] = [
  {
    code: "TMC5101",
    title: "which serial port",
    rule: "Without --port, the port is the one debugger of a board (ST-LINK, DAPLink, J-Link) that is connected. With none or several, --port names it.",
    wrong: "tmc provision --show",
    right: "tmc provision --show --port /dev/ttyACM0",
  },
  {
    code: "TMC5102",
    title: "the serial port cannot be opened",
    rule: "A port must exist, be readable and writable for you (on Debian: group dialout), and be open in one program only.",
  },
  {
    code: "TMC5103",
    title: "the device does not answer",
    rule: "A node on Zephyr answers each line that begins with “tmc ” on its console, from its start on, whether its network works or not. An image built with CONFIG_TMC_CONSOLE=n does not.",
  },
  {
    code: "TMC5104",
    title: "another version of the provisioning console",
    rule: "Image and tmc must speak the same version of the commands of docs/provisioning.md.",
  },
  {
    code: "TMC5105",
    title: "the device refused a command",
    rule: "The device checks names, sizes and checksums, and that its flash took the value. What it refused is not stored; what was there before is still there.",
  },
  {
    code: "TMC5106",
    title: "damaged on the serial line",
    rule: "Values are sent with their size and CRC-32; they did not fit what arrived.",
  },
  {
    code: "TMC5107",
    title: "not a certificate, not a key",
    rule: "--ca and --cert take X.509 certificates, --key an ECDSA key on P-256 without a passphrase, each as PEM or DER: the files that `tmc node enroll` writes.",
    wrong: "tmc provision --cert pump-1/pump-1.key",
    right: "tmc provision --cert pump-1/pump-1.pem --key pump-1/pump-1.key --ca pump-1/ca.pem",
  },
  {
    code: "TMC5108",
    title: "these options of tmc provision do not go together",
    rule: "--show and --wipe stand alone. --enroll makes key and certificate itself, so it takes no --cert, --key or --ca; --csr makes a key whose certificate comes later, with --cert; a key given by hand needs its certificate.",
    wrong: "tmc provision --enroll --key pump-1.key",
    right: "tmc provision --id pump-1 --enroll --server mqtts://edge-1.example",
  },
  {
    code: "TMC5109",
    title: "not a board that is flashed",
    rule: "`tmc flash` writes to real hardware. Emulated boards are started with `tmc run`.",
    wrong: "tmc flash --board native_sim",
    right: "tmc run --board native_sim",
  },
  {
    code: "TMC5110",
    title: "no image to flash",
    rule: "`tmc flash` takes the image that `tmc build` left in build/BOARD/zephyr/build, or in the folder of --out.",
    wrong: "tmc flash",
    right: "tmc build --board b_l4s5i_iot01a && tmc flash",
  },
  {
    code: "TMC5111",
    title: "the image could not be written",
    rule: "west flash needs west in the workspace's Python and the board's runner: for b_l4s5i_iot01a STM32CubeProgrammer, or openocd with --runner openocd.",
  },
  {
    code: "TMC5112",
    title: "a certificate of another key",
    rule: "--cert without --key is the certificate of the key pair that the device made last: its request comes from `tmc provision --csr FILE`, and every --csr and --enroll makes another key. Nothing was written.",
    wrong: "tmc provision --cert pump-2.pem",
    right: "tmc provision --id pump-1 --csr pump-1.csr",
  },
];
