/** What `tmc explain` says about Zephyr: workspaces, builds, emulated nodes. */
import type { CatalogueEntry } from "../../diagnostics/catalogue-entry.js";

export const catalogue: CatalogueEntry[] = [
  {
    code: "TMC5001",
    title: "no Zephyr workspace",
    rule: "The image of a Zephyr board is made in a Zephyr workspace: the tree of Zephyr, its modules, and a Python with the packages that Zephyr's build needs. tmc looks at --zephyr DIR, then ZEPHYR_BASE, then the workspace west knows for the current folder, then the one that `tmc setup` makes. Without one, everything up to objects and the memory report is made and the exit code is 5.",
    wrong: "tmc build --board b_l4s5i_iot01a",
    right: "tmc setup && tmc build --board b_l4s5i_iot01a",
  },
  {
    code: "TMC5002",
    title: "not a Zephyr workspace",
    rule: "--zephyr names the top folder of a west workspace (the one that has zephyr/ and modules/) or the Zephyr tree in it (the one that has the file VERSION).",
    wrong: "tmc build --board native_sim --zephyr zephyr-app",
    right: "tmc build --board native_sim --zephyr ~/zephyrproject",
  },
  {
    code: "TMC5003",
    title: "this version of Zephyr does not fit",
    rule: "zephyr-app is written for Zephyr 3.7 LTS and 4.x; zephyr-app/west.yml and west-3.7.yml name the releases. Before 3.7 interfaces that it uses differ, and Zephyr 5 does not exist yet.",
  },
  {
    code: "TMC5004",
    title: "the workspace lacks a module",
    rule: "Boards need modules beside Zephyr: every board mbedtls, those that its file names (`zephyr: { modules: [hal/cmsis_6, hal/stm32] }`), and picolibc unless the toolchain has it; --bootloader needs bootloader/mcuboot. `tmc setup` and `west update` with zephyr-app/west.yml fetch them.",
  },
  {
    code: "TMC5005",
    title: "Zephyr's configuration was refused",
    rule: "Kconfig or the devicetree refused a setting; the message has its first complaint, the log all of it. Settings come from zephyr-app/prj.conf, zephyr-app/boards/, and the configuration files given to the build.",
    wrong: "CONFIG_TMC_MESSAGE_MAX=lots",
    right: "CONFIG_TMC_MESSAGE_MAX=4096",
  },
  {
    code: "TMC5006",
    title: "the Zephyr build failed",
    rule: "A compiler or the linker refused a file while the Zephyr image was made. The message has the first error, the log all of them.",
  },
  {
    code: "TMC5007",
    title: "the Zephyr image does not fit the board",
    rule: "The linker found more code or data than the board's flash or RAM region holds. Make the program or its models smaller, or lower the buffers in zephyr-app/Kconfig (TMC_SENSOR_RING_FRAMES, TMC_MESSAGE_MAX).",
  },
  {
    code: "TMC5008",
    title: "a tool of the Zephyr build is missing",
    rule: "Zephyr is built with CMake, Ninja, the device-tree compiler and a compiler for the board. The message names the Debian package.",
  },
  {
    code: "TMC5009",
    title: "the board cannot run here",
    rule: "native_sim and the QEMU boards run on this machine; an image for real hardware is flashed.",
    wrong: "tmc run --board b_l4s5i_iot01a",
    right: "west flash --build-dir build/b_l4s5i_iot01a/zephyr/build",
  },
  {
    code: "TMC5010",
    title: "invalid id or broker for a Zephyr node",
    rule: "A node or server id has 1-23 characters of 0-9 a-z -; the broker is mqtt://HOST[:PORT]. QEMU reaches this machine's loopback as 10.0.2.2; tmc writes localhost and 127.0.0.1 so by itself.",
    wrong: "tmc run --board native_sim --id Node_1",
    right: "tmc run --board native_sim --id node-1",
  },
  {
    code: "TMC5011",
    title: "the board has no boot loader",
    rule: "`tmc build --bootloader` makes MCUboot for boards with zephyr-app/mcuboot/BOARD.conf and the partitions boot_partition, slot0_partition, slot1_partition and record_partition.",
    wrong: "tmc build --board native_sim --bootloader owner.key.pem",
    right: "tmc build --board mps2_an386 --bootloader owner.key.pem",
  },
  {
    code: "TMC5012",
    title: "not a release or counter of a firmware",
    rule: "A signed firmware has a release, MAJOR.MINOR.PATCH up to 255.255.65535, and a counter up to 4294967295. Both belong to --bootloader.",
    wrong: "tmc build --board b_l4s5i_iot01a --bootloader owner.key.pem --release 2",
    right: "tmc build --board b_l4s5i_iot01a --bootloader owner.key.pem --release 2.0.0 --counter 15",
  },
  {
    code: "TMC5013",
    title: "the workspace's Python cannot sign",
    rule: "MCUboot's imgtool needs click, cryptography, intelhex and cbor2 in the Python that builds Zephyr. `tmc setup` installs them.",
  },
  {
    code: "TMC5014",
    title: "the firmware could not be signed",
    rule: "imgtool refused the image; the message has its reason. Most often it is too large: the slot (512 KB) also holds the signature, and at its end what MCUboot notes while it swaps.",
  },
  {
    code: "TMC5020",
    title: "the workspace could not be made",
    rule: "`tmc setup` makes a Python environment with west, then runs west init and west update with zephyr-app/west.yml. It needs python3 with venv, git, and the network (the Python package index and GitHub). What is there already is kept; running it again continues.",
  },
];
