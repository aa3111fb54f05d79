/** The shape of a board file (`boards/*.yaml`) and the messages for a file that does not have it. No file access. */
import { z } from "zod";

const units: Readonly<Record<string, number>> = { "": 1, K: 1024, M: 1024 * 1024 };

/** Bytes: an integer, or text like 640K, 2M (binary multiples). */
export const byteCount = z.union(
  [
    z.number().int().nonnegative(),
    z
      .string()
      .regex(/^\d+ ?[KM]?$/)
      .transform((text) => Number.parseInt(text, 10) * (units[text.replace(/^[\d ]+/, "")] ?? 1)),
  ],
  { error: "expected a size in bytes: an integer, or text like 640K or 2M" },
);

const positiveBytes = byteCount.refine((size) => size > 0, { error: "expected a size above 0" });
const text = z.string().min(1);
const words = z.array(z.string());

const region = z.strictObject({ origin: z.number().int().nonnegative(), size: positiveBytes });

const processRun = z.strictObject({ how: z.literal("process") });
const qemuRun = z.strictObject({
  how: z.literal("qemu"),
  binary: text,
  /** Debian package that has the binary. */
  package: text,
  machine: text,
  cpu: text.optional(),
  args: words.default([]),
});
/** Not runnable here: the user flashes it (`west flash`). */
const flashRun = z.strictObject({ how: z.literal("flash") });

export const boardSchema = z
  .strictObject({
    name: z.string().regex(/^[a-z0-9_]+$/, { error: "expected a name of a-z, 0-9 and _" }),
    title: text,
    kind: z.enum(["posix", "bare-metal", "zephyr"]),
    cpu: z.strictObject({
      core: text,
      /** Widest float type that the hardware computes with. */
      fpu: z.enum(["none", "single", "double"]),
      /** Whether the CPU has the DSP instructions (SMLAD, SSAT ...) that the cortex-m-dsp kernels use. */
      dsp: z.boolean(),
      clockHz: z.number().int().positive().optional(),
      /** Bytes that an interrupt pushes on the stack of the thread it stops; absent: no interrupts run. */
      interruptFrame: byteCount.optional(),
    }),
    kernels: z.enum(["portable", "cortex-m-dsp"]),
    /** The most that an image may take: more fails the build. */
    budget: z.strictObject({ flash: positiveBytes, ram: positiveBytes, stack: positiveBytes }),
    /** What the platform (RTOS, network stack) takes; added to reports that are made without a linked image. */
    platform: z.strictObject({ flash: byteCount, ram: byteCount }).optional(),
    /** What the models of an image get beside their activations. */
    models: z
      .strictObject({
        /** Bytes of RAM for the weights that are read most: flash with wait states is slower. They are in flash too. */
        weightsInRam: byteCount,
      })
      .optional(),
    /**
     * What a function that is loaded over the bus gets (docs/functions.md): bytes of a slot, RAM and stack, the largest
     * output. Absent: the board runs no function images.
     */
    functions: z
      .strictObject({ flash: positiveBytes, ram: positiveBytes, stack: positiveBytes, output: positiveBytes })
      .optional(),
    /** Bare-metal only: what the linker script gets. */
    memory: z.strictObject({ flash: region, ram: region }).optional(),
    toolchain: z.strictObject({
      /** "" = the host's compiler, else e.g. arm-none-eabi-. */
      prefix: z.string(),
      /** Debian packages that have the compiler, separated by blanks. */
      package: text,
      flags: words,
      linkFlags: words.default([]),
    }),
    /** Zephyr only. */
    zephyr: z
      .strictObject({
        /** Zephyr's name of the board, e.g. "mps2/an386". */
        board: text,
        /** Modules that it needs beside those of every board, as folders of the workspace's modules/, e.g. hal/stm32. */
        modules: z
          .array(z.string().regex(/^[\w-]+(\/[\w-]+)*$/, { error: "expected a folder like hal/stm32" }))
          .default([]),
      })
      .optional(),
    run: z.discriminatedUnion("how", [processRun, qemuRun, flashRun], {
      error: 'expected how: "process", "qemu" or "flash"',
    }),
  })
  .superRefine((board, context) => {
    if (board.kind === "bare-metal" && board.memory === undefined) {
      context.addIssue({
        code: "custom",
        path: ["memory"],
        message: "expected for kind bare-metal: { flash: { origin, size }, ram: { origin, size } }",
      });
    }
    if (board.kind === "zephyr" && board.zephyr === undefined) {
      context.addIssue({
        code: "custom",
        path: ["zephyr"],
        message: "expected for kind zephyr: { board: Zephyr's board name }",
      });
    }
    const { budget, memory, models } = board;
    if (models !== undefined && models.weightsInRam > budget.ram) {
      context.addIssue({
        code: "custom",
        path: ["models", "weightsInRam"],
        message: `expected at most budget.ram (${budget.ram})`,
      });
    }
    if (memory !== undefined && budget.flash > memory.flash.size) {
      context.addIssue({
        code: "custom",
        path: ["budget", "flash"],
        message: `expected at most memory.flash.size (${memory.flash.size})`,
      });
    }
    if (memory !== undefined && budget.ram > memory.ram.size) {
      context.addIssue({
        code: "custom",
        path: ["budget", "ram"],
        message: `expected at most memory.ram.size (${memory.ram.size})`,
      });
    }
  });

/** A board as its file describes it; sizes in bytes. */
export type BoardDescription = z.infer<typeof boardSchema>;
